"""`make run-cluster`: processes of every role behind NGINX, ended together."""

import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from ..kafka_server import KafkaServer
from ..mongodb_server import MongodbServer
from ..ports import free_port, own
from ..postgresql_server import PostgresqlServer
from ..redis_server import RedisServer
from .parlour_server import DEADLINE, ROOT, environment, wait_until
from .test_conversation import bearer, register

pytestmark = pytest.mark.timeout(600)  # the first test starts four engines

PORTS = own(range(31_300, 31_400))
PROCESSES = 6


class Cluster:
    """The script as a process, on engines and ports of the test's own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder / "cluster"
        self.said = folder / "said"
        self.port, status_port, first = free_ports()
        variables = environment({f"PARLOUR_{name.upper()}": value for name, value in settings.items()})
        options = {
            "--port": self.port,
            "--status-port": status_port,
            "--first-port": first,
            "--folder": self.folder,
        }
        arguments = [str(part) for pair in options.items() for part in pair]
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.run_cluster", *arguments],
                cwd=ROOT,
                env={**variables, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def until_said(self, what: str) -> None:
        is_over = lambda: what in self.output() or self.process.poll() is not None  # noqa: E731
        wait_until(is_over, what, self.output, seconds=PROCESSES * DEADLINE)  # which start one after the other
        assert what in self.output(), self.output()

    def output(self) -> str:
        return self.said.read_text()

    def pid(self, name: str) -> int:
        return int((self.folder / name / "pid").read_text().split()[0])

    def client(self) -> httpx.AsyncClient:
        trusted = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        return httpx.AsyncClient(base_url=f"https://localhost:{self.port}", verify=trusted, timeout=DEADLINE)


def free_ports() -> tuple[int, int, int]:
    """Of https and of NGINX's figures, and the first of those in a row for the processes; no two are the same."""
    free: set[int] = set()
    while True:
        free.add(free_port(PORTS))
        for first in free:
            row = set(range(first, first + PROCESSES))
            others = sorted(free - row)
            if row <= free and len(others) >= 2:
                return others[0], others[1], first


def is_running(pid: int) -> bool:
    """Tell whether it is more than an entry that init has yet to forget."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def cluster(
    tmp_path: Path, postgresql: PostgresqlServer, mongodb: MongodbServer, kafka: KafkaServer, redis: RedisServer
) -> Iterator[Cluster]:
    cluster = Cluster(
        tmp_path,
        database_url=postgresql.create(),
        messages_url=mongodb.create(),
        broker_url=kafka.create(),
        bus_url=redis.create(),
    )
    yield cluster
    if cluster.process.poll() is None:
        cluster.process.terminate()
    cluster.process.wait(DEADLINE)


async def test_it_serves_through_nginx_tells_of_a_node_that_dies_and_ends_all_of_them(cluster: Cluster) -> None:
    cluster.until_said("Ctrl-C ends it")
    async with cluster.client() as http:
        grant = await register(http, "ann")
        os.kill(cluster.pid("chat-2"), signal.SIGKILL)
        cluster.until_said("chat-2 ended by itself")
        tail = cluster.output().partition("chat-2 ended by itself")[2]
        assert '"level"' in tail, "the end of its log"
        answer = await http.get("/api/rooms", headers=bearer(grant))
        assert answer.status_code == httpx.codes.OK
    pids = [cluster.pid(name) for name in ("auth-1", "worker-1", "chat-1", "video-1", "nginx")]
    cluster.process.send_signal(signal.SIGINT)
    assert cluster.process.wait(DEADLINE) == 0
    assert not any(is_running(pid) for pid in pids)
    assert cluster.output().rstrip().endswith("cluster: auth-1 ended")


def test_asked_to_end_while_it_starts_it_leaves_nothing_behind(cluster: Cluster) -> None:
    cluster.until_said("auth-1 on http")
    first = cluster.pid("auth-1")
    cluster.process.terminate()
    assert cluster.process.wait(DEADLINE) == 0
    assert not is_running(first)


def test_a_node_that_ends_at_once_is_told_with_the_tail_of_its_log(tmp_path: Path) -> None:
    wrong = Cluster(tmp_path, bus_url="oracle://somewhere")
    assert wrong.process.wait(DEADLINE) == 1
    assert "auth-1 ended at once" in wrong.output()
    assert "PARLOUR_BUS_URL: oracle:// is not supported" in wrong.output()
