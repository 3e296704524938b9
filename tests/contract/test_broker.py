"""What every broker keeps: order, grouping, bounds, and an answer for everybody."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from parlour.chat.adapters.memory import MemoryBroker
from parlour.chat.errors import Busy
from parlour.chat.model import Appended, NewEvent, RoomEvent
from parlour.chat.ports import Broker, Pending
from parlour.platform.errors import InvalidRequest, ParlourError, Unavailable
from parlour.platform.ids import EventId, RoomId, uuid7

from .room_logs import a_room, saying

BROKERS: dict[str, Callable[..., Broker]] = {"memory": MemoryBroker}


@pytest.fixture(params=list(BROKERS))
def make(request: pytest.FixtureRequest) -> Callable[..., Broker]:
    return BROKERS[request.param]


class Log:
    """A worker that can be held up, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[NewEvent]] = []
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.bad: set[str] = set()
        self.away: set[str] = set()

    async def __call__(self, batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        self.batches.append(list(batch))
        self.begun.set()
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        errors: dict[str, ParlourError] = {each: InvalidRequest() for each in self.bad}
        errors.update({each: Unavailable() for each in self.away})
        return [errors.get(each.client_id) or answer(each) for each in batch]


def answer(new: NewEvent) -> Appended:
    return Appended(RoomEvent(new.room_id, 1, EventId(uuid7()), new.type, new.sender_id, new.client_id, 0, new.data))


def start(broker: Broker, commands: Sequence[NewEvent]) -> list[Pending]:
    return [broker.submit(command) for command in commands]


async def stop(running: asyncio.Task[None]) -> None:
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_each_sender_gets_the_event_of_their_command(make: Callable[..., Broker]) -> None:
    broker, log = make(), Log()
    running = asyncio.create_task(broker.run(log))
    commands = [saying(a_room(), str(number)) for number in range(20)]
    answers = await asyncio.gather(*start(broker, commands))
    assert [each.event.client_id for each in answers] == [each.client_id for each in commands]
    await stop(running)


async def test_what_waits_while_a_batch_is_under_way_is_the_next_in_order(make: Callable[..., Broker]) -> None:
    broker, log = make(), Log()
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


async def test_a_batch_has_a_largest_size(make: Callable[..., Broker]) -> None:
    broker, log = make(largest=4), Log()
    tasks = start(broker, [saying(a_room()) for _ in range(10)])
    await asyncio.sleep(0)
    running = asyncio.create_task(broker.run(log))
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in log.batches] == [4, 4, 2]
    await stop(running)


async def test_past_its_bound_it_is_busy_at_once_and_takes_more_later(make: Callable[..., Broker]) -> None:
    broker, log = make(bound=3), Log()
    tasks = start(broker, [saying(a_room()) for _ in range(3)])
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refused:
        await broker.submit(saying(a_room()))
    assert refused.value.retry_after
    running = asyncio.create_task(broker.run(log))
    await asyncio.gather(*tasks)
    await broker.submit(saying(a_room()))
    await stop(running)


async def test_a_batch_that_fails_answers_its_senders_and_the_next_goes_on(make: Callable[..., Broker]) -> None:
    broker, log = make(), Log()
    running = asyncio.create_task(broker.run(log))
    log.failure = Unavailable()
    results = await asyncio.gather(*start(broker, [saying(a_room()) for _ in range(3)]), return_exceptions=True)
    assert results == [log.failure] * 3
    log.failure = None
    assert (await broker.submit(saying(a_room()))).event.seq == 1
    await stop(running)


async def test_what_waits_behind_a_batch_that_fails_fails_too_where_it_is_of_the_same_rooms(
    make: Callable[..., Broker],
) -> None:
    broker, log = make(largest=2), Log()
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


async def test_what_waits_behind_a_command_that_found_the_log_away_fails_too(make: Callable[..., Broker]) -> None:
    broker, log = make(largest=3), Log()
    running = asyncio.create_task(broker.run(log))
    commands = [saying(RoomId(name)) for name in ("one", "two", "three", "one", "two", "three")]
    log.away.add(commands[1].client_id)
    log.bad.add(commands[2].client_id)
    results = await asyncio.gather(*start(broker, commands), return_exceptions=True)
    assert [type(each) for each in results] == [Appended, Unavailable, InvalidRequest, Appended, Unavailable, Appended]
    assert log.batches == [commands[:3], [commands[3], commands[5]]]
    await stop(running)


async def test_a_command_that_fails_alone_answers_its_sender_alone(make: Callable[..., Broker]) -> None:
    broker, log = make(), Log()
    running = asyncio.create_task(broker.run(log))
    commands = [saying(a_room()) for _ in range(3)]
    log.bad.add(commands[1].client_id)
    results = await asyncio.gather(*start(broker, commands), return_exceptions=True)
    assert [isinstance(each, InvalidRequest) for each in results] == [False, True, False]
    await stop(running)


async def test_a_sender_who_leaves_undoes_nothing(make: Callable[..., Broker]) -> None:
    broker, log = make(), Log()
    log.open.clear()
    running = asyncio.create_task(broker.run(log))
    left, stayed = start(broker, [saying(a_room()), saying(a_room())])
    await log.begun.wait()
    left.cancel()
    await asyncio.sleep(0)
    log.open.set()
    assert (await stayed).event.seq == 1
    await stop(running)


async def test_when_it_is_stopped_what_was_accepted_is_finished_and_nothing_more_taken(
    make: Callable[..., Broker],
) -> None:
    broker, log = make(largest=1), Log()
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
