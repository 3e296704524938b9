"""A whole cluster that can be hurt: engines, nodes and NGINX, each killed, frozen or cut off by itself."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from parlour.nginx import Node
from scripts.stack.engine import HOST, Engine, StackError
from scripts.stack.kafka import kafka
from scripts.stack.mongodb import mongodb
from scripts.stack.postgresql import postgresql
from scripts.stack.redis import redis
from scripts.stack.toxiproxy import toxiproxy

from ..e2e.parlour_server import ParlourServer
from ..nginx_server import NAME, OPEN, Certificate, NginxServer, nginx
from ..ports import free_port as a_free_port
from ..ports import own

PORTS = own(range(31_500, 31_600))

ROLES = {"auth": 1, "worker": 2, "chat": 2, "video": 1}
"""How many processes have each role, in the order of starting."""

RESTART = 60.0
"""Seconds within which an engine that was killed starts again: PostgreSQL waits for what its last life left behind."""

Fault = Callable[[], Callable[[], None]]
"""Does something bad, and returns what undoes it."""


class Cluster:
    """Processes of each role on engines of their own behind NGINX; with `proxied` every way to an engine goes through Toxiproxy."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack, *, proxied: bool) -> None:
        free_port = _Ports()
        self._proxies = _Proxies(folder, stack, free_port) if proxied else None
        ports = {name: free_port() for name in ("postgresql", "redis", "kafka", "mongodb")}
        seen = {name: self._proxies.to(name, port) if self._proxies else port for name, port in ports.items()}
        self.engines: dict[str, Engine] = {
            "postgresql": postgresql(port=ports["postgresql"], root=folder),
            "redis": redis(port=ports["redis"], root=folder),
            "kafka": kafka(
                port=ports["kafka"],
                controller_port=free_port(),
                advertised_port=seen["kafka"],
                root=folder,
                short_lived=True,
            ),
            "mongodb": mongodb(port=ports["mongodb"], root=folder),
        }
        for name, engine in self.engines.items():
            stack.callback(_end, engine)
            _started(engine)
            assert name == engine.name
        self.messages_url = f"mongodb://{HOST}:{ports['mongodb']}/parlour?directConnection=true"
        self.settings = {
            "database_url": f"postgresql://parlour@{HOST}:{seen['postgresql']}/parlour",
            "messages_url": f"mongodb://{HOST}:{seen['mongodb']}/parlour?directConnection=true",
            "broker_url": f"kafka://{HOST}:{seen['kafka']}/parlour?partitions=8",
            "bus_url": f"redis://{HOST}:{seen['redis']}/0",
        }
        places = {f"{role}-{number}": free_port() for role, many in ROLES.items() for number in range(1, many + 1)}
        shared = {
            "auth_url": f"http://{HOST}:{places['auth-1']}",
            "chat_url": f"http://{HOST}:{places['chat-1']}",
            "service_secret": "a secret of everybody in this cluster",
            **self.settings,
        }
        self.nodes = {
            name: ParlourServer(folder, folder / name, port, node_id=name, roles=name.partition("-")[0], **shared)
            for name, port in places.items()
        }
        for node in self.nodes.values():
            stack.callback(node.close)
        self.certificate = Certificate(folder)
        self._nginx_folder = folder / "nginx"
        self._nginx_ports = (free_port(), free_port(), free_port())
        self._nginx = contextlib.ExitStack()
        stack.callback(self._nginx.close)
        self.gateway = self._start_nginx()

    @property
    def url(self) -> str:
        """Where people reach it."""
        return f"https://{NAME}:{self._nginx_ports[0]}"

    def start(self) -> None:
        """Start the nodes, and wait until they are ready."""
        for node in self.nodes.values():
            node.start()

    def faults(self) -> dict[str, Fault]:
        """Everything that can be done to it, by name."""
        faults: dict[str, Fault] = {"nginx killed": self._kill_nginx, "every process replaced in turn": self._roll}
        for name, node in self.nodes.items():
            faults[f"{name} killed"] = lambda node=node: self._kill_node(node)  # type: ignore[misc]
            faults[f"{name} frozen"] = lambda node=node: _freeze(node.process.pid)  # type: ignore[misc]
        for name, engine in self.engines.items():
            faults[f"{name} killed"] = lambda engine=engine: _kill(engine)  # type: ignore[misc]
            faults[f"{name} frozen"] = lambda engine=engine: _freeze(engine.pid() or 0)  # type: ignore[misc]
            if self._proxies:
                faults |= self._proxies.faults(name)
        return faults

    def _kill_node(self, node: ParlourServer) -> Callable[[], None]:
        node.kill()
        return lambda: node.start() and None

    def _roll(self) -> Callable[[], None]:
        for node in self.nodes.values():
            assert node.terminate() == 0, node.output()[-3000:]
            node.start()
        return lambda: None

    def _start_nginx(self) -> NginxServer:
        chat, auth, video = (
            tuple(Node(name, HOST, node.port) for name, node in self.nodes.items() if name.startswith(role))
            for role in ("chat", "auth", "video")
        )
        return self._nginx.enter_context(
            nginx(self._nginx_folder, self.certificate, self._nginx_ports, chat, auth=auth, video=video, limits=OPEN)
        )

    def _kill_nginx(self) -> Callable[[], None]:
        workers = self.gateway._workers()
        for pid in [self.gateway.process.pid, *workers]:
            os.kill(pid, signal.SIGKILL)
        self.gateway.process.wait()

        def again() -> None:
            self.gateway = self._start_nginx()

        return again


