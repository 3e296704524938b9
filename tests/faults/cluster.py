"""A whole cluster that can be hurt: engines, processes of every role and NGINX, each by itself, and the ways between any two."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil

from parlour.chat.adapters.kafka import DeadLetters
from parlour.nginx import Node
from parlour.platform.kafka_address import KafkaAddress
from scripts.stack.engine import HOST, Engine
from scripts.stack.kafka import kafka
from scripts.stack.mongodb import mongodb
from scripts.stack.postgresql import postgresql, psql
from scripts.stack.redis import redis

from ..e2e.parlour_server import ParlourServer
from ..nginx_server import NAME, OPEN, Certificate, NginxServer, nginx
from ..ports import free_port as a_free_port
from ..ports import own
from .clock import JUMP, jumped
from .disk import full, slow
from .preload import Preload, build, compiler
from .relays import Relays
from .supervisor import Supervisor, started
from .ways import KINDS, Ways

PORTS = own(range(31_500, 31_600))

ROLES = {"auth": 1, "worker": 2, "chat": 2, "video": 1}
"""How many processes have each role, in the order of starting."""

PROCESSES = tuple(f"{role}-{number}" for role, many in ROLES.items() for number in range(1, many + 1))
ONE_OF_EACH = tuple(f"{role}-1" for role in ROLES)
JOINING = "worker-3"
"""It comes and goes: a rebalance each time."""

MEETS = {
    "auth-1": ("postgresql", "redis"),
    "worker-1": ("postgresql", "redis", "kafka", "mongodb"),
    "chat-1": ("postgresql", "redis", "kafka", "mongodb"),
    "video-1": ("postgresql", "redis", "kafka"),
}
"""Which engines a process of each role speaks to."""

NEIGHBOURS = (
    ("chat-1", "auth-1"),
    ("video-1", "auth-1"),
    ("video-1", "chat-1"),
    ("nginx", "chat-1"),
    ("nginx", "auth-1"),
    ("nginx", "video-1"),
)
"""Who asks whom by HTTP over a way that can be cut; the others go straight, so that who is ended is also seen to refuse connections."""

SOME = "people"
"""Those who come to NGINX over a way that can be hurt."""

DISKS = ("postgresql", "kafka", "mongodb")
"""The engines that keep something."""

Fault = Callable[[], Callable[[], None]]
"""Does something bad, and returns what undoes it."""


class Cluster:
    """Processes of each role on engines of their own behind NGINX.

    With `proxied` each process goes to each engine by a way of its own, through Toxiproxy, and so do those of `NEIGHBOURS` to each other,
    and every third of the people to NGINX; without, a thread relays what the latter two say. The processes in `clocked` have wall clocks
    of their own. Without a C compiler there are neither those nor disks that are slow or full.
    """

    def __init__(
        self, folder: Path, stack: contextlib.ExitStack, *, proxied: bool, clocked: tuple[str, ...] = ONE_OF_EACH
    ) -> None:
        free_port = _Ports()
        ports = {name: free_port() for name in ("postgresql", "redis", "kafka", "mongodb")}
        self._ways = Ways(folder, stack, free_port) if proxied else None
        self._between = self._ways or Relays(stack, free_port)
        # Kafka tells who comes where to go on to, so it has a port for each way.
        kafka_ways = {name: (free_port(), free_port()) for name in (*PROCESSES, JOINING)} if proxied else {}
        self.engines: dict[str, Engine] = {
            "postgresql": postgresql(port=ports["postgresql"], root=folder),
            "redis": redis(port=ports["redis"], root=folder),
            "kafka": kafka(
                port=ports["kafka"],
                controller_port=free_port(),
                ways=dict(kafka_ways.values()),
                root=folder,
            ),
            "mongodb": mongodb(port=ports["mongodb"], root=folder),
        }
        preload = _Preloads(folder) if compiler() else None
        self._disks = {name: preload.of(name) for name in DISKS} if preload else {}
        self._clocks = {name: preload.of(name) for name in clocked} if preload else {}
        for name, engine in self.engines.items():
            if name in self._disks:
                engine.environment.update(self._disks[name].environment)
            stack.callback(_end, engine)
            started(engine)
        self.supervisor = Supervisor(self.engines.values())
        urls = _urls(ports)
        self.messages_url, self._broker_url = urls["messages_url"], urls["broker_url"]
        places = {name: free_port() for name in (*PROCESSES, JOINING)}
        ways = {(who, whom): self._between.make(who, whom, places[whom]) for who, whom in NEIGHBOURS}
        self._ports_of_nginx = places | {whom: way for (who, whom), way in ways.items() if who == "nginx"}

        def process(name: str, port: int) -> ParlourServer:
            seen = dict(ports)
            if self._ways is not None:
                listener, way = kafka_ways[name]
                seen = {
                    engine: self._ways.make(name, engine, port) for engine, port in ports.items() if engine != "kafka"
                }
                seen["kafka"] = self._ways.make(name, "kafka", listener, at=way)
            settings = {
                "node_id": name,
                "roles": name.partition("-")[0],
                "auth_url": f"http://{HOST}:{ways.get((name, 'auth-1'), places['auth-1'])}",
                "chat_url": f"http://{HOST}:{ways.get((name, 'chat-1'), places['chat-1'])}",
                "service_secret": "a secret of everybody in this cluster",
                **_urls(seen),
            }
            clock = self._clocks.get(name)
            made = ParlourServer(folder, folder / name, port, preload=clock.environment if clock else {}, **settings)
            stack.callback(made.close)
            return made

        made = {name: process(name, port) for name, port in places.items()}
        self._joining = made.pop(JOINING)
        self.nodes = made
        self.certificate = Certificate(folder)
        self._nginx_folder = folder / "nginx"
        self._nginx_ports = (free_port(), free_port(), free_port())
        self._some_port = self._between.make(SOME, "nginx", self._nginx_ports[0])
        self._nginx = contextlib.ExitStack()
        stack.callback(self._nginx.close)
        self.gateway = self._start_nginx()
        stack.callback(self._signal_nginx, signal.SIGCONT)  # who is frozen does not end

    @property
    def url(self) -> str:
        """Where people reach it."""
        return f"https://{NAME}:{self._nginx_ports[0]}"

    @property
    def urls(self) -> list[str]:
        """Where they reach it by turns: every third over the way of `SOME`."""
        return [self.url, self.url, f"https://{NAME}:{self._some_port}"]

    def given_up(self) -> list[str]:
        """Return what was put aside as not to be done, a sentence each: commands, and changes for the log. Nothing ever should be."""
        letters = DeadLetters(KafkaAddress.parse(self._broker_url)).all()
        (port,) = self.engines["postgresql"].ports
        changes = psql(port, "SELECT type, room_id, data FROM room_outbox WHERE set_aside", "parlour").splitlines()
        return [*(f"a dead letter: {each}" for each in letters), *(f"set aside: {each}" for each in changes)]

    @property
    def nginx_errors(self) -> Path:
        """What NGINX complains of."""
        return self._nginx_folder / "error.log"

    def start(self) -> None:
        """Start the processes, and wait until they are ready."""
        for node in self.nodes.values():
            node.start()

    def faults(self) -> dict[str, Fault]:
        """Everything that can be done to it, by name."""
        faults: dict[str, Fault] = {
            "nginx killed": self._kill_nginx,
            "nginx frozen": self._freeze_nginx,
            "every process replaced in turn": self._roll,
            "a worker joins and leaves": self._rebalance,
        }
        for name, node in self.nodes.items():
            faults[f"{name} killed"] = partial(self._kill_node, node)
            faults[f"{name} frozen"] = partial(_freeze, partial(_pid_of, node))
        for name, engine in self.engines.items():
            faults[f"{name} killed"] = partial(_kill, engine)
            faults[f"{name} frozen"] = partial(_freeze, partial(_pid, engine))
        for who, whom in NEIGHBOURS:
            faults[f"{who} and {whom} parted"] = partial(self._between.part, who, whom)
        for kind in KINDS:
            faults[f"some {SOME} {kind}"] = partial(self._between.hurt, "nginx", kind, (SOME,))
        return faults | self._faults_of_disks() | self._faults_of_clocks() | self._faults_of_ways()

    def _faults_of_disks(self) -> dict[str, Fault]:
        faults: dict[str, Fault] = {}
        for name, disk in self._disks.items():
            faults[f"{name} on a slow disk"] = partial(slow, disk)
            faults[f"{name} on a full disk"] = partial(full, disk, "no file grows")
            if name == "kafka":  # it does nothing but let files grow
                continue
            faults[f"{name} on a disk that takes nothing"] = partial(full, disk, "nothing is written")
        return faults

    def _faults_of_clocks(self) -> dict[str, Fault]:
        faults: dict[str, Fault] = {}
        for name, clock in self._clocks.items():
            faults[f"{name} two hours ahead"] = partial(jumped, clock, JUMP)
            faults[f"{name} two hours behind"] = partial(jumped, clock, -JUMP)
        return faults

    def _faults_of_ways(self) -> dict[str, Fault]:
        ways = self._ways
        if ways is None:
            return {}
        faults: dict[str, Fault] = {}
        for engine in self.engines:
            for kind in KINDS:
                faults[f"{engine} {kind}"] = partial(ways.hurt, engine, kind)
        for name, engines in MEETS.items():
            for engine in engines:
                faults[f"{name} and {engine} parted"] = partial(ways.part, name, engine)
        for who, whom in NEIGHBOURS:
            if who == "nginx":
                faults[f"nginx cut off from {whom}"] = partial(ways.hurt, whom, "cut off", (who,))
        return faults

    def _kill_node(self, node: ParlourServer) -> Callable[[], None]:
        node.kill()
        return lambda: node.start() and None

    def _roll(self) -> Callable[[], None]:
        for node in self.nodes.values():
            assert node.terminate() == 0, node.output()[-3000:]
            node.start()
        return lambda: None

    def _rebalance(self) -> Callable[[], None]:
        self._joining.start()

        def leave() -> None:
            assert self._joining.terminate() == 0, self._joining.output()[-3000:]

        return leave

    def _start_nginx(self) -> NginxServer:
        chat, auth, video = (
            tuple(Node(name, HOST, self._ports_of_nginx[name]) for name in self.nodes if name.startswith(role))
            for role in ("chat", "auth", "video")
        )
        return self._nginx.enter_context(
            nginx(self._nginx_folder, self.certificate, self._nginx_ports, chat, auth=auth, video=video, limits=OPEN)
        )

    def _kill_nginx(self) -> Callable[[], None]:
        self._signal_nginx(signal.SIGKILL)
        self.gateway.process.wait()

        def again() -> None:
            self.gateway = self._start_nginx()

        return again

    def _freeze_nginx(self) -> Callable[[], None]:
        self._signal_nginx(signal.SIGSTOP)
        return partial(self._signal_nginx, signal.SIGCONT)

    def _signal_nginx(self, number: signal.Signals) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            master = psutil.Process(self.gateway.process.pid)
            for process in [master, *master.children()]:  # the keeper of its cache among them
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(number)


class _Ports:
    """Gives each port once: nobody listens on them yet."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def __call__(self) -> int:
        while (port := a_free_port(PORTS)) in self._given:
            pass
        self._given.add(port)
        return port


