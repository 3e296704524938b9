"""Several nodes in one process: what they share, a bus that can be cut, a claim that can be taken away, and sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from parlour.platform.bus import MemoryBus
from parlour.platform.errors import Unavailable
from parlour.platform.ids import RoomId
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal
from parlour.video.adapters.memory import MemoryCallStore
from parlour.video.events.cluster import CarriedInCluster
from parlour.video.events.desk import Asker
from parlour.video.events.payloads import CallCommand, CallJoin, CallJoined, CallStart
from parlour.video.ice import IceServers
from parlour.video.model import Call, CallId, Media, ParticipantId
from parlour.video.service.calls import Calls
from parlour.video.service.carrying import Term
from parlour.video.service.journal import Journal
from parlour.video.service.live import CallLimits, LiveCalls

from .world import FakeCallLog, FakeNotices, FakeRooms, LoopClock, World

GRACE = 15.0


class HubBus(MemoryBus):
    """The bus of one node: what others publish comes in the next turn, unless this node or theirs is cut off, or it is `lost`."""

    def __init__(self, all_: "list[HubBus]") -> None:
        super().__init__()
        self.all = all_
        self.cut = False
        self.lost: set[str] = set()
        self.gap: Callable[[], None] = lambda: None
        all_.append(self)

    async def publish(self, topic: str, payload: bytes) -> None:
        for other in self.all:
            if other is not self and not self.cut and not other.cut and topic not in self.lost:
                asyncio.get_running_loop().call_soon(other.hear, topic, payload)
        await super().publish(topic, payload)

    def hear(self, topic: str, payload: bytes) -> None:
        assert not self._handlers.begin(topic, payload)

    def on_gap(self, listener: Callable[[], None]) -> None:
        self.gap = listener


class Held:
    """A claim that a test can take away."""

    def __init__(self, claims: "Claims") -> None:
        self.claims = claims

    async def held(self) -> bool:
        return self.claims.holder is self

    async def release(self) -> None:
        if self.claims.holder is self:
            self.claims.holder = None


class Claims:
    """The right to carry calls, of which there is one."""

    def __init__(self) -> None:
        self.holder: Held | None = None
        self.failing = False

    async def claim(self) -> Held | None:
        if self.failing:
            raise Unavailable(retry_after=1)
        if self.holder is not None:
            return None
        self.holder = Held(self)
        return self.holder


class Cluster:
    """What the nodes share."""

    def __init__(self) -> None:
        self.buses: list[HubBus] = []
        self.claims = Claims()
        self.store = MemoryCallStore()
        self.log = FakeCallLog()
        self.notices = FakeNotices()
        self.rooms = FakeRooms()
        self.nodes: list[Node] = []
        self.people = World()

    @property
    def carriers(self) -> "list[Node]":
        return [node for node in self.nodes if node.carried.live is not None]

    def told(self, what: str) -> list[tuple[Any, Any]]:
        return [(told.about, told.reason) for told in self.notices.named(what)]


class Node:
    """One process."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.bus = HubBus(cluster.buses)
        self.connected = True
        self.sockets: set[str] = set()
        self.clock = LoopClock()
        self.carried = CarriedInCluster(
            self.bus,
            self.clock,
            name,
            cluster.claims.claim,
            self.term,
            there=self.sockets.__contains__,
            connected=lambda: self.connected,
        )
        self.running: asyncio.Task[None] | None = None
        cluster.nodes.append(self)

    def term(self) -> Term:
        cluster, limits = self.cluster, CallLimits(grace_seconds=GRACE)
        journal = Journal(cluster.store, cluster.log)
        live = LiveCalls(cluster.notices, journal, self.clock, limits)
        calls = Calls(
            live,
            rooms=cluster.rooms,
            notices=cluster.notices,
            ice=IceServers(self.clock),
            rates=RateLimits(self.clock),
            limits=limits,
        )
        return Term(live, calls, journal)

    async def start(self) -> None:
        await self.carried.start()
        self.running = asyncio.create_task(self.carried.run())
        await asyncio.sleep(0.5)

    async def die(self) -> None:
        """End as by SIGKILL: nothing is written or told any more, and the database lets go of the claim."""
        self.bus.cut = True
        was_carrier = self.carried.live is not None
        if was_carrier:
            self.cluster.claims.holder = None
        await self.end()

    async def end(self) -> None:
        assert self.running is not None
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        self.carried.stop()


class Device:
    """One socket of one user on a node."""

    def __init__(self, node: Node, user: Principal, number: int = 1) -> None:
        self.node = node
        self.user = user
        self.id = f"{node.name}.{user.username}{number}"
        node.sockets.add(self.id)
        node.carried.ready(user.user_id, self.id)

    async def ask(self, name: str, payload: msgspec.Struct, kind: Any = dict) -> Any:
        answer = await self.node.carried.ask(name, Asker(self.user, self.id), payload)
        return msgspec.json.decode(msgspec.json.encode(answer), type=kind)

    async def start(self, room_id: RoomId) -> CallJoined:
        joined: CallJoined = await self.ask("call.start", CallStart(room_id, Media.AUDIO), CallJoined)
        return joined

    async def join(self, call_id: CallId, participant_id: ParticipantId | None = None) -> CallJoined:
        joined: CallJoined = await self.ask("call.join", CallJoin(call_id, participant_id), CallJoined)
        return joined

    async def leave(self, call_id: CallId) -> None:
        await self.ask("call.leave", CallCommand(call_id))

    def drop(self) -> None:
        self.node.sockets.discard(self.id)
        self.node.carried.gone(self.id)


class Stage:
    """Three nodes, the first of which carries; Ann has a device on the second, Bob one on the third, and they share a room."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.nodes = [Node(self.cluster, name) for name in ("one", "two", "three")]

    async def open(self) -> None:
        for node in self.nodes:
            await node.start()
        people = [self.cluster.people.phone(name).user for name in ("ann", "bob")]
        self.room = self.cluster.rooms.add(*people, direct=True)
        self.ann, self.bob = Device(self.nodes[1], people[0]), Device(self.nodes[2], people[1])

    async def talking(self) -> tuple[CallId, ParticipantId, ParticipantId]:
        begun = await self.ann.start(self.room)
        joined = await self.bob.join(begun.call.id)
        await asyncio.sleep(0.5)
        return begun.call.id, begun.participant_id, joined.participant_id

    def call(self) -> Call | None:
        """The call as the carrier has it."""
        (carrier,) = self.cluster.carriers
        assert carrier.carried.live is not None
        return carrier.carried.live.registry.of_room(self.room)

    def sockets(self) -> list[str | None]:
        call = self.call()
        assert call is not None
        return [each.socket_id for each in call.participants.values()]


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    try:
        await stage.open()
        yield stage
    finally:
        for node in stage.nodes:
            await node.end()
