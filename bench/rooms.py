"""`rooms_50`: 9,900 members in rooms of 50 and 100,000 messages a minute, as Poisson arrivals that wait for nobody."""

import asyncio
import random
import time
import uuid
from abc import ABC, abstractmethod
from array import array
from collections.abc import Awaitable, Sequence
from functools import partial

import msgspec

from bench.results import Result, progress
from bench.setting import Parlour, Setting, check_generator, peer_version, start_floor, start_node
from load.frames import masked
from load.latency import Latencies
from load.machine import Broken, CoreShare, ServerProcess
from load.open_loop import OpenLoop, poisson
from load.socketio import LoadSocket, connect_all

ROOM_SIZE = 50
MEMBERS = 9_900
RATE = 100_000 / 60
WARM_SECONDS = 3.0
PEER_SECONDS = 15.0
"""The peer is saturated at this load: its backlog, and so its latency, grows for as long as it runs."""
PATIENCE = 30.0
"""Seconds after the last send; what has not arrived by then is lost, and its latency the time it waited."""
MARK = b"#"
PADDING = "x" * (200 - 9)


class Outcome(msgspec.Struct):
    """What one server did under the load; times in ms."""

    p50: float
    p95: float
    p99: float
    ack_p95: float
    server_share: float
    generator_share: float
    lateness_p99: float
    deliveries_per_second: float
    lost: int
    doubled: int
    failure: str


class RoomLoad(ABC):
    """Sends from random members at scheduled times, counts who received what, and measures from the scheduled time."""

    def __init__(
        self, server: ServerProcess, sockets: Sequence[LoadSocket], rooms: Sequence[str], *, rate: float, seconds: float
    ) -> None:
        self._server = server
        self._sockets = sockets
        self._rooms = rooms
        self._schedule = poisson(rate, WARM_SECONDS + seconds)
        self._counted_from = next(i for i, at in enumerate(self._schedule) if at >= WARM_SECONDS)
        self._seconds = seconds
        self._loop = OpenLoop(self._schedule, self._send)
        self._received = array("H", bytes(2 * len(self._schedule)))
        self._latencies = Latencies()
        self._acks = Latencies()
        self._failure = ""
        chance = random.Random(2)
        self._senders = array("H", (chance.randrange(len(sockets)) for _ in self._schedule))
        for socket in sockets:
            socket.on_event = self._receive

    @abstractmethod
    def _send(self, n: int) -> None:
        """Send the n-th message, whose text is `#`, its number in seven digits, `#`, and padding."""

    def _receive(self, _: LoadSocket, packet: bytes) -> None:
        now = time.perf_counter()
        at = packet.find(MARK)
        if at < 0:
            return
        n = int(packet[at + 1 : at + 8])
        self._received[n] += 1
        if n >= self._counted_from:
            self._latencies.add(now - self._loop.start - self._schedule[n])

    def _acknowledged(self, n: int, answer: bytes) -> None:
        if b'"ok":true' not in answer:
            self._failure = answer.decode(errors="replace")
        elif n >= self._counted_from:
            self._acks.add(time.perf_counter() - self._loop.start - self._schedule[n])

    async def run(self) -> Outcome:
        """Run the load; each message is expected at every member of its room, the sender included."""
        running = asyncio.create_task(self._loop.run())
        await asyncio.sleep(WARM_SECONDS)
        cpu, wall, share, before = self._server.cpu_seconds(), time.perf_counter(), CoreShare(), sum(self._received)
        await running
        elapsed = time.perf_counter() - wall
        server_share = (self._server.cpu_seconds() - cpu) / elapsed
        generator_share, rate = share(), (sum(self._received) - before) / elapsed
        expected = ROOM_SIZE * len(self._schedule)
        deadline = time.perf_counter() + PATIENCE
        while sum(self._received) < expected and time.perf_counter() < deadline:
            await asyncio.sleep(0.1)
            self._server.check()
        await asyncio.sleep(0.2)  # what is received twice arrives with or soon after the first
        if any(socket.lost for socket in self._sockets):
            self._failure = self._failure or f"{sum(socket.lost for socket in self._sockets)} sockets were closed"
        self._count_waiting()
        return Outcome(
            p50=self._latencies.quantile(0.5) * 1000,
            p95=self._latencies.quantile(0.95) * 1000,
            p99=self._latencies.quantile(0.99) * 1000,
            ack_p95=self._acks.quantile(0.95) * 1000,
            server_share=server_share,
            generator_share=generator_share,
            lateness_p99=self._loop.lateness.quantile(0.99) * 1000,
            deliveries_per_second=rate,
            lost=sum(max(0, ROOM_SIZE - got) for got in self._received),
            doubled=sum(max(0, got - ROOM_SIZE) for got in self._received),
            failure=self._failure,
        )

    def _count_waiting(self) -> None:
        """Count what has not arrived with the time it has waited, so that a server is not better for what it lost."""
        now = time.perf_counter() - self._loop.start
        for n in range(self._counted_from, len(self._schedule)):
            for _ in range(ROOM_SIZE - self._received[n]):
                self._latencies.add(now - self._schedule[n])