class _Preloads:
    """Gives each process the library with a control of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = build(folder)

    def of(self, name: str) -> Preload:
        return Preload(self._library, self._folder / f"{name}.preload")


def _urls(ports: dict[str, int]) -> dict[str, str]:
    return {
        "database_url": f"postgresql://parlour@{HOST}:{ports['postgresql']}/parlour",
        "messages_url": f"mongodb://{HOST}:{ports['mongodb']}/parlour?directConnection=true",
        "broker_url": f"kafka://{HOST}:{ports['kafka']}/parlour?partitions=8",
        "bus_url": f"redis://{HOST}:{ports['redis']}/0",
    }


def _pid(engine: Engine) -> int:
    pid = engine.pid()
    assert pid is not None, f"{engine.name} has ended"
    return pid


def _kill(engine: Engine) -> Callable[[], None]:
    os.kill(_pid(engine), signal.SIGKILL)
    return lambda: started(engine)


def _pid_of(node: ParlourServer) -> int:
    return node.process.pid


def _freeze(whose: Callable[[], int]) -> Callable[[], None]:
    pid = whose()
    os.kill(pid, signal.SIGSTOP)
    return lambda: os.kill(pid, signal.SIGCONT)


def _end(engine: Engine) -> None:
    pid = engine.pid()
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)
    engine.stop()


@contextlib.contextmanager
def a_cluster(folder: Path, *, proxied: bool, clocked: tuple[str, ...] = ONE_OF_EACH) -> Iterator[Cluster]:
    """Run one until the block ends; its processes are not started."""
    with contextlib.ExitStack() as stack:
        yield Cluster(folder, stack, proxied=proxied, clocked=clocked)
