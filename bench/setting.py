"""Where a bench runs: its sizes, its folder, and the servers it starts."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from bench.results import Result, emit, progress
from load.machine import Broken, ServerProcess, cores, free_port

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".bench"
NODE = ROOT / "bench" / "node"
SATURATED = 0.95
"""Share of a core past which a generator is its own bottleneck."""
LATE = 5.0
"""ms; timers alone make a generator late by 1 to 2."""


class SeededUser(msgspec.Struct):
    """A line that `parlour admin seed` writes."""

    user_id: str
    username: str
    access_token: str
    room_ids: list[str]


Prepare = Callable[[Path, list[SeededUser]], Awaitable[None]]
"""Writes to the data directory of a server that does not run yet."""


class Setting(msgspec.Struct):
    """Sizes of a run. `quick` ones show that everything works; their figures mean nothing."""

    seconds: float = 60.0
    """Measuring time of our server in `rooms_50`."""
    repeats: int = 3
    quick: bool = False
    results: list[Result] = []

    def size(self, full: int, quick: int) -> int:
        """Return the size for this run."""
        return quick if self.quick else full

    def report(self, result: Result) -> None:
        """Print a result and keep it."""
        self.results.append(emit(result))


def check_generator(
    setting: Setting, bench: str, shares: Sequence[float], lateness: float = 0.0, *, timed: bool = True
) -> None:
    """Report the share of its core that the generator spent, and whether it was the bottleneck.

    It was, where it spent more than 0.95 of the core or where the p99 of its `lateness` (ms, with its own sends) is over 5:
    then the line says that the figures of `bench` are invalid. Not so where they are not `timed` but the server's CPU time for
    what it was given, under a load that waits for its answers.
    """
    share, unit = max(shares), "core"
    if timed and (share > SATURATED or lateness > LATE):
        unit = "core; SATURATED: the figures of this bench are invalid"
        progress(
            f"{bench}: the generator spent {share:.0%} of its core and was {lateness:.1f} ms late: figures are invalid"
        )
    setting.report(Result(f"{bench}_generator_share", share, unit))


async def start_engine() -> ServerProcess:
    """Start parlour.realtime alone."""
    return await _start_module("bench.servers.engine", "engine")


async def start_floor() -> ServerProcess:
    """Start the bare picows loop."""
    return await _start_module("bench.servers.floor", "floor")


async def _start_module(module: str, name: str) -> ServerProcess:
    port = free_port()
    return await ServerProcess.start(
        [sys.executable, "-m", module, str(port)], port=port, core=cores()[0], log=FOLDER / "logs" / f"{name}.log"
    )


async def start_node(script: str, *args: str) -> ServerProcess:
    """Start a peer of bench/node, whose packages are installed at the first use.

    Raises:
        Broken: there is no Node, or its packages cannot be installed.
    """
    install_peers()
    port = free_port()
    return await ServerProcess.start(
        ["node", str(NODE / script), str(port), *args],
        port=port,
        core=cores()[0],
        log=FOLDER / "logs" / f"{Path(script).stem}.log",
        env={"NODE_ENV": "production"},
    )


def install_peers() -> None:
    """Install the peers' packages from their lock file, where they are not there yet."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Broken("the peers run on Node.js 20 or newer: install it, with npm")
    installed = NODE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (NODE / "package-lock.json").stat().st_mtime:
        return
    progress("installing the peers of bench/node with npm ci")
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=NODE, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Broken(f"npm ci in bench/node failed:\n{done.stderr[-2000:]}")


def peer_version(package: str) -> str:
    """Return the installed version of a peer."""
    install_peers()
    version: str = json.loads((NODE / "node_modules" / package / "package.json").read_text())["version"]
    return version


class Parlour:
    """`parlour serve` with everything on, over a data directory of its own with seeded users, which `prepare` may add to.

    Use as an async context manager; the directory goes with it.
    """

    def __init__(
        self,
        *,
        users: int,
        room_size: int,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        self._users = users
        self._room_size = room_size
        self._password = password
        self._settings = dict(settings or {})
        self._prepare = prepare
        self.users: list[SeededUser] = []
        self.server: ServerProcess

    async def __aenter__(self) -> "Parlour":
        self._data = Path(tempfile.mkdtemp(prefix="data-", dir=FOLDER))
        try:
            self.users = await self._seed()
            if self._prepare is not None:
                await self._prepare(self._data, self.users)
            port = free_port()
            self.server = await ServerProcess.start(
                [*PARLOUR, "serve", "--host", "127.0.0.1", "--port", str(port), "--data-dir", str(self._data)],
                port=port,
                core=cores()[0],
                log=FOLDER / "logs" / "parlour.log",
                env=self._settings,
            )
        except BaseException:
            shutil.rmtree(self._data)
            raise
        return self

    async def _seed(self) -> list[SeededUser]:
        progress(f"seeding {self._users} users in rooms of {self._room_size}")
        tokens = self._data / "tokens.jsonl"
        password = () if self._password is None else ("--password", self._password)
        sizes = ("--users", str(self._users), "--room-size", str(self._room_size))
        await self._run("admin", "seed", "--data-dir", str(self._data), *sizes, "--tokens", str(tokens), *password)
        with tokens.open("rb") as lines:
            return [msgspec.json.decode(line, type=SeededUser) for line in lines]

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()
        shutil.rmtree(self._data)

    async def _run(self, *args: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *PARLOUR, *args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **self._settings}
        )
        _, errors = await process.communicate()
        if process.returncode:
            raise Broken(f"parlour {' '.join(args[:2])} failed:\n{errors.decode(errors='replace')[-2000:]}")


PARLOUR = (str(Path(sys.executable).with_name("parlour")),)
