"""The stock engine.io-client and socket.io-client, newest from npm, over each transport; cases live in tests/node."""

import os
import subprocess

import pytest

from .conftest import StartServer
from .endpoint import Endpoint
from .processes import NODE, node_modules
from .reconnecting import ReconnectingClients

TRANSPORTS = {"polling": "polling", "websocket": "websocket", "upgrade": "polling,websocket"}


def run_cases(script: str, url: str, transports: str) -> None:
    node_modules()
    environment = {**os.environ, "PARLOUR_URL": url, "PARLOUR_TRANSPORTS": transports}
    command = ["node", "--test", "--test-timeout=60000", "--test-reporter=tap", str(NODE / script)]
    result = subprocess.run(
        command, env=environment, cwd=NODE, capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_engine_client_is_at_home(patient_engine: Endpoint, transport: str) -> None:
    """Every case of stock-engine.test.mjs: text, binary, order, heartbeats, many clients, the maximum payload."""
    run_cases("stock-engine.test.mjs", f"{patient_engine.origin}{patient_engine.path}", TRANSPORTS[transport])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_socket_client_is_at_home(scenarios: Endpoint, transport: str) -> None:
    """Every case of stock-socket.test.mjs: acks both ways, binary, namespaces, refusals, rooms, disconnects, order."""
    run_cases("stock-socket.test.mjs", scenarios.origin, TRANSPORTS[transport])


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_socket_clients_come_back_after_the_server_was_killed(start_server: StartServer, transport: str) -> None:
    """The reconnection of socket.io-client, with its default delays: back, with another id, and served."""
    server = start_server("scenarios")
    url = f"http://127.0.0.1:{server.port}"
    async with ReconnectingClients(url, TRANSPORTS[transport], count=10) as clients:
        assert await clients.until_all("sum", within=15) == list(range(1, 11))
        ids = [report["detail"] for report in clients.reports if report["event"] == "connect"]
        server.kill()
        reasons = await clients.until_all("disconnect", within=15)
        assert set(reasons) <= {"transport close", "transport error"}
        server.start()
        assert await clients.until_all("sum", within=30) == list(range(1, 11))
        again = [report["detail"] for report in clients.reports if report["event"] == "connect"][len(ids) :]
        assert not set(ids) & set(again)
    server.stop()
