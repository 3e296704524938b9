"""The broker of one process: what it groups, and what fails with a batch that fails."""

import asyncio

import pytest

from parlour.chat.adapters.memory import MemoryBroker
from parlour.chat.model import Appended
from parlour.platform.errors import InvalidRequest, Unavailable
from parlour.platform.ids import RoomId

from ...contract.brokers import Log, start, stop
from ...contract.room_logs import a_room, saying


async def test_what_waits_while_a_batch_is_under_way_is_the_next_in_order() -> None:
    broker, log = MemoryBroker(), Log()
    log.open.clear()
    running = asyncio.create_task(broker.run(log))
    commands = [saying(RoomId("one"), str(number)) for number in range(10)]
    first = start(broker, commands[:1])
    await log.begun.wait()
    rest = start(broker, commands[1:])
    await asyncio.sleep(0)
    assert len(log.batches) == 1, "one batch at a time"
    log.open.set()
    await asyncio.gather(*first, *rest)
    assert log.batches == [commands[:1], commands[1:]]
    await stop(running)


async def test_a_batch_has_a_largest_size() -> None:
    broker, log = MemoryBroker(largest=4), Log()
    tasks = start(broker, [saying(a_room()) for _ in range(10)])
    await asyncio.sleep(0)
    running = asyncio.create_task(broker.run(log))
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in log.batches] == [4, 4, 2]
    await stop(running)


async def test_a_batch_that_fails_answers_its_senders_and_the_next_goes_on() -> None:
    broker, log = MemoryBroker(), Log()
    running = asyncio.create_task(broker.run(log))
    log.failure = Unavailable()
    results = await asyncio.gather(*start(broker, [saying(a_room()) for _ in range(3)]), return_exceptions=True)
    assert results == [log.failure] * 3
    log.failure = None
    assert (await broker.submit(saying(a_room()))).event.seq == 1
    await stop(running)


async def test_what_waits_behind_a_batch_that_fails_fails_too_where_it_is_of_the_same_rooms() -> None:
    broker, log = MemoryBroker(largest=2), Log()
    log.open.clear()
    log.failure = Unavailable()
    running = asyncio.create_task(broker.run(log))
    commands = [saying(RoomId("one")) for _ in range(4)] + [saying(RoomId("two"))]
    pending = start(broker, commands)
    await log.begun.wait()
    log.open.set()
    results = await asyncio.gather(*pending[:4], return_exceptions=True)
    log.failure = None
    assert results == [results[0]] * 4
    assert (await broker.submit(saying(RoomId("one")))).event.seq == 1
    assert log.batches[0] == commands[:2]
    assert all(command not in batch for batch in log.batches for command in commands[2:4])
    await asyncio.gather(pending[4], return_exceptions=True)
    await stop(running)


async def test_what_waits_behind_a_command_that_found_the_log_away_fails_too() -> None:
    broker, log = MemoryBroker(largest=3), Log()
    running = asyncio.create_task(broker.run(log))
    commands = [saying(RoomId(name)) for name in ("one", "two", "three", "one", "two", "three")]
    log.away.add(commands[1].client_id)
    log.bad.add(commands[2].client_id)
    results = await asyncio.gather(*start(broker, commands), return_exceptions=True)
    assert [type(each) for each in results] == [Appended, Unavailable, InvalidRequest, Appended, Unavailable, Appended]
    assert log.batches == [commands[:3], [commands[3], commands[5]]]
    await stop(running)


async def test_when_it_is_stopped_what_was_accepted_is_finished_and_nothing_more_taken() -> None:
    broker, log = MemoryBroker(largest=1), Log()
    log.open.clear()
    running = asyncio.create_task(broker.run(log))
    tasks = start(broker, [saying(a_room()) for _ in range(3)])
    await log.begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await broker.submit(saying(a_room()))
    log.open.set()
    assert [each.event.seq for each in await asyncio.gather(*tasks)] == [1, 1, 1]
    with pytest.raises(asyncio.CancelledError):
        await running