class WholeLoad(RoomLoad):
    """`message.send` of Parlour: acknowledged to the sender, an event to everyone in the room."""

    def _send(self, n: int) -> None:
        sender = self._senders[n]
        body = b'["message.send",{"room_id":"%b","client_id":"%b","text":"%b%07d%b%b"}]' % (
            self._rooms[sender].encode(), str(uuid.uuid4()).encode(), MARK, n, MARK, PADDING.encode(),
        )  # fmt: skip
        self._sockets[sender].request(body, partial(self._acknowledged, n))


class PeerLoad(RoomLoad):
    """The bare event `msg` of the peer: an event to everyone in the room, no acknowledgement."""

    def _send(self, n: int) -> None:
        text = MARK + b"%07d" % n + MARK + PADDING.encode()
        self._sockets[self._senders[n]].write(masked(b'42["msg","' + text + b'"]'))


async def rooms_50(setting: Setting) -> None:
    """p50, p95 and p99 from scheduled send to each receiver, everything on; the share of a core; nothing lost."""
    members = setting.size(MEMBERS, 500)
    seconds = 3.0 if setting.quick else setting.seconds
    peer_seconds = min(seconds, PEER_SECONDS)
    node = f"node socket.io {peer_version('socket.io')} without auth or store, for {peer_seconds:.0f} s"
    theirs = await _bare("the peer", start_node("socketio-room.mjs"), members, peer_seconds)
    floor = await _bare("the floor", start_floor(), members, peer_seconds)
    ours = await _whole(members, seconds)
    if ours.failure:
        raise Broken(f"a message was refused or a socket closed: {ours.failure}")
    for field in ("p50", "p95", "p99"):
        value, other = getattr(ours, field), getattr(theirs, field)
        setting.report(Result(f"rooms_50_{field}", value, "ms", node, value / other if other else None))
    bare = "bare picows loop without anything but the writes"
    setting.report(Result("rooms_50_p95_floor", ours.p95, "ms", bare, ours.p95 / floor.p95 if floor.p95 else None))
    setting.report(
        Result("rooms_50_core_share_floor", ours.server_share, "core", bare, ours.server_share / floor.server_share)
    )
    setting.report(Result("rooms_50_ack_p95", ours.ack_p95, "ms"))
    setting.report(Result("rooms_50_lost", ours.lost, "deliveries"))
    setting.report(Result("rooms_50_doubled", ours.doubled, "deliveries"))
    share = ours.server_share
    setting.report(Result("rooms_50_core_share", share, "core", node, share / theirs.server_share))
    rate = ours.deliveries_per_second
    setting.report(Result("rooms_50_rate", rate, "deliveries/s", node, rate / theirs.deliveries_per_second))
    setting.report(Result("rooms_50_generator_lateness_p99", ours.lateness_p99, "ms"))
    check_generator(setting, "rooms_50", [ours.generator_share], ours.lateness_p99)


def _rate(members: int) -> float:
    return RATE * members / MEMBERS


async def _bare(name: str, starting: Awaitable[ServerProcess], members: int, seconds: float) -> Outcome:
    async with await starting as server:
        rooms = [f"room-{i // ROOM_SIZE}" for i in range(members)]
        progress(f"rooms_50: connecting {members} sockets to {name}")
        sockets = await connect_all(server.port, rooms)
        outcome = await PeerLoad(server, sockets, rooms, rate=_rate(members), seconds=seconds).run()
        progress(f"rooms_50: {name} {outcome}")
        return outcome


async def _whole(members: int, seconds: float) -> Outcome:
    async with Parlour(users=members, room_size=ROOM_SIZE) as parlour:
        progress(f"rooms_50: connecting {members} sockets")
        tokens = [user.access_token for user in parlour.users]
        sockets = await connect_all(parlour.server.port, tokens, until_ready=True)
        rooms = [user.room_ids[0] for user in parlour.users]
        outcome = await WholeLoad(parlour.server, sockets, rooms, rate=_rate(members), seconds=seconds).run()
        progress(f"rooms_50: ours {outcome}")
        return outcome
