"""SIGTERM: the process is gone within its one deadline, whatever its clients and its own threads do."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from parlour.app import build
from parlour.app.engines import Engines
from parlour.config import Settings

from ..conformance.websocket import WebSocket
from .whole_server import WholeServer

DRAIN_SECONDS = 2
PATIENCE = 3.0
"""Seconds beyond the deadline that a busy machine gets for the interpreter's own end; each wait used to add five."""

ENDLESS_BODY = (
    b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
)


async def test_clients_that_never_finish_do_not_keep_the_process(tmp_path: Path) -> None:
    """One answers no close frame, one ends no request's body, one reads no answer, one says nothing at all."""
    server = WholeServer(tmp_path, drain_seconds=DRAIN_SECONDS)
    address = ("127.0.0.1", server.port)
    deaf = await WebSocket.connect(
        f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket", heartbeat=False
    )
    assert (await deaf.text()).startswith("0{")
    with socket.create_connection(address) as endless, socket.create_connection(address) as unread:
        endless.sendall(ENDLESS_BODY)
        unread.sendall(b"GET /schema/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        with socket.create_connection(address):
            server.process.terminate()
            assert server.process.wait(DRAIN_SECONDS + PATIENCE) == 0
    deaf.abort()
    assert server.log_lines()[-1]["event"] == "stopped", "the engines had no time for an orderly end"


@pytest.mark.parametrize("status", [0, 1])
def test_a_thread_that_hangs_keeps_neither_the_process_nor_its_status(status: int) -> None:
    program = f"""
import threading, time, parlour.serve
parlour.serve.Deadline(0.2, lambda: {status})
threading.Thread(target=time.sleep, args=(60,)).start()
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == status


async def test_a_process_that_cannot_be_put_together_leaves_no_engine_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Engines] = []
    close = Engines.close

    async def noted(engines: Engines) -> None:
        await close(engines)
        closed.append(engines)

    monkeypatch.setattr(Engines, "close", noted)
    with pytest.raises(ValueError, match="secret of services"):
        await build(Settings(data_dir=tmp_path, service_secret=SecretStr("é" * 32)))
    assert len(closed) == 1
