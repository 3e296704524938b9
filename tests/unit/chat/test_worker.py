"""The worker: tell before answering, fail only those who must, try again where it is safe."""

import logging
from collections.abc import Sequence

import pytest

from parlour.chat.model import Appended, EventType, NewEvent, RoomEvent
from parlour.chat.worker import Worker
from parlour.platform.errors import Internal, InvalidRequest, Unavailable
from parlour.platform.ids import EventId, RoomId, UserId, uuid7

from .doubles import FakeLog, a_client_id

ROOM = RoomId("lunch")


class Fanout:
    def __init__(self) -> None:
        self.told: list[tuple[int, float]] = []
        self.broken = False

    def committed(self, events: Sequence[RoomEvent], received: Sequence[float]) -> None:
        if self.broken:
            raise RuntimeError("broken")
        self.told += [(event.seq, at) for event, at in zip(events, received, strict=True)]


class Log(FakeLog):
    """Appends to one room; `failures` are raised first, one a call, and commands of `bad` text always."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Exception] = []
        self.calls = 0
        self.seen: dict[str, RoomEvent] = {}

    async def append(self, batch: Sequence[NewEvent]) -> list[Appended]:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        for each in batch:
            if "error" in each.data:
                raise each.data["error"]
        answers = []
        for new in batch:
            known = self.seen.get(new.client_id)
            event = known or RoomEvent(
                ROOM, len(self.seen) + 1, EventId(uuid7()), new.type, new.sender_id, new.client_id, 0, new.data
            )
            self.seen[new.client_id] = event
            answers.append(Appended(event, repeated=known is not None))
        return answers


class Bench:
    def __init__(self) -> None:
        self.log = Log()
        self.fanout = Fanout()
        self.slept: list[float] = []
        self.worker = Worker(self.log, self.fanout, sleep=self._sleep, chance=lambda: 1.0)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def command(received: float = 0.0, **data: object) -> NewEvent:
    return NewEvent(ROOM, EventType.MESSAGE_CREATED, UserId("ann"), a_client_id(), dict(data), received)


async def test_events_are_told_in_order_with_their_times_and_answered(bench: Bench) -> None:
    answers = await bench.worker.handle([command(1.0), command(2.0)])
    assert bench.fanout.told == [(1, 1.0), (2, 2.0)]
    assert [isinstance(each, Appended) for each in answers] == [True, True]


async def test_a_repeat_is_answered_and_not_told_again(bench: Bench) -> None:
    first = command()
    await bench.worker.handle([first])
    (answer,) = await bench.worker.handle([first])
    assert isinstance(answer, Appended)
    assert answer.repeated
    assert len(bench.fanout.told) == 1


async def test_a_log_that_is_away_for_a_moment_is_tried_again(bench: Bench) -> None:
    bench.log.failures = [Unavailable(), Unavailable()]
    assert len(await bench.worker.handle([command(), command()])) == 2
    assert bench.slept == [0.05, 0.2]


async def test_a_log_that_stays_away_fails_the_whole_batch(bench: Bench) -> None:
    bench.log.failures = [Unavailable()] * 3
    with pytest.raises(Unavailable):
        await bench.worker.handle([command(), command()])
    assert bench.log.calls == 3
    assert bench.fanout.told == []


@pytest.mark.parametrize(
    ("failure", "told"), [(InvalidRequest(), InvalidRequest), (RuntimeError("a bug"), Internal)], ids=["refusal", "bug"]
)
async def test_a_bad_command_fails_alone(bench: Bench, failure: Exception, told: type[Exception]) -> None:
    answers = await bench.worker.handle([command(), command(error=failure), command()])
    assert [type(each) for each in answers] == [Appended, told, Appended]
    assert [seq for seq, _ in bench.fanout.told] == [1, 2]


async def test_done_one_by_one_nothing_overtakes_what_found_the_log_away(bench: Bench) -> None:
    bench.log.failures = [RuntimeError("a bug")] + [Unavailable()] * 3
    answers = await bench.worker.handle([command(), command(), command()])
    assert [type(each) for each in answers] == [Unavailable] * 3
    assert bench.fanout.told == []


async def test_a_failure_is_logged_with_the_id_of_its_command(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bad = command(error=KeyError("data"))
    with caplog.at_level(logging.ERROR):
        await bench.worker.handle([command(), bad])
    (record,) = caplog.records
    assert (record.correlation_id, record.room_id) == (bad.client_id, ROOM)  # type: ignore[attr-defined]  # extras


async def test_a_fan_out_that_breaks_fails_nobody(bench: Bench) -> None:
    bench.fanout.broken = True
    (answer,) = await bench.worker.handle([command()])
    assert isinstance(answer, Appended)
