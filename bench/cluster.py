"""`make bench-cluster`: `make run-cluster` on the engines of `make stack`, by TLS through NGINX, under a rising rate of messages.

Prints a JSON line a figure. Everything shares this machine's cores with the generator, so what it finds is the knee of all of it
together: the highest rate that was held, which is looked for between the last rate that was and the first that was not. Beside each
rate stand the share of a core that each process took, and the CPU time that it took for a message and for a delivery.
"""

import argparse
import asyncio
import math
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
import uvloop

from bench.recovery import recovery
from bench.results import Result, emit, progress
from bench.rooms import ROOM_SIZE, WARM_SECONDS, Outcome, WholeLoad
from bench.setting import FOLDER, LATE, PARLOUR, ROOT, SATURATED, SeededUser
from load.machine import Broken, free_port, raise_file_limit, settle_generator
from load.socketio import LoadSocket, connect_all
from scripts.stack.engine import HOST, Engine
from scripts.stack.kafka import KAFKA
from scripts.stack.mongodb import MONGODB
from scripts.stack.postgresql import PORT as POSTGRESQL_PORT
from scripts.stack.postgresql import POSTGRESQL, psql
from scripts.stack.redis import REDIS

ENGINES: Sequence[Engine] = (POSTGRESQL, REDIS, KAFKA, MONGODB)
RATES = (5_000, 10_000, 20_000, 40_000, 70_000, 100_000)
"""Messages a minute."""
TOO_LATE = 100.0
"""ms of p95 past which a rate is over the knee."""
CLOSE = 1.25
"""How far apart the rates around the knee may be in the end, as a ratio."""
REST = 2.0
"""Seconds between two rates."""


