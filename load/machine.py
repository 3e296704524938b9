"""Processes under load: which core they run on, what they spend, and how they end."""

import asyncio
import gc
import os
import random
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Self

import psutil

PORTS = range(31200, 31300)
STARTING_SECONDS = 60.0
STOPPING_SECONDS = 15.0


class Broken(Exception):
    """Something that a measurement stands on did not work; the text says what and where to look."""


@cache
def cores() -> tuple[int, int]:
    """Return the core for servers and the core for generators: the same one where there is no second.

    Asked once: after a generator has pinned itself, the process may use one core alone.
    """
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1 % len(usable)]


def busiest(seconds: float = 0.5) -> float:
    """Return how busy the busier of the two cores is while we do nothing: what others do there spoils a measurement."""
    shares = psutil.cpu_percent(seconds, percpu=True)
    return max(shares[core] for core in cores()) / 100


def settle_generator() -> None:
    """Pin this process to its core, let it open every file its limit allows, and stop the garbage collector's pauses."""
    os.sched_setaffinity(0, {cores()[1]})
    raise_file_limit()
    gc.collect()
    gc.freeze()
    gc.disable()


def raise_file_limit(wanted: int = 16_000) -> None:
    """Raise the soft limit of open files to the hard one; children inherit it.

    Raises:
        Broken: the hard limit is below `wanted`.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Broken(f"the hard limit of open files is {hard}, {wanted} are needed: raise it (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20 if hard == resource.RLIM_INFINITY else hard, hard))


def free_port() -> int:
    """Return a port of ours that nobody listens on; a random one, as another run may be looking too."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Broken(f"no port of {PORTS.start}-{PORTS.stop - 1} is free")


class ServerProcess:
    """A server as a child process pinned to one core, threads and all."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._process = process
        self._stats = psutil.Process(process.pid)
        self.port = port
        self.log = log

    @classmethod
    async def start(
        cls, argv: Sequence[str], *, port: int, core: int, log: Path, env: Mapping[str, str] | None = None
    ) -> Self:
        """Start `argv` and return once it accepts connections on `port`.

        Raises:
            Broken: it ended, or did not listen within 60 s.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        own_cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})  # a child inherits it
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(  # noqa: ASYNC220  # forking takes a millisecond, before any load
                    argv,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, **(env or {})},
                )
        finally:
            os.sched_setaffinity(0, own_cores)
        server = cls(process, port, log)
        deadline = time.monotonic() + STARTING_SECONDS
        while not server._listens():
            if process.poll() is not None or time.monotonic() > deadline:
                await server.stop()
                raise Broken(f"{' '.join(argv)} does not listen on {port}; its output ({log}) ends:\n{server.tail()}")
            await asyncio.sleep(0.05)
        return server

    def _listens(self) -> bool:
        """Tell whether this very process listens: another run's server may have taken the port in between."""
        try:
            connections = self._stats.net_connections("tcp")
        except psutil.NoSuchProcess:
            return False
        return any(c.status == psutil.CONN_LISTEN and c.laddr.port == self.port for c in connections)

    def cpu_seconds(self) -> float:
        """Return user and system time of the process, all threads; the kernel counts in steps of 10 ms."""
        times = self._stats.cpu_times()
        return times.user + times.system

    def rss(self) -> int:
        """Return the resident set in bytes."""
        return int(self._stats.memory_info().rss)

    def tail(self, lines: int = 15) -> str:
        """Return the end of the process's output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Raise Broken where the process has ended."""
        if self._process.poll() is not None:
            raise Broken(
                f"a server ended with {self._process.returncode}; its output ({self.log}) ends:\n{self.tail()}"
            )

    async def stop(self) -> None:
        """End the process: SIGTERM, and SIGKILL 15 s later."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOPPING_SECONDS
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                self._process.kill()
            await asyncio.sleep(0.02)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class CoreShare:
    """The share of a core that this process spends from now on."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def __call__(self) -> float:
        """Return the share since construction, 1.0 for a whole core."""
        return (time.process_time() - self._cpu) / (time.perf_counter() - self._wall)
