"""Memberships in two layers over real Redis: whoever was removed is out on every node within a second, whatever becomes of Redis."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable

import pytest

from parlour.chat.adapters.sql import SqlRoomStore
from parlour.chat.errors import RoomNotFound
from parlour.chat.model import Member, Membership, Room, RoomKind
from parlour.chat.service.membership import Memberships
from parlour.chat.service.membership_feed import MembershipFeed, MembershipNews
from parlour.chat.service.shared_memberships import MANY_DOUBTS, SharedMemberships, membership_values
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId, SessionId, UserId, uuid4, uuid7
from parlour.platform.metrics import CACHE_LOOKUPS
from parlour.platform.permissions import Permission, Role
from parlour.platform.redis import RedisEngine
from parlour.platform.redis_bus import RedisBus
from parlour.platform.sql import Database
from parlour.platform.tokens import Principal
from parlour.realtime.redis_line import RedisLine

from ..redis_server import RedisProxy, RedisServer

SECOND = 1.0
"""For so long at most may a permission be stale."""

COMES = 30.0
"""Seconds in which something has to come on the busiest machine."""


@pytest.fixture(scope="module")
def service() -> str:
    return "parlour.chat"


class Source:
    """The store, how often it was asked for memberships, and a gate that answers of it pass."""

    def __init__(self, store: SqlRoomStore) -> None:
        self.store = store
        self.reads = 0
        self.open = asyncio.Event()
        self.open.set()

    async def room(self, room_id: RoomId) -> Room | None:
        return await self.store.room(room_id)

    async def members(self, room_id: RoomId, *, after: str = "", limit: int = 100) -> list[Member]:
        return await self.store.members(room_id, after=after, limit=limit)

    async def memberships(self, user_ids: Iterable[UserId]) -> dict[UserId, list[Membership]]:
        self.reads += 1
        found = await self.store.memberships(user_ids)
        await self.open.wait()
        return found


class Node:
    """The layers of one process, as the composition root puts them together."""

    def __init__(self, store: SqlRoomStore, url: str, prefix: str, caches: str) -> None:
        clock = SystemClock()
        self.source = Source(store)
        self.line = RedisLine(url, prefix=prefix)
        self.engine = RedisEngine(caches, prefix=prefix, name="redis-cache", timeout=0.2, connections=8, failures=2)
        self.bus = RedisBus(self.line)
        self.values = membership_values(self.engine, clock)
        self.shared = SharedMemberships(self.source, self.values, clock, trusted=lambda: self.line.connected)
        self.memberships = Memberships(self.shared, outdate=self.shared.outdate)
        self.news = MembershipNews(self.bus, self.values)
        self.memberships.on_changed(self.news.changed)
        self.feed = MembershipFeed(self.bus, self.memberships, trusted=lambda: self.line.connected, shared=self.shared)
        self._watching: asyncio.Task[None] | None = None

    async def start(self, *, just_now: bool) -> "Node":
        await self.line.start()
        self.feed.start()
        if not just_now:
            self.shared._doubted = -math.inf  # what was in Redis before is gone by now
        self.bus.on_gap(self.feed.gap)
        assert await self.bus.settled()
        self._watching = asyncio.create_task(self.feed.run())
        return self

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await self.feed.stop()
        await self.news.stop()
        await self.memberships.close()
        await self.shared.close()
        await self.bus.close()
        await self.line.close()
        await self.engine.close()

    async def may(self, user: Principal, room: Room) -> bool:
        """Tell whether somebody may send to a room, as a send asks."""
        try:
            if self.memberships.check(user, room.id, Permission.SEND) is None:
                await self.memberships.require(user, room.id, Permission.SEND)
        except RoomNotFound:
            return False
        return True

    async def remove(self, user: Principal, room: Room) -> None:
        """Do as `RoomMembers` does."""

        async def work() -> None:
            await self.source.store.remove_member(room.id, user.user_id, user.user_id)
            self.memberships.removed(user.user_id, room.id)

        await self.memberships.change(room.id, work())


class House:
    """Nodes of one cluster, and a room with somebody in it."""

    def __init__(self, store: SqlRoomStore, redis: RedisServer) -> None:
        self.store = store
        self.redis = redis
        self.prefix = redis.prefix()
        self.nodes: list[Node] = []
        self.ann = Principal(UserId(uuid7()), SessionId(uuid7()), "ann", Role.MEMBER, 1 << 50)
        self.room = Room(RoomId(uuid4()), "lunch", RoomKind.PRIVATE, self.ann.user_id, 1)

    async def begin(self) -> tuple[Node, Node]:
        await self.store.create(self.room, {self.ann.user_id: "owner"})
        return await self.node(), await self.node()

    async def node(self, *, line: str = "", caches: str = "", just_now: bool = False) -> Node:
        self.nodes.append(Node(self.store, line or self.redis.url, self.prefix, caches or self.redis.url))
        return await self.nodes[-1].start(just_now=just_now)

    def in_redis(self, node: Node) -> str:
        """What begins what is there: V of a value, L of a lease."""
        return self.redis.command("GETRANGE", node.engine.key("cache", "memberships", self.ann.user_id), "0", "0")


@pytest.fixture
async def house(database: Database, redis: RedisServer) -> AsyncIterator[House]:
    house = House(SqlRoomStore(database), redis)
    yield house
    for node in house.nodes:
        await node.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(COMES):
        while not condition():  # noqa: ASYNC110 - a cache tells nobody
            await asyncio.sleep(0.005)


async def seconds_until_refused(node: Node, user: Principal, room: Room) -> float:
    """Return when somebody was permitted something last, in seconds from now; 0 where they never were."""
    loop = asyncio.get_running_loop()
    begun = asked = loop.time()
    last = begun
    async with asyncio.timeout(COMES):
        while await node.may(user, room):
            last = asked
            await asyncio.sleep(0.01)
            asked = loop.time()
    return last - begun


def count(layer: str, outcome: str) -> float:
    return CACHE_LOOKUPS.labels("memberships", layer, outcome)._value.get()


async def test_what_one_node_read_another_has_from_redis_and_each_layer_counts(house: House) -> None:
    one, two = await house.begin()
    layers = [("process", "hit"), ("process", "miss"), ("redis", "hit"), ("redis", "miss")]
    before = [count(*each) for each in layers]
    assert await one.may(house.ann, house.room)
    assert await two.may(house.ann, house.room)
    assert await two.may(house.ann, house.room)
    assert (one.source.reads, two.source.reads) == (1, 0)
    assert [count(*each) - value for each, value in zip(layers, before, strict=True)] == [1, 4, 1, 1]
    (mine,), (theirs,) = (list(node.memberships.get(house.ann.user_id).values()) for node in (one, two))
    assert mine == theirs


async def test_who_was_removed_is_refused_on_every_node_within_a_second(house: House) -> None:
    one, two = await house.begin()
    assert await one.may(house.ann, house.room)
    assert await two.may(house.ann, house.room)
    await one.remove(house.ann, house.room)
    assert not await one.may(house.ann, house.room)
    assert await seconds_until_refused(two, house.ann, house.room) < SECOND
    late = await house.node()  # one that asks Redis first, and never heard of anything
    assert not await late.may(house.ann, house.room)


async def test_a_slow_reader_cannot_put_back_what_was_made_void(house: House) -> None:
    one, two = await house.begin()
    one.source.open.clear()
    slow = asyncio.create_task(one.shared.memberships([house.ann.user_id]))
    await until(lambda: one.source.reads == 1)
    await two.remove(house.ann, house.room)
    await until(lambda: "L" not in house.in_redis(two))  # the lease of who is slow
    assert not await two.may(house.ann, house.room)
    one.source.open.set()
    assert [each.room.id for each in (await slow)[house.ann.user_id]] == [house.room.id]  # it was so when it asked
    late = await house.node()
    assert not await late.may(house.ann, house.room)
    assert not await one.may(house.ann, house.room)


async def test_this_process_reads_nothing_from_redis_that_it_has_just_changed(house: House) -> None:
    one, two = await house.begin()
    assert await two.may(house.ann, house.room)
    assert "V" in house.in_redis(two)
    await one.remove(house.ann, house.room)  # who was in no cache of this process
    assert not await one.may(house.ann, house.room)  # before its news could be told


async def test_a_room_has_its_new_name_for_who_knew_nothing_of_it(house: House) -> None:
    one, two = await house.begin()
    assert await one.may(house.ann, house.room)
    renamed = await house.store.update(house.room.id, house.ann.user_id, {"name": "dinner"})
    assert renamed is not None
    two.memberships.room_updated(renamed)
    heard = asyncio.Event()
    one.bus.subscribe("membership.changed", lambda _: heard.set())
    assert await one.bus.settled()
    two.memberships.room_updated(renamed)
    async with asyncio.timeout(COMES):
        await heard.wait()
    late = await house.node()
    rooms = await late.memberships.load(house.ann.user_id)
    assert rooms[house.room.id].room.name == "dinner"
    assert late.source.reads == 1


async def test_emptying_redis_harms_nothing(house: House) -> None:
    one, two = await house.begin()
    one.source.open.clear()
    slow = asyncio.create_task(one.shared.memberships([house.ann.user_id]))
    await until(lambda: one.source.reads == 1)
    assert await two.may(house.ann, house.room)
    house.redis.command("FLUSHALL")
    await two.remove(house.ann, house.room)
    assert not await two.may(house.ann, house.room)
    one.source.open.set()
    await slow
    assert "V" not in house.in_redis(one)
    late = await house.node()
    assert not await late.may(house.ann, house.room)
    assert not await one.may(house.ann, house.room)


async def test_while_redis_stands_still_the_store_is_asked_and_afterwards_nothing_of_before_is_believed(
    house: House,
) -> None:
    """Both a reader's filling and the writer's deletion are on their way when Redis stops, and are done when it goes on."""
    one, two = await house.begin()
    one.source.open.clear()
    slow = asyncio.create_task(one.shared.memberships([house.ann.user_id]))
    await until(lambda: one.source.reads == 1)
    assert await two.may(house.ann, house.room)
    assert await two.may(house.ann, house.room)
    with house.redis.frozen():
        one.source.open.set()
        await slow
        await two.remove(house.ann, house.room)
        assert not await two.may(house.ann, house.room)
        assert await seconds_until_refused(one, house.ann, house.room) < SECOND
        await until(lambda: not one.line.connected and not two.line.connected)
        begun = two.source.reads
        two.memberships.invalidate([house.ann.user_id])
        assert not await two.may(house.ann, house.room)
        assert two.source.reads == begun + 1
    await until(lambda: one.line.connected and two.line.connected)
    for node in (one, two):
        assert not await node.may(house.ann, house.room)
        node.memberships.invalidate([house.ann.user_id])
        assert not await node.may(house.ann, house.room)


async def test_what_could_not_be_deleted_is_doubted_by_who_hears_of_it(house: House) -> None:
    """The one connection fails and the other does not: the news arrives, and what it is about is in Redis still."""
    async with RedisProxy(house.redis) as proxy:
        one, _ = await house.begin()
        two = await house.node(caches=proxy.url)
        assert await one.may(house.ann, house.room)
        assert await two.may(house.ann, house.room)
        proxy.cut = True
        proxy.disconnect()
        await two.remove(house.ann, house.room)
        assert await seconds_until_refused(one, house.ann, house.room) < SECOND
        assert "V" in house.in_redis(one)
        late = await house.node(just_now=True)  # which has not heard of it
        for node in (one, two, late):
            node.memberships.invalidate([house.ann.user_id])
            assert not await node.may(house.ann, house.room)


async def test_who_can_hear_nothing_believes_nothing_that_is_in_redis_and_nothing_of_before_afterwards(
    house: House,
) -> None:
    async with RedisProxy(house.redis) as proxy:
        _, two = await house.begin()
        deaf = await house.node(line=proxy.url)
        assert await two.may(house.ann, house.room)
        assert await deaf.may(house.ann, house.room)
        assert deaf.source.reads == 0
        proxy.cut = True
        proxy.disconnect()
        await until(lambda: not deaf.line.connected)
        await house.store.remove_member(house.room.id, house.ann.user_id, house.ann.user_id)  # nobody tells of it
        assert await seconds_until_refused(deaf, house.ann, house.room) < SECOND
        assert "V" in house.in_redis(two)
        proxy.cut = False
        await until(lambda: deaf.line.connected and not deaf.shared._outdated and deaf.shared._doubted > 0)
        deaf.memberships.invalidate([house.ann.user_id])
        assert not await deaf.may(house.ann, house.room)
        assert "V" in house.in_redis(two)
        await deaf.line.close()


async def test_what_is_in_doubt_is_bounded(house: House) -> None:
    one, two = await house.begin()
    assert await two.may(house.ann, house.room)
    one.shared.doubt([UserId(str(number)) for number in range(MANY_DOUBTS + 1)], [])
    assert not one.shared._doubts
    assert await one.may(house.ann, house.room)
    assert one.source.reads == 1  # everything is in doubt then


async def test_a_worker_that_tells_of_a_change_clears_it_too(house: House) -> None:
    """Whoever made it died before it told anybody."""
    one, two = await house.begin()
    worker = await house.node()
    assert await one.may(house.ann, house.room)
    assert await two.may(house.ann, house.room)
    await house.store.remove_member(house.room.id, house.ann.user_id, house.ann.user_id)
    worker.news.changed(house.ann.user_id, house.room.id)
    for node in (one, two, await house.node()):
        assert await seconds_until_refused(node, house.ann, house.room) < SECOND


async def test_who_left_by_the_log_is_not_brought_back_by_what_is_in_redis_of_before(house: House) -> None:
    """The event of the log can come before the message of the change, or without one."""
    one, two = await house.begin()
    await one.memberships.load(house.ann.user_id)
    assert await two.may(house.ann, house.room)
    assert "V" in house.in_redis(two)
    told: list[str] = []
    two.memberships.on_removed(lambda _, room_id: told.append(f"-{room_id}"))
    two.memberships.on_added(lambda _, each: told.append(f"+{each.room.id}"))
    await house.store.remove_member(house.room.id, house.ann.user_id, house.ann.user_id)
    two.feed.left(house.ann.user_id, house.room.id)
    await until(lambda: two.memberships.get(house.ann.user_id) is not None)
    assert two.memberships.get(house.ann.user_id) == {}
    assert told == [f"-{house.room.id}"]
