"""`fanout_1000` and `fanout_1000_whole`: the server's CPU time for a message that reaches one socket of a room of 1,000."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle

import msgspec

from bench.results import compared, progress
from bench.setting import Parlour, Setting, check_generator, peer_version, start_engine, start_floor, start_node
from load.byte_counter import ByteCounter
from load.frames import masked
from load.machine import Broken, CoreShare, ServerProcess
from load.socketio import LoadSocket, connect_all

IN_FLIGHT = (1, 4, 32)
TEXT_SIZE = 200
FLOOR = "bare picows loop"
SENDERS = 32
PATIENCE = 20.0
"""Seconds after the last send in which everything must have arrived."""

Start = Callable[[], Awaitable[ServerProcess]]


class Drive:
    """A room of sockets: the first senders count messages, everyone else bytes."""

    def __init__(self, server: ServerProcess, sockets: list[LoadSocket], senders: int) -> None:
        self._server = server
        step = max(1, len(sockets) // senders)
        self.senders = sockets[::step][:senders]
        """Spread over the room, so that no server serves them first or last."""
        chosen = set(self.senders)
        self._counters = [ByteCounter(socket) for socket in sockets if socket not in chosen]
        self._size = len(sockets)
        self._until = 0.0
        self.sent = 0
        self._events = 0
        self._event_bytes = 0
        self.failure = ""
        """Set by a callback that met something wrong."""

    def next(self, send: Callable[[], None]) -> None:
        """Send the next one where the time is not over."""
        if time.perf_counter() < self._until:
            self.sent += 1
            send()

    def count(self, packet: bytes) -> None:
        """Count an event that a sender received."""
        self._events += 1
        self._event_bytes += len(packet) + (2 if len(packet) < 126 else 4)

    async def measure(self, begin: Callable[[], None], seconds: float) -> tuple[float, float]:
        """Run `begin`, wait until the load has ended, and return CPU µs a delivery and the generator's share of its core.

        Raises:
            Broken: not every socket received every message.
        """
        self.sent = self._events = self._event_bytes = 0
        before = [counter.received for counter in self._counters]
        cpu, share = self._server.cpu_seconds(), CoreShare()
        self._until = time.perf_counter() + seconds
        begin()
        await asyncio.sleep(seconds)
        generator = share()
        await self._delivered(before)
        spent = self._server.cpu_seconds() - cpu
        return spent / (self.sent * self._size) * 1e6, generator

    async def _delivered(self, before: list[int]) -> None:
        """Wait until every sender has every event, and every counter as many bytes as a sender has of events."""
        deadline = time.perf_counter() + PATIENCE
        missing = ""
        while time.perf_counter() < deadline and not self.failure:
            missing = self._missing(before)
            if not missing:
                return
            await asyncio.sleep(0.02)
            self._server.check()
        lost = sum(member.lost for member in self._counters) + sum(sender.lost for sender in self.senders)
        raise Broken(self.failure or f"{missing}; {lost} sockets were closed")

    def _missing(self, before: list[int]) -> str:
        expected = self.sent * len(self.senders)
        if self._events != expected:
            return f"{self.sent} messages sent: the senders received {self._events} events, not {expected}"
        size = self._event_bytes // len(self.senders)
        received = [counter.received - start for counter, start in zip(self._counters, before, strict=True)]
        if any(number != size for number in received):
            return (
                f"{self.sent} messages of {size} bytes sent: sockets received {min(received)} to {max(received)} bytes"
            )
        return ""


async def _bare_room(
    start: Start, setting: Setting, seconds: float, each: Sequence[int] = IN_FLIGHT
) -> tuple[dict[int, float], float]:
    """Measure a server of the bare event `msg`: a sender sends the next when its own has arrived."""
    async with await start() as server:
        tokens = [None] * setting.size(1000, 100)
        sockets = await connect_all(server.port, tokens, until_ready=start is start_engine)
        drive = Drive(server, sockets, min(SENDERS, len(sockets)))
        shares = []
        frames = [masked(b'42["msg","%b"]' % (b"<%02d>" % n).ljust(TEXT_SIZE, b"x")) for n in range(len(drive.senders))]

        def send(sender: int) -> None:
            drive.next(lambda: drive.senders[sender].write(frames[sender]))

        def receive(socket: LoadSocket, packet: bytes) -> None:
            drive.count(packet)
            tag = packet.index(b"<")
            sender = int(packet[tag + 1 : tag + 3])
            if drive.senders[sender] is socket:
                send(sender)

        for socket in drive.senders:
            socket.on_event = receive
        figures = {}
        for in_flight in each:

            def begin(in_flight: int = in_flight) -> None:
                for sender in range(in_flight):
                    send(sender)

            await drive.measure(begin, seconds / 4)
            figures[in_flight], share = await drive.measure(begin, seconds)
            shares.append(share)
        return figures, max(shares)


def _told(figures: dict[int, float]) -> str:
    return ", ".join(f"{value:.2f} with {n}" for n, value in figures.items()) + " µs a delivery"


async def fanout_1000(setting: Setting) -> None:
    """CPU µs a delivery in a room of 1,000 with 1, 4 and 32 broadcasts under way: the engine, Node, and the bare floor."""
    seconds = 0.4 if setting.quick else 3.0
    node = f"node socket.io {peer_version('socket.io')}"
    starts: dict[str, Start] = {
        "engine": start_engine,
        node: lambda: start_node("socketio-room.mjs"),
        FLOOR: start_floor,
    }
    figures: dict[str, list[dict[int, float]]] = {name: [] for name in starts}
    shares = []
    for repeat in range(setting.repeats):
        for name, start in starts.items():
            each = (1,) if name == FLOOR else IN_FLIGHT
            measured, share = await _bare_room(start, setting, seconds, each)
            progress(f"fanout_1000 {repeat + 1}/{setting.repeats} {name}: {_told(measured)}, generator {share:.0%}")
            figures[name].append(measured)
            shares.append(share)
    for n, suffix, peer in (*((n, "", node) for n in IN_FLIGHT), (1, "_floor", FLOOR)):
        ours, theirs = ([run[n] for run in figures[name]] for name in ("engine", peer))
        setting.report(compared(f"fanout_1000_{n}{suffix}", ours, theirs, "µs CPU/delivery", peer))
    check_generator(setting, "fanout_1000", shares, timed=False)


async def fanout_1000_whole(setting: Setting) -> None:
    """The same through `message.send` of the whole server with 4 under way; the peer stays the bare room of Node."""
    seconds = 0.4 if setting.quick else 3.0
    node = f"node socket.io {peer_version('socket.io')}"
    size = setting.size(1000, 100)
    ours, theirs, shares = [], [], []
    async with Parlour(users=size, room_size=size) as parlour:
        room_id = parlour.users[0].room_ids[0]
        tokens = [user.access_token for user in parlour.users]
        sockets = await connect_all(parlour.server.port, tokens, until_ready=True)
        drive = Drive(parlour.server, sockets, size // 2)
        begin = _whole(drive, room_id, in_flight=4)
        await drive.measure(begin, seconds / 4)
        for repeat in range(setting.repeats):
            value, share = await drive.measure(begin, seconds)
            ours.append(value)
            shares.append(share)
            peer, share = await _bare_room(lambda: start_node("socketio-room.mjs"), setting, seconds, (4,))
            theirs.append(peer[4])
            shares.append(share)
            progress(
                f"fanout_1000_whole {repeat + 1}/{setting.repeats}: ours {value:.2f}, {node} {peer[4]:.2f} µs a delivery"
            )
    setting.report(compared("fanout_1000_whole", ours, theirs, "µs CPU/delivery", node))
    check_generator(setting, "fanout_1000_whole", shares, timed=False)


def _whole(drive: Drive, room_id: str, in_flight: int) -> Callable[[], None]:
    """Return what starts the load: each send goes out from the next member, so that none exceeds a user's rate."""
    turn = cycle(drive.senders)
    text = "x" * TEXT_SIZE

    def send() -> None:
        body = {"room_id": room_id, "client_id": str(uuid.uuid4()), "text": text}
        next(turn).request(msgspec.json.encode(["message.send", body]), acknowledged)

    def acknowledged(answer: bytes) -> None:
        if b'"ok":true' not in answer:
            drive.failure = f"message.send was answered {answer.decode(errors='replace')}"
            return
        drive.next(send)

    def begin() -> None:
        for socket in drive.senders:
            socket.on_event = lambda _, packet: drive.count(packet) if packet.startswith(b'42["event"') else None
        for _ in range(in_flight):
            drive.next(send)

    return begin
