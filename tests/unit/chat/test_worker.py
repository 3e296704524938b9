"""The worker: tell before answering, fail only those who must, try again where it is safe."""

import logging
from collections.abc import Sequence

import pytest

from parlour.chat import worker
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
        self.known = True

    def head_of(self, _room_id: RoomId) -> int | None:
        return max([0, *(seq for seq, _ in self.told)]) if self.known else None

    def committed(self, events: Sequence[RoomEvent], received: Sequence[float]) -> None:
        if self.broken:
            raise RuntimeError("broken")
        self.told += [(event.seq, at) for event, at in zip(events, received, strict=True)]


class Log(FakeLog):
    """Appends to one room; `failures` are raised first, one a call, and commands of `bad` text always."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Exception] = []
        self.durable_all_the_same = False
        self.calls = 0
        self.seen: dict[str, RoomEvent] = {}

    async def append(self, batch: Sequence[NewEvent]) -> list[Appended]:
        self.calls += 1
        if self.failures:
            if self.durable_all_the_same:
                self._write(batch)
            raise self.failures.pop(0)
        for each in batch:
            if "error" in each.data:
                raise each.data["error"]
        return self._write(batch)

    async def events(self, room_id: RoomId, after: int, upto: int, max_bytes: int | None = None) -> list[RoomEvent]:
        self.log[room_id] = list(self.seen.values())
        return await super().events(room_id, after, upto, max_bytes)

    def _write(self, batch: Sequence[NewEvent]) -> list[Appended]:
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
        self.worker = Worker(self.log, self.fanout, self.fanout.head_of, sleep=self._sleep, chance=lambda: 1.0)

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


@pytest.mark.parametrize("known", [True, False], ids=["head known", "head unknown"])
async def test_what_a_failed_attempt_wrote_is_told_by_the_next_and_nothing_twice(bench: Bench, known: bool) -> None:
    old, one, two = command(), command(1.0), command(2.0)
    await bench.worker.handle([old])
    bench.fanout.known = known
    bench.log.failures, bench.log.durable_all_the_same = [Unavailable()], True
    answers = await bench.worker.handle([one, two] if not known else [one, old, two])
    assert [getattr(each, "repeated", None) for each in answers] == [True] * len(answers)
    assert bench.fanout.told == [(1, 0.0), (2, 1.0), (3, 2.0)]


async def test_what_was_written_by_a_batch_that_failed_is_told_in_order_when_one_of_it_is_repeated(
    bench: Bench,
) -> None:
    await bench.worker.handle([command()])
    batch = [command() for _ in range(3)]
    bench.log.failures, bench.log.durable_all_the_same = [Unavailable()] * 3, True
    with pytest.raises(Unavailable):
        await bench.worker.handle(batch)
    assert len(bench.fanout.told) == 1
    for each in (batch[1], batch[0], batch[2], batch[1]):
        (answer,) = await bench.worker.handle([each])
        assert isinstance(answer, Appended)
        assert answer.repeated
    assert [seq for seq, _ in bench.fanout.told] == [1, 2, 3, 4]


async def test_what_was_written_by_a_batch_that_failed_is_told_before_the_next_event(bench: Bench) -> None:
    bench.log.failures, bench.log.durable_all_the_same = [Unavailable()] * 3, True
    with pytest.raises(Unavailable):
        await bench.worker.handle([command(1.0)])
    await bench.worker.handle([command(2.0), command(3.0)])
    await bench.worker.handle([command(4.0)])
    assert bench.fanout.told == [(1, 0.0), (2, 2.0), (3, 3.0), (4, 4.0)]


async def test_where_too_much_was_not_told_clients_find_the_gap(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MAX_UNTOLD", 0)
    bench.log.failures, bench.log.durable_all_the_same = [Unavailable()] * 3, True
    with pytest.raises(Unavailable):
        await bench.worker.handle([command()])
    await bench.worker.handle([command()])
    assert [seq for seq, _ in bench.fanout.told] == [2]


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
