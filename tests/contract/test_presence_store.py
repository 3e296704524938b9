"""What every presence store keeps: a user is as present as the most present of their devices, wherever those are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from parlour.chat.adapters.memory import MemoryPresence
from parlour.chat.adapters.redis_presence import RedisPresence
from parlour.chat.ports import PresenceStore
from parlour.platform.ids import UserId
from parlour.platform.redis import RedisEngine
from parlour.platform.redis_bus import RedisBus
from parlour.realtime.redis_line import RedisLine

from ..redis_server import RedisProxy, RedisServer
from .room_logs import ANN, BEN, CY


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - whatever it is that comes to be
            await asyncio.sleep(0.005)


class Node:
    """A process, as far as presence goes."""

    def __init__(self, url: str, prefix: str, *, ttl: float, beat: float) -> None:
        self.line = RedisLine(url, prefix=prefix)
        self.redis = RedisEngine(url, prefix=prefix, timeout=2)
        self.presence = RedisPresence(self.redis, RedisBus(self.line), ttl=ttl, beat=beat)
        self.changes: list[tuple[UserId, str]] = []
        self.presence.on_change(lambda user_id, before: self.changes.append((user_id, before)))

    async def start(self) -> None:
        await self.line.start()
        await self.presence.start()

    async def die(self) -> None:
        """End without a word, as a killed process does."""
        await self.presence.close()
        await self.line.close()
        await self.redis.close()


Start = Callable[..., Awaitable[Node]]


@pytest.fixture
async def start(redis: RedisServer) -> AsyncIterator[Start]:
    prefix = redis.prefix()
    nodes: list[Node] = []

    async def make(*, url: str = redis.url, ttl: float = 20.0, beat: float = 5.0) -> Node:
        nodes.append(Node(url, prefix, ttl=ttl, beat=beat))
        await nodes[-1].start()
        return nodes[-1]

    yield make
    for node in nodes:
        await node.die()


@pytest.fixture(params=["memory", "redis"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[tuple[PresenceStore, PresenceStore]]:
    """The stores of two nodes; of a single process they are the same."""
    if request.param == "memory":
        store = MemoryPresence()
        yield store, store
        return
    redis: RedisServer = request.getfixturevalue("redis")
    prefix = redis.prefix()
    nodes = [Node(redis.url, prefix, ttl=20, beat=5) for _ in range(2)]
    for node in nodes:
        await node.start()
    yield nodes[0].presence, nodes[1].presence
    for node in nodes:
        await node.die()


Stores = tuple[PresenceStore, PresenceStore]


async def test_nobody_is_here_at_first(stores: Stores) -> None:
    await stores[0].follow([BEN])
    assert stores[0].get([ANN, BEN]) == {ANN: "offline", BEN: "offline"}


async def test_a_device_comes_idles_and_goes(stores: Stores) -> None:
    store = stores[0]
    assert store.set(ANN, "phone", "active") == "online"
    assert store.set(ANN, "phone", "idle") == "idle"
    assert store.set(ANN, "phone", None) == "offline"


async def test_the_best_device_counts(stores: Stores) -> None:
    store = stores[0]
    store.set(ANN, "phone", "idle")
    assert store.set(ANN, "laptop", "active") == "online"
    assert store.set(ANN, "laptop", "idle") == "idle"
    assert store.set(ANN, "laptop", None) == "idle"
    assert store.set(ANN, "phone", None) == "offline"


async def test_users_are_apart(stores: Stores) -> None:
    store = stores[0]
    store.set(ANN, "tab", "active")
    store.set(BEN, "tab", "idle")
    assert store.get([ANN, BEN, CY]) == {ANN: "online", BEN: "idle", CY: "offline"}


async def test_a_device_that_goes_twice_or_was_never_here_is_no_error(stores: Stores) -> None:
    store = stores[0]
    assert store.set(ANN, "tab", None) == "offline"
    store.set(ANN, "tab", "active")
    store.set(ANN, "tab", None)
    assert store.set(ANN, "tab", None) == "offline"


async def test_who_is_followed_counts_wherever_they_are(stores: Stores) -> None:
    here, there = stores
    there.set(ANN, "phone", "active")
    await here.follow([ANN, BEN])
    await until(lambda: here.get([ANN]) == {ANN: "online"})
    there.set(ANN, "phone", "idle")
    there.set(BEN, "phone", "active")
    await until(lambda: here.get([ANN, BEN]) == {ANN: "idle", BEN: "online"})
    assert here.set(ANN, "laptop", "active") == "online"
    assert here.set(ANN, "laptop", None) == "idle"
    there.set(ANN, "phone", None)
    await until(lambda: here.get([ANN, BEN]) == {ANN: "offline", BEN: "online"})
    here.unfollow([ANN, BEN, CY])
    await here.follow([BEN])
    assert here.get([BEN]) == {BEN: "online"}


async def test_following_together_and_again_is_no_error(stores: Stores) -> None:
    here, there = stores
    there.set(ANN, "phone", "active")
    await asyncio.gather(here.follow([ANN, BEN]), here.follow([ANN]), here.follow([]))
    await here.follow([ANN, BEN])
    await until(lambda: here.get([ANN, BEN]) == {ANN: "online", BEN: "offline"})


# Redis alone


async def test_a_change_elsewhere_is_told_with_what_was_before(start: Start) -> None:
    here, there = await start(), await start()
    await here.presence.follow([ANN])
    here.presence.set(ANN, "tab", "idle")
    there.presence.set(ANN, "tab", "active")
    await until(lambda: here.changes == [(ANN, "idle")])
    there.presence.set(ANN, "tab", "idle")
    await until(lambda: here.changes == [(ANN, "idle"), (ANN, "online")])
    assert here.presence.set(ANN, "tab", None) == "idle"  # there
    there.presence.set(BEN, "tab", "active")  # nobody follows
    there.presence.set(ANN, "tab", None)
    await until(lambda: len(here.changes) == 3)
    assert here.changes[2] == (ANN, "idle")
    assert here.presence.get([ANN, BEN]) == {ANN: "offline", BEN: "offline"}


async def test_the_users_of_a_killed_node_are_gone_after_its_ttl(start: Start) -> None:
    here, other, killed = await start(ttl=1.0, beat=0.2), await start(ttl=1.0, beat=0.2), await start(ttl=1.0, beat=0.2)
    killed.presence.set(ANN, "tab", "active")
    killed.presence.set(BEN, "tab", "active")
    other.presence.set(BEN, "tab", "idle")
    await here.presence.follow([ANN, BEN, CY])
    await until(lambda: here.presence.get([ANN, BEN]) == {ANN: "online", BEN: "online"})
    await killed.die()
    await until(lambda: here.presence.get([ANN, BEN]) == {ANN: "offline", BEN: "idle"})
    assert here.changes[-2:] in ([(ANN, "online"), (BEN, "online")], [(BEN, "online"), (ANN, "online")])
    late = await start(ttl=1.0, beat=0.2)
    await late.presence.follow([ANN, BEN])
    assert late.presence.get([ANN, BEN]) == {ANN: "offline", BEN: "idle"}


async def test_what_a_dead_node_told_is_removed_by_who_reads_it(start: Start, redis: RedisServer) -> None:
    here, killed = await start(ttl=0.5, beat=0.1), await start(ttl=0.5, beat=0.1)
    killed.presence.set(ANN, "tab", "active")
    key = here.redis.key("presence", ANN)
    await until(lambda: redis.command("HLEN", key) == ":1\r\n")
    await killed.die()
    nodes = here.redis.key("presence", "nodes")
    await until(lambda: redis.command("ZCARD", nodes) == ":1\r\n")
    await here.presence.follow([ANN])
    assert redis.command("HLEN", key) == ":0\r\n"


async def test_redis_emptied_is_filled_again_and_nobody_seems_gone(start: Start, redis: RedisServer) -> None:
    here, there = await start(ttl=2.0, beat=0.1), await start(ttl=2.0, beat=0.1)
    there.presence.set(ANN, "tab", "active")
    here.presence.set(BEN, "tab", "idle")
    await here.presence.follow([ANN])
    await until(lambda: here.presence.get([ANN]) == {ANN: "online"})
    here.changes.clear()
    redis.command("FLUSHALL")
    keys = [here.redis.key("presence", user_id) for user_id in (ANN, BEN)]
    await until(lambda: all(redis.command("HLEN", key) == ":1\r\n" for key in keys))
    late = await start(ttl=2.0, beat=0.1)
    await late.presence.follow([ANN, BEN])
    assert late.presence.get([ANN, BEN]) == {ANN: "online", BEN: "idle"}
    assert here.changes == []


async def test_a_node_cut_off_keeps_what_it_knew_and_catches_up(start: Start, redis: RedisServer) -> None:
    async with RedisProxy(redis) as proxy:
        here, there = await start(url=proxy.url, ttl=0.5, beat=0.1), await start(ttl=0.5, beat=0.1)
        there.presence.set(ANN, "tab", "active")
        await here.presence.follow([ANN, BEN])
        await until(lambda: here.presence.get([ANN]) == {ANN: "online"})
        here.presence.set(CY, "tab", "active")
        await there.presence.follow([CY])
        await until(lambda: there.presence.get([CY]) == {CY: "online"})
        proxy.cut = True
        proxy.disconnect()
        await until(lambda: there.presence.get([CY]) == {CY: "offline"})  # for the others it is dead
        there.presence.set(ANN, "tab", None)
        there.presence.set(BEN, "tab", "active")
        assert here.presence.get([ANN, BEN]) == {ANN: "online", BEN: "offline"}
        await here.presence.follow([CY])
        assert here.presence.set(CY, "phone", "active") == "online"
        proxy.cut = False
        await until(lambda: here.presence.get([ANN, BEN]) == {ANN: "offline", BEN: "online"})
        await until(lambda: there.presence.get([CY]) == {CY: "online"})


async def test_what_is_malformed_is_dropped(start: Start, redis: RedisServer) -> None:
    here, there = await start(), await start()
    redis.command("ZADD", here.redis.key("presence", "nodes"), "9000000000000000", "ghost")
    redis.command("HSET", here.redis.key("presence", ANN), "ghost", "garbage")
    await here.presence.follow([ANN])
    assert here.presence.get([ANN]) == {ANN: "offline"}
    await RedisBus(there.line).publish(f"presence:{ANN}", b"garbage")
    there.presence.set(ANN, "tab", "idle")
    await until(lambda: here.presence.get([ANN]) == {ANN: "idle"})