class _Ports:
    """Gives each port once: nobody listens on them yet."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def __call__(self) -> int:
        while (port := a_free_port(PORTS)) in self._given:
            pass
        self._given.add(port)
        return port


class _Proxies:
    """Toxiproxy before the engines."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack, free_port: "_Ports") -> None:
        self._free_port = free_port
        engine = toxiproxy(port=free_port(), root=folder)
        stack.callback(_end, engine)
        engine.start()
        self._http = httpx.Client(base_url=engine.url, timeout=20)
        stack.callback(self._http.close)

    def to(self, name: str, port: int) -> int:
        """Make a way to an engine, and return its port."""
        way = self._free_port()
        self._post("/proxies", name=name, listen=f"{HOST}:{way}", upstream=f"{HOST}:{port}")
        return way

    def faults(self, name: str) -> dict[str, Fault]:
        """What can happen on the way to an engine."""
        return {
            f"{name} cut off": lambda: self._cut(name),
            f"{name} in a black hole": lambda: self._toxic(name, "timeout", timeout=0),
            f"{name} far away": lambda: self._toxic(name, "latency", latency=150, jitter=100),
            f"{name} with connections reset": lambda: self._toxic(name, "reset_peer", timeout=300),
            f"{name} with answers cut": lambda: self._toxic(name, "limit_data", bytes=4000),
        }

    def _cut(self, name: str) -> Callable[[], None]:
        self._post(f"/proxies/{name}", enabled=False)
        return lambda: self._post(f"/proxies/{name}", enabled=True)

    def _toxic(self, name: str, kind: str, **attributes: int) -> Callable[[], None]:
        self._post(f"/proxies/{name}/toxics", name="fault", type=kind, attributes=attributes)
        return lambda: self._http.delete(f"/proxies/{name}/toxics/fault").raise_for_status() and None

    def _post(self, path: str, **body: Any) -> None:
        self._http.post(path, json=body).raise_for_status()


def _kill(engine: Engine) -> Callable[[], None]:
    pid = engine.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return lambda: _started(engine)


def _freeze(pid: int) -> Callable[[], None]:
    os.kill(pid, signal.SIGSTOP)
    return lambda: os.kill(pid, signal.SIGCONT)


def _started(engine: Engine) -> None:
    deadline = time.monotonic() + RESTART
    while True:
        try:
            engine.start()
        except StackError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _end(engine: Engine) -> None:
    pid = engine.pid()
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)
    engine.stop()


@contextlib.contextmanager
def a_cluster(folder: Path, *, proxied: bool) -> Iterator[Cluster]:
    """Run one until the block ends; its nodes are not started."""
    with contextlib.ExitStack() as stack:
        yield Cluster(folder, stack, proxied=proxied)
