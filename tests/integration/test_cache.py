"""The cache in two layers: one read of the source for many, and nothing stale for longer than promised."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
import pytest

from parlour.platform.bus import MemoryBus
from parlour.platform.cache import Cache
from parlour.platform.clock import SystemClock
from parlour.platform.metrics import CACHE_LOOKUPS
from parlour.platform.redis import RedisEngine
from parlour.platform.redis_bus import RedisBus
from parlour.realtime.redis_line import RedisLine

from ..redis_server import RedisProxy, RedisServer


class Card(msgspec.Struct):
    """What is cached."""

    name: str
    version: int


class Source:
    """The truth, and how often it was read."""

    def __init__(self) -> None:
        self.version = 1
        self.reads = 0
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fails = False

    async def load(self, keys: Sequence[str]) -> dict[str, Card]:
        self.reads += 1
        self.asked += keys
        version = self.version
        await self.open.wait()
        if self.fails:
            raise ConnectionError(keys)
        return {key: Card(key, version) for key in keys if not key.startswith("no")}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - whatever it is that comes to be
            await asyncio.sleep(0.005)


class Node:
    def __init__(self, redis: RedisServer, source: Source, prefix: str, url: str = "", **options: float) -> None:
        self.line = RedisLine(url or redis.url, prefix=prefix)
        self.engine = RedisEngine(url or redis.url, prefix=prefix)
        self.bus = RedisBus(self.line)
        self.cache: Cache[Card] = Cache(
            "cards", source.load, Card, bus=self.bus, clock=SystemClock(), redis=self.engine, **options
        )

    async def start(self) -> "Node":
        await self.line.start()
        assert await self.bus.settled()
        return self

    async def close(self) -> None:
        await self.cache.close()
        await self.line.close()
        await self.engine.close()


Start = Callable[..., "asyncio.Future[Node]"]


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def start(redis: RedisServer, source: Source) -> AsyncIterator[Start]:
    nodes: list[Node] = []
    prefix = redis.prefix()

    async def make(**options: float) -> Node:
        nodes.append(Node(redis, source, prefix, **options))
        return await nodes[-1].start()

    yield make
    for node in nodes:
        await node.close()


LONG = {"ttl": 600.0, "shared_ttl": 600.0}


async def test_many_who_ask_together_read_the_source_once(start: Start, source: Source) -> None:
    node = await start(**LONG)
    source.open.clear()
    asking = [asyncio.create_task(node.cache.get("a")) for _ in range(50)]
    await until(lambda: source.reads == 1)
    asking[0].cancel()  # who goes takes nothing from the others
    source.open.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert answers[1:] == [Card("a", 1)] * 49
    assert isinstance(answers[0], asyncio.CancelledError)
    assert source.reads == 1


async def test_what_one_node_read_another_has_from_redis(start: Start, source: Source) -> None:
    def count(layer: str, outcome: str) -> float:
        return CACHE_LOOKUPS.labels("cards", layer, outcome)._value.get()

    first, second = await start(**LONG), await start(**LONG)
    before = {each: count(*each) for each in (("process", "hit"), ("redis", "hit"), ("redis", "miss"))}
    assert await first.cache.get("a") == Card("a", 1)
    assert await second.cache.get("a") == Card("a", 1)
    assert await second.cache.get("a") == Card("a", 1)
    assert source.reads == 1
    assert {each: count(*each) - value for each, value in before.items()} == dict.fromkeys(before, 1)


async def test_an_invalidation_reaches_the_other_nodes_process(start: Start, source: Source) -> None:
    first, second = await start(**LONG), await start(**LONG)
    await first.cache.get("a")
    await second.cache.get("a")
    source.version = 2
    await first.cache.invalidate("a")
    assert await first.cache.get("a") == Card("a", 2)
    heard = asyncio.Event()
    second.bus.subscribe("mark", lambda _: heard.set())
    assert await second.bus.settled()
    await first.bus.publish("mark", b"")
    await heard.wait()
    assert await second.cache.get("a") == Card("a", 2)


async def test_what_was_being_read_when_it_changed_is_kept_nowhere(start: Start, source: Source) -> None:
    """The race of a reader with a writer: the old value must not come back over the invalidation."""
    first, second = await start(**LONG), await start(**LONG)
    source.open.clear()
    old = asyncio.create_task(first.cache.get("a"))
    await until(lambda: source.reads == 1)
    source.version = 2
    await second.cache.invalidate("a")
    await until(lambda: not first.cache._flights)
    source.open.set()
    assert await old == Card("a", 1)
    assert await first.cache.get("a") == Card("a", 2)
    assert await second.cache.get("a") == Card("a", 2)


async def test_a_lost_invalidation_leaves_nothing_stale_for_longer_than_the_ttl(start: Start, source: Source) -> None:
    first, second = await start(ttl=1.0, shared_ttl=1.0), await start(ttl=1.0, shared_ttl=1.0)
    loop = asyncio.get_running_loop()
    await first.cache.get("a")
    await second.cache.get("a")
    loaded = loop.time()
    second.line.unsubscribe("bus:cache.cards")
    assert await second.bus.settled()
    source.version = 2
    await first.cache.invalidate("a")
    asked = stale = loaded
    while (await second.cache.get("a")).version == 1:
        stale = asked  # when it was asked for last, and was stale
        await asyncio.sleep(0.01)
        asked = loop.time()
    assert stale - loaded <= 1.01
    assert await second.cache.get("a") == Card("a", 2)


async def test_both_layers_together_keep_a_value_no_longer_than_one(start: Start, source: Source) -> None:
    first, second = await start(**LONG), await start(ttl=600, shared_ttl=600)
    await first.cache.get("a")
    key = first.engine.key("cache", "cards", "a")
    await first.engine.call(lambda redis: redis.pexpire(key, 300))
    await second.cache.get("a")
    source.version = 2
    async with asyncio.timeout(30):
        while (await second.cache.get("a")).version == 1:  # noqa: ASYNC110 - nothing tells of an expiry
            await asyncio.sleep(0.01)
    assert source.reads == 2


async def test_what_is_kept_is_bounded_and_the_least_used_goes(start: Start, source: Source) -> None:
    node = await start(ttl=600, shared_ttl=0.0, size=3)
    for key in "abc":
        await node.cache.get(key)
    await node.cache.get("a")
    await node.cache.get("d")
    assert source.reads == 4
    assert list(node.cache._values) == ["c", "a", "d"]
    await node.cache.get("b")
    assert source.reads == 5


async def test_a_failure_reaches_all_who_ask_and_is_not_kept(start: Start, source: Source) -> None:
    node = await start(**LONG)
    source.fails = True
    source.open.clear()
    asking = [asyncio.create_task(node.cache.get("a")) for _ in range(3)]
    await until(lambda: source.reads == 1)
    source.open.set()
    assert [type(each) for each in await asyncio.gather(*asking, return_exceptions=True)] == [ConnectionError] * 3
    source.fails = False
    assert await node.cache.get("a") == Card("a", 1)


async def test_without_redis_the_source_is_read(redis: RedisServer, source: Source) -> None:
    alone: Cache[Card] = Cache("alone", source.load, Card, bus=MemoryBus(), clock=SystemClock(), ttl=600)
    assert await alone.get("a") == await alone.get("a") == Card("a", 1)
    source.version = 2
    await alone.invalidate("a")
    assert await alone.get("a") == Card("a", 2)
    await alone.close()

    async with RedisProxy(redis) as proxy:
        node = await Node(redis, source, redis.prefix(), proxy.url, **LONG).start()
        proxy.cut = True
        proxy.disconnect()
        assert await node.cache.get("a") == Card("a", 2)
        source.version = 3
        await node.cache.invalidate("a")
        assert await node.cache.get("a") == Card("a", 3)
        await node.close()


async def test_after_a_gap_nothing_is_trusted(start: Start, source: Source) -> None:
    node = await start(ttl=600, shared_ttl=0.0)
    await node.cache.get("a")
    source.version = 2
    node.line.gap()
    await until(lambda: not node.cache._values)
    assert await node.cache.get("a") == Card("a", 2)


async def test_what_redis_holds_is_checked(start: Start, source: Source, redis: RedisServer) -> None:
    node = await start(**LONG)
    redis.command("SET", node.engine.key("cache", "cards", "a"), "Vgarbage", "PX", "60000")
    assert await node.cache.get("a") == Card("a", 1)


async def test_many_keys_cost_one_read_of_redis_and_one_of_the_source(start: Start, source: Source) -> None:
    first, second, third = await start(**LONG), await start(**LONG), await start(**LONG)
    keys = [f"key {number}" for number in range(100)]
    assert await first.cache.get_many(keys[:40]) == {key: Card(key, 1) for key in keys[:40]}
    await second.cache.get(keys[0])
    assert source.asked == keys[:40]

    calls: list[int] = []
    shared = second.cache._shared
    assert shared is not None
    read, fill = shared._read, shared._fill

    async def counted_read(names: Sequence[str], arguments: Sequence[str | bytes | float]) -> object:
        calls.append(len(names))
        return await read(names, arguments)

    async def counted_fill(names: Sequence[str], arguments: Sequence[str | bytes | float]) -> object:
        calls.append(len(names))
        return await fill(names, arguments)

    shared._read, shared._fill = counted_read, counted_fill
    assert await second.cache.get_many(reversed(keys)) == {key: Card(key, 1) for key in keys}
    assert calls == [99, 60]
    assert (source.reads, sorted(source.asked)) == (2, sorted(keys))
    assert await third.cache.get_many(keys) == await second.cache.get_many(keys)
    assert source.reads == 2
    assert len(calls) == 2


async def test_many_values_and_large_ones_go_in_parts(start: Start, source: Source) -> None:
    """Redis does one command after the other: none of them is to take long."""
    one, two = await start(**LONG), await start(**LONG)
    shared = one.cache._shared
    assert shared is not None
    fill, parts = shared._fill, []

    async def counted(names: Sequence[str], arguments: Sequence[str | bytes | float]) -> object:
        parts.append((len(names), sum(len(each) for each in arguments if isinstance(each, bytes))))
        return await fill(names, arguments)

    shared._fill = counted
    keys = [f"key {number}" for number in range(250)]
    cards = await one.cache.get_many(keys)
    assert [number for number, _ in parts] == [100, 100, 50]
    assert await two.cache.get_many(keys) == cards
    assert source.reads == 1

    parts.clear()
    large = {f"large {number}": Card("x" * 200_000, 1) for number in range(5)}
    read = await shared.read(list(large))
    await shared.fill(read, large, SystemClock().monotonic())
    assert [number for number, _ in parts] == [2, 2, 1]
    assert {key: card for key, (card, _) in (await shared.read(list(large))).found.items()} == large


async def test_who_asks_for_many_joins_what_is_being_read(start: Start, source: Source) -> None:
    node = await start(**LONG)
    source.open.clear()
    one = asyncio.create_task(node.cache.get("a"))
    await until(lambda: source.reads == 1)
    some = asyncio.create_task(node.cache.get_many(["a", "b", "no c"]))
    others = asyncio.create_task(node.cache.get_many(["c", "b", "a"]))
    await until(lambda: source.reads == 3)
    some.cancel()
    source.open.set()
    assert await one == Card("a", 1)
    assert await others == {key: Card(key, 1) for key in "abc"}
    assert sorted(source.asked) == ["a", "b", "c", "no c"]


async def test_what_the_source_has_not_is_not_remembered(start: Start, source: Source) -> None:
    node, other = await start(**LONG), await start(**LONG)
    for each in (node, node, other):
        assert await each.cache.get_many(["no", "a"]) == {"a": Card("a", 1)}
        with pytest.raises(KeyError):
            await each.cache.get("no")
    assert source.asked.count("no") == 6
    assert source.asked.count("a") == 1


async def test_what_each_node_hears_of_is_forgotten_in_both_layers(start: Start, source: Source) -> None:
    """The writer tells no cache; each node, when it hears of the change, forgets by itself, before or after another reads."""
    first, second = await start(**LONG), await start(**LONG)
    await first.cache.get_many("abc")
    for version in range(2, 30):
        source.version = version
        for key in "abcb":
            first.cache.forget(key)
        assert {card.version for card in (await first.cache.get_many("abc")).values()} == {version}
        await until(lambda: first.cache._deleter is None)
        for key in "abc":
            second.cache.forget(key)
        assert {card.version for card in (await second.cache.get_many("abc")).values()} == {version}


async def test_what_was_being_read_when_a_node_heard_of_the_change_is_kept_nowhere(
    start: Start, source: Source
) -> None:
    first, second = await start(**LONG), await start(**LONG)
    source.open.clear()
    old = asyncio.create_task(first.cache.get("a"))
    await until(lambda: source.reads == 1)
    source.version = 2
    second.cache.forget("a")
    first.cache.forget("a")
    await until(lambda: first.cache._deleter is None and second.cache._deleter is None)
    source.open.set()
    assert await old == Card("a", 1)
    assert await first.cache.get("a") == await second.cache.get("a") == Card("a", 2)


async def test_what_is_heard_while_redis_is_away_is_forgotten_here(redis: RedisServer, source: Source) -> None:
    async with RedisProxy(redis) as proxy:
        node = await Node(redis, source, redis.prefix(), proxy.url, **LONG).start()
        assert await node.cache.get("a") == Card("a", 1)
        proxy.cut = True
        proxy.disconnect()
        source.version = 2
        node.cache.forget("a")
        assert await node.cache.get("a") == Card("a", 2)
        await node.close()
