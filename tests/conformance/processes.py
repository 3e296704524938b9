"""Servers as subprocesses: started, waited for until they accept, ended by their own id."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from ..ports import own

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "tests" / "node"
START_DEADLINE = 60.0
PORTS = own(range(31_100, 31_200))


def node_modules() -> Path:
    """Where the stock clients and the reference servers live. Fails, not skips: they are part of the proof."""
    modules = NODE / "node_modules"
    if not (modules / "socket.io-client").is_dir():
        pytest.fail("the npm packages of tests/node are missing: run make setup")
    return modules


class ServerProcess:
    """One running server. `log` is everything it wrote, for the report of a failure."""

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.command = command
        self.port = port
        self.log = log
        self.start()

    def start(self) -> None:
        """Start, or start again on the same port, and wait until HTTP is answered."""
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/", timeout=2)
            except httpx.ConnectError:
                time.sleep(0.02)
            except httpx.TransportError:
                return
            else:
                return
        self.stop()
        pytest.fail(f"{json.dumps(list(self.command))} does not accept on port {self.port}:\n{self.output()}")

    def replace(self) -> None:
        """Start the successor while the process just terminated still drains, as soon as it has let go of the port."""
        leaving = self.process
        deadline = time.monotonic() + START_DEADLINE
        while leaving.poll() is None and time.monotonic() < deadline:
            with socket.socket() as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind(("127.0.0.1", self.port))
                except OSError:
                    time.sleep(0.02)
                else:
                    break
        self.start()
        leaving.wait(START_DEADLINE)

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        """Ask it to drain; returns at once."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it, by force if it does not go within five seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()


def python(script: str, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "tests" / script), *arguments]


def node(script: str, *arguments: str) -> list[str]:
    node_modules()
    return ["node", str(NODE / script), *arguments]
