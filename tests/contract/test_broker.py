"""What every broker keeps: order, bounds, and an answer for everybody."""

import asyncio

import pytest

from parlour.chat.errors import Busy
from parlour.platform.errors import InvalidRequest

from .brokers import Log, Make, start, stop
from .room_logs import a_room, saying


async def test_each_sender_gets_the_event_of_their_command(make: Make) -> None:
    broker, log = await make(), Log()
    running = asyncio.create_task(broker.run(log))
    commands = [saying(a_room(), str(number)) for number in range(20)]
    answers = await asyncio.gather(*start(broker, commands))
    assert [each.event.client_id for each in answers] == [each.client_id for each in commands]
    await stop(running)


async def test_past_its_bound_it_is_busy_at_once_and_takes_more_later(make: Make) -> None:
    broker, log = await make(bound=3), Log()
    tasks = start(broker, [saying(a_room()) for _ in range(3)])
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refused:
        await broker.submit(saying(a_room()))
    assert refused.value.retry_after
    running = asyncio.create_task(broker.run(log))
    await asyncio.gather(*tasks)
    await broker.submit(saying(a_room()))
    await stop(running)


async def test_a_command_that_fails_alone_answers_its_sender_alone(make: Make) -> None:
    broker, log = await make(), Log()
    running = asyncio.create_task(broker.run(log))
    commands = [saying(a_room()) for _ in range(3)]
    log.bad.add(commands[1].client_id)
    results = await asyncio.gather(*start(broker, commands), return_exceptions=True)
    assert [isinstance(each, InvalidRequest) for each in results] == [False, True, False]
    await stop(running)


async def test_a_sender_who_leaves_undoes_nothing(make: Make) -> None:
    broker, log = await make(), Log()
    log.open.clear()
    running = asyncio.create_task(broker.run(log))
    left, stayed = start(broker, [saying(a_room()), saying(a_room())])
    await log.begun.wait()
    left.cancel()
    await asyncio.sleep(0)
    log.open.set()
    assert (await stayed).event.seq == 1
    await stop(running)


async def test_commands_of_one_room_are_worked_in_the_order_submitted_one_batch_at_a_time(make: Make) -> None:
    broker, log = await make(largest=16), Log()
    running = asyncio.create_task(broker.run(log))
    rooms = [a_room() for _ in range(3)]
    commands = [saying(rooms[number % 3], str(number)) for number in range(200)]
    await asyncio.gather(*start(broker, commands))
    worked = [command for batch in log.batches for command in batch]
    for room in rooms:
        assert [each.client_id for each in worked if each.room_id == room] == [
            each.client_id for each in commands if each.room_id == room
        ]
    assert max(len(batch) for batch in log.batches) <= 16
    assert log.most_at_once == 1
    await stop(running)
