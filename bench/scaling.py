"""`scaling`: what a delivery costs a node, and how many bytes of the bus it gets, with 1, 2 and 4 nodes and as many times the people.

Each node is the engine with its own cores' worth of sockets; the generator tells rooms through Redis as a worker does. All of them
share this machine's cores, so CPU time is counted and not the clock. Rooms are on one node each (`own`) or on two (`shared`).
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bench.results import Result, progress
from bench.setting import FOLDER, Setting
from load.byte_counter import ByteCounter
from load.machine import Broken, ServerProcess, cores, free_port
from load.socketio import connect_all
from parlour.realtime import Server
from parlour.realtime.redis_cluster import RedisCluster
from parlour.realtime.redis_line import RedisLine
from scripts.stack.redis import redis

NODES = (1, 2, 4)
ROOMS = 10
"""Of each node."""
ROOM_SIZE = 50
RATE = 200.0
"""Messages a second for each node: 10,000 deliveries a second."""
TEXT_SIZE = 200
PATIENCE = 20.0
BASE = "one node of the same run"


class Way:
    """Between a node and Redis: counts what the node gets."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.received = 0
        self._pumps: set[asyncio.Task[None]] = set()

    async def open(self, stack: AsyncExitStack) -> str:
        """Return where the node reaches Redis."""
        listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        stack.callback(listening.close)
        stack.callback(lambda: [pump.cancel() for pump in self._pumps])
        return f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}/0"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection("127.0.0.1", self._port)
        for source, target, counts in ((reader, to_redis, 0), (from_redis, writer, 1)):
            pump = asyncio.create_task(self._pump(source, target, counts))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: int) -> None:
        while data := await reader.read(65536):
            self.received += counts * len(data)
            writer.write(data)
        writer.close()


class Cluster:
    """Nodes with people on them, and somebody who tells their rooms."""

    def __init__(self, nodes: list[ServerProcess], ways: list[Way], homes: list[list[str]], teller: Server) -> None:
        self.nodes = nodes
        self._ways = ways
        self._rooms = sorted({room for home in homes for room in home})
        self._homes = homes
        self._teller = teller
        self._counters: list[tuple[str, ByteCounter]] = []

    async def connect(self) -> None:
        """Have each room's people connect, spread over the nodes that it is on."""
        for node, home in zip(self.nodes, self._homes, strict=True):
            tokens = [room for room in home for _ in range(ROOM_SIZE // sum(room in each for each in self._homes))]
            sockets = await connect_all(node.port, tokens, until_ready=True)
            self._counters += [(room, ByteCounter(socket)) for room, socket in zip(tokens, sockets, strict=True)]

    async def measure(self, seconds: float) -> tuple[float, list[float]]:
        """Tell rooms for some seconds; return CPU µs a delivery, and for each node the bytes of the bus for each message to its rooms.

        Raises:
            Broken: a socket did not get every message of its room.
        """
        told = dict.fromkeys(self._rooms, 0)
        before = [counter.received for _, counter in self._counters]
        cpu = sum(node.cpu_seconds() for node in self.nodes)
        received = [way.received for way in self._ways]
        count = int(RATE * len(self.nodes) * seconds)
        began = time.perf_counter()
        for number in range(count):
            room = self._rooms[number % len(self._rooms)]
            self._teller.to(room).emit("msg", "x" * TEXT_SIZE)
            told[room] += 1
            await asyncio.sleep(max(0.0, began + number / count * seconds - time.perf_counter()))
        await self._delivered(before, told)
        spent = sum(node.cpu_seconds() for node in self.nodes) - cpu
        deliveries = sum(told[room] for room, _ in self._counters)
        bytes_ = [
            (way.received - start) / sum(told[room] for room in home)
            for way, start, home in zip(self._ways, received, self._homes, strict=True)
        ]
        return spent / deliveries * 1e6, bytes_

    async def _delivered(self, before: Sequence[int], told: dict[str, int]) -> None:
        deadline = time.perf_counter() + PATIENCE
        while True:
            each = {
                (counter.received - start) / told[room]
                for (room, counter), start in zip(self._counters, before, strict=True)
            }
            if len(each) == 1 and each.pop() > TEXT_SIZE:
                return
            if time.perf_counter() > deadline:
                raise Broken("some sockets did not get every message of their room")
            await asyncio.sleep(0.02)


def _homes(nodes: int, *, shared: bool) -> list[list[str]]:
    """Return the rooms that have people on each node."""
    own = [[f"{node}.{number}" for number in range(ROOMS)] for node in range(nodes)]
    if not shared:
        return own
    return [[*own[node], *own[node - 1]] for node in range(nodes)]


async def _run(nodes: int, seconds: float, *, shared: bool) -> tuple[float, list[float]]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = redis(port=free_port(), root=folder)
        engine.start()
        stack.callback(engine.stop)
        ways = [Way(engine.ports[0]) for _ in range(nodes)]
        servers = []
        for number, way in enumerate(ways):
            port = free_port()
            command = [sys.executable, "-m", "bench.servers.node", str(port), await way.open(stack), f"n{number}"]
            server = await ServerProcess.start(
                command, port=port, core=cores()[number % 2], log=FOLDER / f"node-{number}.log"
            )
            servers.append(await stack.enter_async_context(server))
        bus = RedisCluster(RedisLine(engine.url), node_id="teller")
        teller = Server(cluster=bus)
        await bus.start()
        stack.push_async_callback(bus.close)
        cluster = Cluster(servers, ways, _homes(nodes, shared=shared), teller)
        await cluster.connect()
        await cluster.measure(seconds / 4)
        return await cluster.measure(seconds)


async def scaling(setting: Setting) -> None:
    """CPU µs a delivery and bytes of the bus a message, of one node, two and four; the ratio is to one node."""
    seconds = 1.0 if setting.quick else 10.0
    for kind, counts in (("own", NODES), ("shared", NODES[1:])):
        base_cpu = base_bytes = 0.0
        for nodes in counts:
            cpu, received = await _run(nodes, seconds, shared=kind == "shared")
            progress(
                f"{kind} rooms, {nodes} nodes: {cpu:.2f} µs a delivery, {max(received):.0f} bytes a message and node"
            )
            base_cpu, base_bytes = base_cpu or cpu, base_bytes or max(received)
            reference = BASE if kind == "own" else "two nodes of the same run"
            name = f"scaling_{kind}_{nodes}"
            setting.report(Result(f"{name}_cpu", cpu, "µs CPU/delivery", reference, cpu / base_cpu))
            setting.report(
                Result(f"{name}_bytes", max(received), "bytes/message", reference, max(received) / base_bytes)
            )
