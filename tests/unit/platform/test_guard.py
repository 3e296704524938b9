"""The guard of an engine: what is repeated, when calls are refused, and that one finds out when it is there again."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import pytest

from parlour.platform.errors import Unavailable
from parlour.platform.guard import Guard


class EngineAway(Unavailable):
    """The engine is away."""

    code = "engine_away"


class Engine:
    """Fails as often as it is told to, and counts how often it was asked."""

    def __init__(self, failures: int = 0, error: Callable[[], Exception] = EngineAway) -> None:
        self.failures = failures
        self.error = error
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        if self.failures:
            self.failures -= 1
            raise self.error()
        return "answer"


def guard(*, rest: float = 0.05, timeout: float = 30, concurrent: int = 10, waiting: int = 10) -> Guard:
    return Guard("test", EngineAway, failures=3, rest=rest, timeout=timeout, concurrent=concurrent, waiting=waiting)


async def until_open(of: Guard) -> None:
    while not of.away:
        with pytest.raises(EngineAway):
            await of.call(Engine(1))


async def test_what_may_be_repeated_is() -> None:
    engine = Engine(2)
    assert await guard().call(engine, repeatable=True) == "answer"
    assert engine.asked == 3


async def test_what_may_not_be_repeated_is_not() -> None:
    engine = Engine(1)
    with pytest.raises(EngineAway):
        await guard().call(engine)
    assert engine.asked == 1


async def test_an_error_that_is_no_failure_of_the_engine_is_neither_repeated_nor_counted() -> None:
    of, engine = guard(), Engine(10, LookupError)
    for _ in range(5):
        with pytest.raises(LookupError):
            await of.call(engine, repeatable=True)
    assert engine.asked == 5
    assert not of.away


async def test_after_failures_in_a_row_calls_are_refused_at_once() -> None:
    of, engine = guard(rest=60), Engine()
    await until_open(of)
    for repeatable in (False, True):
        with pytest.raises(EngineAway) as refused:
            await of.call(engine, repeatable=repeatable)
        assert refused.value.retry_after == 60
    assert engine.asked == 0


async def test_a_success_in_between_begins_the_count_anew() -> None:
    of = guard()
    for _ in range(5):
        for _ in range(2):
            with pytest.raises(EngineAway):
                await of.call(Engine(1))
        await of.call(Engine())
    assert not of.away


async def test_after_its_rest_one_call_finds_out_and_the_others_wait_for_what_it_finds() -> None:
    of, go_on = guard(rest=0.01), asyncio.Event()
    await until_open(of)
    await asyncio.sleep(0.02)

    async def slowly() -> str:
        await go_on.wait()
        return "answer"

    probe = asyncio.create_task(of.call(slowly))
    await asyncio.sleep(0)
    with pytest.raises(EngineAway):
        await of.call(Engine())
    go_on.set()
    assert await probe == "answer"
    assert await of.call(Engine()) == "answer"


@pytest.mark.parametrize("fails", [EngineAway, asyncio.CancelledError])
async def test_a_probe_that_fails_or_is_cancelled_closes_nothing(fails: type[BaseException]) -> None:
    of = guard(rest=0.01)
    await until_open(of)
    await asyncio.sleep(0.02)

    async def fail() -> str:
        raise fails

    with pytest.raises(fails):
        await of.call(fail)
    assert of.away
    await asyncio.sleep(0.02)
    assert await of.call(Engine()) == "answer"
    assert not of.away


async def test_a_call_that_began_before_it_opened_changes_nothing() -> None:
    of, go_on = guard(rest=60), asyncio.Event()

    async def slowly() -> str:
        await go_on.wait()
        return "late"

    late = asyncio.create_task(of.call(slowly))
    await asyncio.sleep(0)
    await until_open(of)
    go_on.set()
    assert await late == "late"
    assert of.away


async def test_who_does_not_answer_in_time_has_failed() -> None:
    of = guard(timeout=0.01)
    with pytest.raises(EngineAway):
        await of.call(asyncio.Event().wait)


async def test_a_bounded_number_is_under_way_and_a_bounded_number_waits() -> None:
    of, go_on, under_way = guard(concurrent=2, waiting=3), asyncio.Event(), [0, 0]

    async def slowly() -> str:
        under_way[0] += 1
        under_way[1] = max(under_way)
        await go_on.wait()
        under_way[0] -= 1
        return "answer"

    calls: list[Awaitable[str]] = [asyncio.ensure_future(of.call(slowly)) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(EngineAway):
        await of.call(slowly)
    go_on.set()
    assert await asyncio.gather(*calls) == ["answer"] * 5
    assert under_way[1] == 2
    assert not of.away, "too many callers are no failure of the engine"


async def test_an_engine_that_answers_no_is_there() -> None:
    class Refused(EngineAway):
        """It does not want to."""

        code = "engine_refused"

    of = Guard("test", EngineAway, failures=2, is_failure=lambda error: not isinstance(error, Refused))
    engine = Engine(10, Refused)
    for _ in range(5):
        with pytest.raises(Refused):
            await of.call(engine, repeatable=True)
    assert engine.asked == 5
    assert not of.away


async def test_a_clock_that_goes_back_meanwhile_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    of, now = guard(), time.time
    await until_open(of)
    monkeypatch.setattr(time, "time", lambda: now() - 7200)
    async with asyncio.timeout(30):
        while of.away:
            with contextlib.suppress(EngineAway):
                assert await of.call(Engine()) == "answer"
            await asyncio.sleep(0.01)
