"""Who is removed hears nothing after the removal on a node that cannot read who is in the room, nor was told of the change."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from parlour.chat.events.channels import Channels, room_channel, user_channel
from parlour.chat.events.departures import Departures
from parlour.chat.events.numbering import LogSource
from parlour.chat.model import EventType, Room, RoomEvent, RoomKind, Tail
from parlour.chat.service.membership import Memberships
from parlour.chat.service.membership_feed import MembershipFeed
from parlour.platform.bus import MemoryBus
from parlour.platform.ids import ClientId, EventId, RoomId, UserId, uuid4, uuid7
from parlour.realtime import Cluster, MemoryCluster, MemoryHub, Server
from parlour.realtime.redis_cluster import RedisCluster
from parlour.realtime.redis_line import RedisLine

from ...redis_server import RedisServer
from ...unit.chat.doubles import FakeLog
from ...unit.chat.memory_rooms import MemoryRooms
from ...unit.realtime.conftest import Peer, Site

ANN, BEN = UserId(uuid7()), UserId(uuid7())
ROOM = Room(RoomId(uuid4()), "lunch", RoomKind.PRIVATE, ANN, 1)


class Log(FakeLog):
    """The log of the one room."""

    async def tails(self, room_ids: Iterable[RoomId]) -> dict[RoomId, Tail]:
        return {room_id: Tail(len(self.log.get(room_id, [])), 1) for room_id in room_ids}


class House:
    """Ann and Ben are in a room, with sockets on the second of two nodes; the first works the room's commands."""

    def __init__(self, clusters: list[Cluster]) -> None:
        self.store, self.log, self.bus = MemoryRooms(), Log(), MemoryBus()
        self.worker, self.server = (Server(cluster=cluster) for cluster in clusters)
        self.channels = Channels(self.server.of("/"))
        self.memberships = Memberships(self.store)
        self.out: list[tuple[UserId, RoomId]] = []
        self.added: list[tuple[UserId, RoomId]] = []
        self.memberships.on_removed(self.channels.expel)
        self.memberships.on_removed(lambda *who: self.out.append(who))
        self.memberships.on_added(lambda user_id, each: self.channels.enter(user_id, each.room.id))
        self.memberships.on_added(lambda user_id, each: self.added.append((user_id, each.room.id)))
        self.feed = MembershipFeed(self.bus, self.memberships)
        self.numbered = self.server.of("/").number(LogSource(self.server.of("/"), self.log))
        self.numbered.on_delivered(Departures(self.channels, self.feed.left).delivered)
        self.site = Site(self.server)

    async def open(self) -> None:
        await self.site.open()
        await self.store.create(ROOM, {ANN: "member", BEN: "member"})
        await self.memberships.load_many([ANN, BEN])
        self.ann, self.ben = [await self.connect(user_id) for user_id in (ANN, BEN)]
        await self.channels.settled()
        self.channels.began(ROOM.id, 0)

    async def connect(self, user_id: UserId) -> Peer:
        before = set(self.server.of("/").sockets)
        peer = await self.site.connect()
        socket = self.server.of("/").sockets[next(iter(self.server.of("/").sockets.keys() - before))]
        socket.join(user_channel(user_id))
        socket.join(room_channel(ROOM.id))
        return peer

    async def close(self) -> None:
        await self.feed.stop()
        await self.numbered.close()
        await self.site.close()

    def write(self, kind: EventType, **data: Any) -> RoomEvent:
        events = self.log.log.setdefault(ROOM.id, [])
        client_id = ClientId(uuid4())
        events.append(RoomEvent(ROOM.id, len(events) + 1, EventId(uuid7()), kind, ANN, client_id, 1, data))
        return events[-1]

    def say(self, text: str) -> RoomEvent:
        return self.write(EventType.MESSAGE_CREATED, text=text)

    def tell(self, *events: RoomEvent) -> None:
        """Have the first node, which worked a batch, tell the other of it."""
        Channels(self.worker.of("/")).committed(events, [0.0] * len(events))


