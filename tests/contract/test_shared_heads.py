"""Heads in real Redis before a real log: nobody who heard of an event reads a head below it, and none ever goes back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import pytest

from parlour.chat.adapters.redis_heads import LIFETIME, RedisHeads
from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.model import Tail
from parlour.chat.service.heads import Heads
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId
from parlour.platform.metrics import CACHE_LOOKUPS
from parlour.platform.redis import RedisEngine
from parlour.realtime.redis_line import RedisLine

from ..redis_server import RedisProxy, RedisServer
from .room_logs import START, StillClock, a_room, saying

COMES = 30.0
"""Seconds in which something has to come on the busiest machine."""


class CountedLog(SqliteRoomLog):
    """A log that counts how often it is asked for heads, and lets answers pass a gate."""

    reads = 0
    gate: asyncio.Event

    async def tails(self, room_ids: Iterable[RoomId]) -> dict[RoomId, Tail]:
        self.reads += 1
        found = await super().tails(room_ids)
        await self.gate.wait()
        return found


class Node:
    """What a process has of heads, as the composition root puts it together; `hears` is what it was told of."""

    def __init__(self, log: CountedLog, url: str, prefix: str) -> None:
        self.log = log
        self.line = RedisLine(url, prefix=prefix)
        self.engine = RedisEngine(url, prefix=prefix, name="redis-cache", timeout=0.2, connections=8, failures=2)
        self.shared = RedisHeads(self.engine, self.line, SystemClock(), trusted=lambda: self.line.connected)
        self.heads = Heads(log, shared=self.shared)
        self.heard: list[int] = []
        self.line.subscribe("room", lambda payload: self.heard.append(int(payload)))

    async def start(self) -> "Node":
        await self.line.start()
        assert await self.line.settled()
        return self

    async def stop(self) -> None:
        await self.line.close()
        await self.engine.close()

    async def say(self, room: RoomId) -> int:
        """Do as a worker does: append, raise the head, tell."""
        (answer,) = await self.log.append([saying(room)])
        self.heads.committed([answer.event])
        self.line.publish(["room"], str(answer.event.seq).encode())
        return answer.event.seq

    async def head(self, room: RoomId) -> int:
        return (await self.heads.of([room]))[room]


class House:
    """Nodes of one cluster over one log."""

    def __init__(self, log: CountedLog, redis: RedisServer) -> None:
        self.log, self.redis, self.prefix = log, redis, redis.prefix()
        self.nodes: list[Node] = []

    async def node(self, url: str = "") -> Node:
        self.nodes.append(Node(self.log, url or self.redis.url, self.prefix))
        return await self.nodes[-1].start()


@pytest.fixture
async def house(redis: RedisServer, tmp_path: Path) -> AsyncIterator[House]:
    log = await CountedLog.open(tmp_path / "messages.db", StillClock())
    assert isinstance(log, CountedLog)
    log.gate = asyncio.Event()
    log.gate.set()
    house = House(log, redis)
    yield house
    for node in house.nodes:
        await node.stop()
    await log.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(COMES):
        while not condition():  # noqa: ASYNC110 - a line tells nobody
            await asyncio.sleep(0.002)


async def test_what_one_node_read_another_has_from_redis_and_both_outcomes_count(house: House) -> None:
    one, two = await house.node(), await house.node()
    room, empty = a_room(), a_room()
    await house.log.append([saying(room)])

    def count(outcome: str) -> float:
        return CACHE_LOOKUPS.labels("heads", "redis", outcome)._value.get()

    before = count("hit"), count("miss")
    for node in (one, two):
        assert await node.heads.tails([room, empty]) == {room: Tail(1, START), empty: Tail()}
    assert house.log.reads == 1
    assert (count("hit") - before[0], count("miss") - before[1]) == (2, 2)


async def test_many_who_ask_together_ask_once(house: House) -> None:
    node, room = await house.node(), a_room()
    await house.log.append([saying(room)])
    house.log.gate.clear()
    asking = [asyncio.create_task(node.head(room)) for _ in range(50)]
    await until(lambda: house.log.reads == 1)
    house.log.gate.set()
    assert await asyncio.gather(*asking) == [1] * 50
    assert house.log.reads == 1


async def test_who_heard_of_an_event_reads_no_head_below_it(house: House) -> None:
    worker, other, room = await house.node(), await house.node(), a_room()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(100):
        seq = await worker.say(room)
        assert await worker.head(room) == seq  # which answers its own senders before Redis has heard
        await until(lambda seq=seq: other.heard[-1:] == [seq])
        assert await other.head(room) == seq
    assert house.log.reads <= 2 * (1 + (loop.time() - begun) / LIFETIME)


async def test_a_head_that_was_read_before_a_raise_does_not_undo_it(house: House) -> None:
    worker, slow, room = await house.node(), await house.node(), a_room()
    await worker.say(room)
    await until(lambda: slow.heard == [1])
    house.redis.command("FLUSHALL")
    house.log.gate.clear()
    reading = asyncio.create_task(slow.head(room))
    await until(lambda: house.log.reads == 1)
    await worker.say(room)
    await until(lambda: slow.heard[-1:] == [2])
    house.log.gate.set()
    assert await reading == 1  # it was so when it asked
    assert await slow.head(room) == 2
    worker.shared.committed({room: Tail(1, START)})  # a repeat of the first command
    worker.line.publish(["room"], b"3")
    await until(lambda: slow.heard[-1:] == [3])
    assert await slow.head(room) == 2


async def test_a_repeat_of_an_old_command_lowers_no_head_that_nobody_remembers(house: House) -> None:
    before, room = await house.node(), a_room()
    for _ in range(3):
        await before.say(room)
    worker, other = await house.node(), await house.node()  # which have not worked any of them
    house.redis.command("FLUSHALL")
    worker.heads.committed([(await house.log.events(room, 0, 1))[0]])
    worker.line.publish(["room"], b"1")
    await until(lambda: other.heard == [1])
    for node in (other, worker):
        assert await node.head(room) == 3


async def test_what_took_longer_to_read_than_it_is_remembered_is_not_filled_in(house: House) -> None:
    node, room = await house.node(), a_room()
    begun = node.shared.begin()
    await node.shared.put({room: Tail(1, START)}, begun - LIFETIME)
    assert await node.shared.get([room]) == {}
    await node.shared.put({room: Tail(1, START)}, begun)
    assert await node.shared.get([room]) == {room: Tail(1, START)}


async def test_what_began_to_be_read_before_a_raise_is_not_filled_in_however_long_ago_the_one_before_was(
    house: House,
) -> None:
    worker, reader, room = await house.node(), await house.node(), a_room()
    least = worker.engine.key("head-least", room)
    await worker.say(room)
    await until(lambda: reader.heard == [1])
    assert house.redis.command("PEXPIRE", least, "500") == ":1\r\n"  # the raise was long ago
    begun = reader.shared.begin()
    await worker.say(room)
    await until(lambda: reader.heard[-1:] == [2])
    await asyncio.sleep(0.6)
    await reader.shared.put({room: Tail(1, START)}, begun)
    assert await reader.shared.get([room]) == {}
    assert await reader.head(room) == 2


async def test_a_redis_that_takes_no_writes_is_no_gap(house: House) -> None:
    worker, other, room = await house.node(), await house.node(), a_room()
    gaps: list[None] = []
    other.line.on_gap(lambda: gaps.append(None))
    await worker.say(room)
    assert await other.head(room) == 1
    house.redis.command("CONFIG", "SET", "maxmemory", "1")
    try:
        for seq in (2, 3):
            assert await worker.say(room) == seq
            await until(lambda seq=seq: other.heard[-1:] == [seq])
        assert gaps == []
        assert worker.line.connected
    finally:
        house.redis.command("CONFIG", "SET", "maxmemory", "0")


async def test_emptying_redis_costs_a_look_at_the_log(house: House) -> None:
    worker, other, room = await house.node(), await house.node(), a_room()
    await worker.say(room)
    await until(lambda: other.heard == [1])
    house.redis.command("FLUSHALL")
    assert await other.head(room) == 1
    assert house.log.reads == 1


async def test_what_redis_holds_is_checked(house: House) -> None:
    node, room = await house.node(), a_room()
    await house.log.append([saying(room)])
    for garbage in ("garbage", "1", "-1 2 3", ""):
        house.redis.command("SET", node.engine.key("head", room), garbage, "PX", "60000")
        assert await node.head(room) == 1


async def test_while_redis_stands_still_the_log_is_asked_and_soon_without_asking_redis_first(house: House) -> None:
    worker, other, room = await house.node(), await house.node(), a_room()
    await worker.say(room)
    await until(lambda: other.heard == [1])
    with house.redis.frozen():
        await worker.say(room)
        assert await other.head(room) == 2
        await until(lambda: not other.line.connected)
        calls = other.engine._guard._breaker  # whose state nobody changes who does not ask
        state = calls.state
        assert await other.head(room) == 2
        assert calls.state == state
    await until(lambda: other.line.connected and other.heard[-1:] == [2])
    assert await other.head(room) == 2


async def test_a_worker_that_cannot_reach_redis_has_nobody_believe_what_it_could_not_raise(house: House) -> None:
    other, room = await house.node(), a_room()
    async with RedisProxy(house.redis) as proxy:
        worker = await house.node(proxy.url)
        await worker.say(room)
        await until(lambda: other.heard == [1])
        proxy.cut = True
        proxy.disconnect()
        await until(lambda: not worker.line.connected)
        await worker.say(room)
        assert (await other.heads.sure([room]))[room] == 2  # who holds the second event asks so
        assert await other.head(room) == 2  # and has told all others
        await worker.say(room)
        proxy.cut = False
        await until(lambda: worker.line.connected)
        await until(other.shared._in_doubt)
        assert await other.head(room) == 3
        await worker.line.close()


async def test_a_lost_raise_is_found_out_when_its_lifetime_is_over(house: House) -> None:
    node, room = await house.node(), a_room()
    await node.say(room)
    assert await node.head(room) == 1
    await house.log.append([saying(room)])  # by somebody of whom nothing was ever heard
    begun = asyncio.get_running_loop().time()
    stale = asked = begun
    async with asyncio.timeout(COMES):
        while await node.head(room) == 1:
            stale = asked
            await asyncio.sleep(0.05)
            asked = asyncio.get_running_loop().time()
    assert stale - begun <= LIFETIME + 0.2
    assert await node.head(room) == 2


@pytest.mark.parametrize("known", [1, 0])
async def test_a_client_that_holds_more_than_redis_knows_is_believed(house: House, known: int) -> None:
    node, room = await house.node(), a_room()
    await house.log.append([saying(room) for _ in range(3)])
    await node.shared.put({room: Tail(known, START)}, node.shared.begin())
    assert await node.head(room) == known
    assert await node.heads.sure([room]) == {room: 3}
    assert await node.head(room) == 3
