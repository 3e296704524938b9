"""What every bus keeps: who hears a message, once and in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from parlour.platform.bus import Bus, MemoryBus
from parlour.platform.redis_bus import RedisBus
from parlour.realtime.redis_line import RedisLine

from ..redis_server import RedisProxy, RedisServer

Pair = tuple[Bus, Bus]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - whatever it is that comes to be
            await asyncio.sleep(0.005)


@pytest.fixture(params=["memory", "redis", "redis-two-nodes"])
async def buses(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """Where a message is published, and where it is heard."""
    if request.param == "memory":
        bus = MemoryBus()
        yield bus, bus
        return
    redis: RedisServer = request.getfixturevalue("redis")
    prefix = redis.prefix()
    lines = [RedisLine(redis.url, prefix=prefix) for _ in range(2)]
    for line in lines:
        await line.start()
    nodes = [RedisBus(line) for line in lines]
    yield nodes[0], nodes[1 if request.param == "redis-two-nodes" else 0]
    for node in nodes:
        await node.close()
    for line in lines:
        await line.close()


async def test_messages_reach_every_subscriber_once_in_the_order_published(buses: Pair) -> None:
    here, there = buses
    first: list[bytes] = []
    second: list[bytes] = []

    async def later(payload: bytes) -> None:
        await asyncio.sleep(0)
        second.append(payload)

    there.subscribe("topic", first.append)
    there.subscribe("topic", later)
    assert await there.settled()
    sent = [b"%d" % number for number in range(200)]
    for payload in sent:
        await here.publish("topic", payload)
    await until(lambda: len(second) >= len(sent))
    await here.publish("topic", b"end")
    await until(lambda: second[-1] == b"end")
    assert first == second == [*sent, b"end"]


async def test_local_handlers_have_run_when_publish_returns(buses: Pair) -> None:
    here, _ = buses
    heard: list[bytes] = []

    async def later(payload: bytes) -> None:
        await asyncio.sleep(0)
        heard.append(payload)

    here.subscribe("topic", later)
    await here.publish("topic", b"x")
    assert heard == [b"x"]


async def test_other_topics_are_not_heard(buses: Pair) -> None:
    here, there = buses
    heard: list[bytes] = []
    there.subscribe("topic", heard.append)
    assert await there.settled()
    await here.publish("topic.other", b"x")
    await here.publish("topic", b"end")
    await until(lambda: bool(heard))
    assert heard == [b"end"]


async def test_handler_that_raises_costs_the_others_nothing(buses: Pair, caplog: pytest.LogCaptureFixture) -> None:
    here, there = buses
    heard: list[bytes] = []

    def fail(_payload: bytes) -> None:
        raise ValueError("broken")

    async def fail_later(_payload: bytes) -> None:
        raise ValueError("broken later")

    there.subscribe("topic", fail)
    there.subscribe("topic", fail_later)
    there.subscribe("topic", heard.append)
    assert await there.settled()
    with caplog.at_level(logging.ERROR):
        await here.publish("topic", b"x")
        await here.publish("topic", b"y")
        await until(lambda: len(heard) == 2 and len(caplog.records) == 4)
    assert heard == [b"x", b"y"]
    assert {record.message for record in caplog.records} == {"bus handler failed"}


async def test_unsubscribing_twice_or_while_being_called_is_harmless(buses: Pair) -> None:
    here, there = buses
    heard: list[bytes] = []
    ends: list[bytes] = []

    def once(payload: bytes) -> None:
        heard.append(payload)
        stop()

    stop = there.subscribe("topic", once)
    other = there.subscribe("topic", heard.append)
    there.subscribe("end", ends.append)
    assert await there.settled()
    await here.publish("topic", b"a")
    await here.publish("topic", b"b")
    await until(lambda: len(heard) == 3)
    other()
    other()
    stop()
    await here.publish("topic", b"c")
    await here.publish("end", b"")
    await until(lambda: bool(ends))
    assert heard == [b"a", b"a", b"b"]
    there.subscribe("topic", heard.append)
    assert await there.settled()
    await here.publish("topic", b"d")
    await until(lambda: len(heard) == 4)


async def test_whoever_subscribes_later_missed_it(buses: Pair) -> None:
    """At most once; nothing is kept."""
    here, there = buses
    marks: list[bytes] = []
    heard: list[bytes] = []
    there.subscribe("mark", marks.append)
    assert await there.settled()
    await here.publish("topic", b"early")
    await here.publish("mark", b"")
    await until(lambda: bool(marks))
    there.subscribe("topic", heard.append)
    assert await there.settled()
    await here.publish("topic", b"late")
    await until(lambda: bool(heard))
    assert heard == [b"late"]


# Redis alone


async def test_without_redis_a_node_hears_itself_and_with_it_the_others_again(redis: RedisServer) -> None:
    prefix = redis.prefix()
    async with RedisProxy(redis) as proxy:
        lines = [RedisLine(proxy.url, prefix=prefix), RedisLine(redis.url, prefix=prefix)]
        here, there = (RedisBus(line) for line in lines)
        mine: list[bytes] = []
        theirs: list[bytes] = []
        gaps: list[None] = []
        here.subscribe("topic", mine.append)
        there.subscribe("topic", theirs.append)
        here.on_gap(lambda: gaps.append(None))
        for line in lines:
            await line.start()
        assert await here.settled()
        assert await there.settled()
        proxy.cut = True
        proxy.disconnect()
        while await here.settled():  # noqa: ASYNC110 - until the line knows that it was cut
            await asyncio.sleep(0.01)
        await here.publish("topic", b"alone")
        assert mine == [b"alone"]
        await there.publish("topic", b"not heard there")
        proxy.cut = False
        await until(lambda: bool(gaps))
        await here.publish("topic", b"back")
        await there.publish("topic", b"heard")
        await until(lambda: b"back" in theirs and b"heard" in mine)
        assert mine == [b"alone", b"back", b"heard"]
        assert theirs == [b"not heard there", b"heard", b"back"]
        for line in lines:
            await line.close()


async def test_a_handler_that_never_ends_costs_bounded_memory_and_no_other_topic(redis: RedisServer) -> None:
    prefix = redis.prefix()
    dropped: list[str] = []
    lines = [
        RedisLine(redis.url, prefix=prefix),
        RedisLine(redis.url, prefix=prefix, dropped=lambda *w: dropped.append(w[0])),
    ]
    here, there = (RedisBus(line) for line in lines)
    heard: list[bytes] = []

    async def never(_payload: bytes) -> None:
        await asyncio.Event().wait()

    there.subscribe("slow", never)
    there.subscribe("quick", heard.append)
    for line in lines:
        await line.start()
    assert await there.settled()
    for number in range(10_050):
        await here.publish("slow", b"%d" % number)
    await here.publish("quick", b"heard")
    await until(lambda: bool(heard))
    assert dropped == ["overflow"] * 49
    for bus in (here, there):
        await bus.close()
    for line in lines:
        await line.close()
