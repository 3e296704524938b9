"""The real `parlour serve` as a subprocess: started, killed, started again on the same port and data directory."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from .. import zygote
from ..ports import free_port, own

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "tests" / "node"
PORTS = own(range(31_700, 31_800))
DEADLINE = 60.0
"""Seconds after which whatever is waited for counts as missing: a busy machine takes its time."""


@dataclass
class User:
    """Somebody whom `parlour admin seed` made."""

    user_id: str
    username: str
    access_token: str
    room_ids: list[str]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


class ParlourServer:
    """One server on one port and data directory, through as many processes as a test starts."""

    def __init__(
        self,
        folder: Path,
        data_dir: Path | None = None,
        port: int | None = None,
        *,
        preload: Mapping[str, str] | None = None,
        **settings: str,
    ) -> None:
        """`preload` are variables that the loader of programs reads: such a server cannot be forked, and takes longer to start."""
        self.data_dir = data_dir or folder / "data"
        self.port = port or free_port(PORTS)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"server-{self.port}.log"
        self._environment = {f"PARLOUR_{name.upper()}": value for name, value in settings.items()}
        self._preload = preload or {}
        self._running: zygote.Command | subprocess.Popen[bytes] | None = None

    def start(self) -> "ParlourServer":
        """Start, and wait until the server is ready."""
        process = self.begin()
        wait_until(lambda: process.poll() is not None or self.is_ready(), "server ready", self.output)
        if process.poll() is not None:
            pytest.fail(f"parlour serve ended with {process.returncode}:\n{self.output()}")
        return self

    def begin(self) -> zygote.Command | subprocess.Popen[bytes]:
        """Start, and wait for nothing."""
        arguments = ["serve", "--port", str(self.port), "--data-dir", str(self.data_dir)]
        with self.log.open("ab") as log:
            process = self._spawn(arguments, log)
        self._running = process
        return process

    def _spawn(self, arguments: list[str], log: IO[bytes]) -> zygote.Command | subprocess.Popen[bytes]:
        variables = environment(self._environment)
        if not self._preload:
            return zygote.Command(arguments, variables, stdout=log, stderr=log)
        command = [sys.executable, "-P", "-c", "from parlour.cli import main; main()", *arguments]
        variables |= {"PYTHONPATH": os.pathsep.join(sys.path), **self._preload}  # the sources that are tested
        return subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def process(self) -> zygote.Command | subprocess.Popen[bytes]:
        """The one that was started last."""
        assert self._running is not None
        return self._running

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Ask it to go, wait until it is gone and return its exit status."""
        self.process.terminate()
        return self.process.wait(DEADLINE)

    def close(self) -> None:
        if self._running is not None:
            self.kill()

    def admin(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `parlour admin …` on the same data."""
        own = environment(self._environment)
        return zygote.run(["admin", *arguments, "--data-dir", str(self.data_dir)], own, stdin=stdin, timeout=DEADLINE)

    def seed(self, users: int, room_size: int) -> list[User]:
        """Make users in rooms; needs no running server. Their tokens are in `tokens.jsonl` beside the log."""
        tokens = self.log.with_name("tokens.jsonl")
        done = self.admin("seed", "--users", str(users), "--room-size", str(room_size), "--tokens", str(tokens))
        assert done.returncode == 0, done.stderr
        return [User(**json.loads(line)) for line in tokens.read_text().splitlines()]


def parlour(*arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command `parlour` to its end."""
    own = environment({f"PARLOUR_{name.upper()}": value for name, value in settings.items()})
    return zygote.run(list(arguments), own, stdin=stdin, timeout=DEADLINE)


def environment(settings: dict[str, str]) -> dict[str, str]:
    """A small environment: nothing of the developer's own PARLOUR_… settings."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **settings}


def wait_until(
    condition: Callable[[], bool],
    what: str,
    report: Callable[[], str] = str,
    *,
    pause: float = 0.01,
    seconds: float = DEADLINE,
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {seconds:.0f} s\n{report()}")
        time.sleep(pause)


class NodeScript:
    """A script of tests/node/ that says what it has to say in JSON lines."""

    def __init__(self, script: str, log: Path, *, trusting: Path | None = None, **variables: str) -> None:
        """Run it with `PARLOUR_…` variables, believing the authority whose certificate is in `trusting`."""
        if not (NODE / "node_modules" / "socket.io-client").is_dir():
            pytest.fail("the npm packages of tests/node are missing: run make setup")
        self.log = log
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                ["node", str(NODE / script)],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=sink,
                env=environment({f"PARLOUR_{name.upper()}": value for name, value in variables.items()})
                | ({"NODE_EXTRA_CA_CERTS": str(trusting)} if trusting else {}),
            )

    def lines(self) -> list[dict[str, Any]]:
        """Everything said so far; what is no JSON (a stack trace) fails the test."""
        said = self.log.read_text()
        complete = said[: said.rfind("\n") + 1].splitlines()
        try:
            return [json.loads(line) for line in complete]
        except ValueError:
            pytest.fail(f"{self.process.args!r}:\n{said[-3000:]}")

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def until(self, condition: Callable[[list[dict[str, Any]]], bool], what: str) -> list[dict[str, Any]]:
        """Wait until what was said fulfils `condition`, and return it."""
        wait_until(lambda: condition(self.lines()), what, lambda: self.log.read_text()[-3000:])
        return self.lines()

    def finish(self) -> list[dict[str, Any]]:
        """Wait for a successful end and return everything said."""
        try:
            status = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{self.process.args!r} does not end:\n{self.log.read_text()[-3000:]}")
        if status:
            pytest.fail(f"{self.process.args!r} ended with {status}:\n{self.log.read_text()[-3000:]}")
        return self.lines()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