async def heard(peer: Peer, count: int) -> list[str | int]:
    """Return the next that a peer hears: seqs of events, names of all else."""
    packets = [json.loads((await peer.next()).removeprefix("42")) for _ in range(count)]
    return [data["seq"] if name == "event" else name for name, data in packets]


async def rest(house: House, peer: Peer, user_id: UserId) -> list[str | int]:
    """Return all that a user heard up to now."""
    house.server.to(user_channel(user_id)).local.emit("end", {})
    found: list[str | int] = []
    while (each := (await heard(peer, 1))[0]) != "end":
        found.append(each)
    return found


@pytest.fixture(params=["memory", "redis"])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    if request.param == "memory":
        hub = MemoryHub()
        house = House([MemoryCluster(hub, name) for name in ("one", "two")])
        await house.open()
        yield house
        await house.close()
        return
    redis: RedisServer = request.getfixturevalue("redis")
    prefix = redis.prefix()
    clusters = [RedisCluster(RedisLine(redis.url, prefix=prefix), node_id=name) for name in ("one", "two")]
    house = House(list(clusters))
    for cluster in clusters:
        await cluster.start()
    await house.open()
    yield house
    await house.close()
    for cluster in clusters:
        await cluster.close()


async def test_what_is_said_right_after_a_removal_is_not_heard_even_in_the_same_batch(house: House) -> None:
    house.store.down = True
    house.tell(house.say("before"), house.write(EventType.MEMBER_LEFT, user_id=BEN), house.say("secret"))
    assert await heard(house.ann, 3) == [1, 2, 3]
    house.tell(house.say("another secret"))
    assert await heard(house.ann, 1) == [4]
    assert await rest(house, house.ben, BEN) == [1, 2]
    house.store.down = False
    await house.store.remove_member(ROOM.id, BEN, ANN)
    assert await heard(house.ben, 1) == ["room.removed"]
    assert house.out == [(BEN, ROOM.id)]


async def test_what_a_node_catches_up_is_not_heard_by_who_was_removed_meanwhile(house: House) -> None:
    """The way between nodes was interrupted: first nothing of the room comes, then a later event, then nothing again."""
    house.store.down = True
    house.say("before")
    house.write(EventType.MEMBER_LEFT, user_id=BEN)
    house.say("secret")
    house.tell(house.say("another secret"))
    assert await heard(house.ann, 4) == [1, 2, 3, 4]
    house.write(EventType.MEMBER_LEFT, user_id=ANN)
    house.say("of nobody's concern")
    house.feed.gap()
    house.numbered.catch_up()
    assert await heard(house.ann, 1) == [5]
    assert await rest(house, house.ann, ANN) == []
    assert await rest(house, house.ben, BEN) == [1, 2]


async def test_who_was_added_again_since_was_never_out_but_for_the_channel(house: House) -> None:
    """Being told to be out would end their call, and have their client forget the room."""
    await house.store.remove_member(ROOM.id, BEN, ANN)
    await house.store.add_member(ROOM.id, BEN, "member", ANN, at=2, pardon=True)
    left = house.write(EventType.MEMBER_LEFT, user_id=BEN)
    joined = house.write(EventType.MEMBER_JOINED, user_id=BEN)
    house.tell(left, joined)
    assert await heard(house.ben, 1) == [1]
    async with asyncio.timeout(20):
        while not house.added:  # noqa: ASYNC110 - a channel tells nobody
            await asyncio.sleep(0.002)
    assert (house.added, house.out) == ([(BEN, ROOM.id)], [])
    await house.channels.settled()
    house.tell(house.say("welcome back"))
    assert await heard(house.ben, 1) == [3]


async def test_a_text_that_looks_like_a_removal_is_none(house: House) -> None:
    text = f'","type":"member.left","data":{{"user_id":"{BEN}"}}'
    house.tell(house.say(text), house.say("after"))
    assert await heard(house.ann, 2) == [1, 2]
    assert await rest(house, house.ben, BEN) == [1, 2]