class Shares:
    """The seconds of CPU that each process of the cluster took, children included."""

    def __init__(self, cluster: psutil.Process) -> None:
        self._processes = {engine.name: psutil.Process(engine.pid() or 0) for engine in ENGINES}
        for child in cluster.children():
            line = " ".join(child.cmdline())
            name = "nginx" if "nginx" in line else f"node {line.rpartition('/data')[0].rpartition('/')[2]}"
            self._processes[name] = child
        self._processes["generator"] = psutil.Process()
        self._families: dict[str, list[psutil.Process]] = {}
        self._spent: dict[int, float] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look for children. It takes a good part of a second, in which a generator would be late."""
        self._families = {
            name: [each] if name == "generator" else [each, *each.children(recursive=True)]
            for name, each in self._processes.items()
        }  # the generator's children are the cluster

    def seconds(self) -> dict[str, float]:
        """Return user and system time by process."""
        return {name: sum(map(self._seconds, family)) for name, family in self._families.items()}

    def _seconds(self, process: psutil.Process) -> float:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # it has spent what it had
            return self._spent.get(process.pid, 0.0)
        self._spent[process.pid] = times.user + times.system
        return self._spent[process.pid]

    def cpu_seconds(self) -> float:
        """Return that of the nodes."""
        return sum(seconds for name, seconds in self.seconds().items() if name.startswith("node"))

    def check(self) -> None:
        """Raise Broken where one has ended."""
        if gone := [name for name, process in self._processes.items() if not process.is_running()]:
            raise Broken(f"{', '.join(gone)} ended")

    def node(self) -> psutil.Process:
        """Return the first process that has sockets."""
        return next(process for name, process in self._processes.items() if name.startswith("node chat"))


@contextmanager
def _cluster(folder: Path, users: int) -> Iterator[tuple[int, psutil.Process, list[SeededUser]]]:
    name = f"bench_{int(time.time())}"
    psql(POSTGRESQL_PORT, f"CREATE DATABASE {name}")
    settings = {
        **os.environ,
        "PARLOUR_DATABASE_URL": f"postgresql://parlour@{HOST}:{POSTGRESQL_PORT}/{name}",
        "PARLOUR_MESSAGES_URL": MONGODB.url.replace("/parlour?", f"/{name}?"),
        "PARLOUR_BROKER_URL": f"{KAFKA.url}/{name}?partitions=12",
        "PARLOUR_BUS_URL": f"redis://{HOST}:{REDIS.ports[0]}/14",
        "PARLOUR_LOG_LEVEL": "warning",
    }
    tokens = folder / "tokens.jsonl"
    sizes = ["--users", str(users), "--room-size", str(ROOM_SIZE), "--tokens", str(tokens)]
    progress(f"seeding {users} users in rooms of {ROOM_SIZE}")
    subprocess.run(
        [*PARLOUR, "admin", "seed", "--data-dir", str(folder), *sizes],
        env=settings,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    people = [msgspec.json.decode(line, type=SeededUser) for line in tokens.read_bytes().splitlines()]
    port = free_port()
    ports = ["--port", str(port), "--status-port", str(free_port()), "--first-port", "31660"]
    command = [sys.executable, "-m", "scripts.run_cluster", "--folder", str(folder), *ports]
    with subprocess.Popen(command, env=settings, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            for line in running.stdout:
                if "Parlour on https" in line:
                    break
            else:
                raise Broken("the cluster did not start")
            yield port, psutil.Process(running.pid), people
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(60)
            psql(POSTGRESQL_PORT, f"DROP DATABASE {name} WITH (FORCE)")


async def _rates(shares: Shares, sockets: Sequence[LoadSocket], people: Sequence[SeededUser], seconds: float) -> None:
    """Try rising rates until one is not held, then rates between the two, and report the highest that was held."""
    held, missed = 0.0, 0.0
    for rate in RATES:
        if not await _is_held(rate, shares, sockets, people, seconds):
            missed = rate
            break
        held = rate
    while held and missed / held > CLOSE and not any(socket.lost for socket in sockets):
        rate = round(math.sqrt(held * missed))
        if await _is_held(rate, shares, sockets, people, seconds):
            held = rate
        else:
            missed = rate
    progress(f"the knee is at {held:.0f} a minute" if missed else f"no knee up to {held:.0f} a minute")
    emit(Result("cluster_knee", held, f"messages/min with a p95 of at most {TOO_LATE:.0f} ms"))


async def _is_held(
    rate: float, shares: Shares, sockets: Sequence[LoadSocket], people: Sequence[SeededUser], seconds: float
) -> bool:
    """Report what the cluster does at a rate, in messages a minute."""
    rooms = [user.room_ids[0] for user in people]
    shares.refresh()
    await asyncio.sleep(REST)
    before, began = shares.seconds(), time.perf_counter()
    load = WholeLoad(shares, sockets, rooms, rate=rate / 60, seconds=seconds)  # type: ignore[arg-type]  # of a server, its CPU
    outcome = await load.run()
    elapsed = time.perf_counter() - began
    if outcome.failure:
        progress(f"{rate} a minute: {outcome.failure}")
    name = f"cluster_{rate}"
    _report(name, outcome)
    messages = rate / 60 * (WARM_SECONDS + seconds)
    for process, after in shares.seconds().items():
        spent, label = after - before[process], process.replace(" ", "_")
        emit(Result(f"{name}_core_share_{label}", spent / elapsed, "core"))
        emit(Result(f"{name}_cpu_{label}", spent / messages * 1000, "s/1000 messages"))
        emit(Result(f"{name}_cpu_per_delivery_{label}", spent / messages / ROOM_SIZE * 1e6, "µs"))
    return outcome.p95 <= TOO_LATE and not outcome.lost and not outcome.failure


def _report(name: str, outcome: Outcome) -> None:
    for field in ("p50", "p95", "p99", "ack_p95"):
        emit(Result(f"{name}_{field}", getattr(outcome, field), "ms"))
    emit(Result(f"{name}_deliveries", outcome.deliveries_per_second, "deliveries/s"))
    emit(Result(f"{name}_lost", outcome.lost, "deliveries"))
    emit(Result(f"{name}_doubled", outcome.doubled, "deliveries"))
    emit(Result(f"{name}_generator_lateness_p99", outcome.lateness_p99, "ms"))
    late = outcome.lateness_p99 > LATE or outcome.generator_share > SATURATED
    unit = "core; SATURATED: the figures of this rate are the generator's as well" if late else "core"
    emit(Result(f"{name}_generator_share", outcome.generator_share, unit))


async def _measure(
    port: int, cluster: psutil.Process, people: Sequence[SeededUser], folder: Path, seconds: float
) -> None:
    settle_generator()  # on a core of its own, as far as there is one; the cluster's processes choose theirs
    tls = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    progress(f"connecting {len(people)} sockets")
    began = time.perf_counter()
    tokens = [user.access_token for user in people]
    sockets = await connect_all(port, tokens, until_ready=True, tls=tls, in_flight=50)
    emit(Result("cluster_connect", len(sockets) / (time.perf_counter() - began), "sockets/s"))
    shares = Shares(cluster)
    await _rates(shares, sockets, people, seconds)
    await recovery(shares.node().kill, port, sockets, people, tls)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="make bench-cluster", description=__doc__)
    parser.add_argument("--users", type=int, default=2_000, help="sockets (default: 2000)")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each rate (default: 15)")
    options = parser.parse_args()
    raise_file_limit()
    FOLDER.mkdir(exist_ok=True)
    for engine in ENGINES:
        engine.start()
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=FOLDER) as name:
        folder = Path(name)
        with _cluster(folder, options.users) as (port, cluster, people):
            uvloop.run(_measure(port, cluster, people, folder, options.seconds))


if __name__ == "__main__":
    main()
