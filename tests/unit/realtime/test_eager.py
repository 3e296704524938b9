"""Coroutine handlers: first step at once, a task only for those that wait."""

import asyncio
from contextvars import ContextVar
from typing import Any

from parlour.realtime.eager import EagerRunner

Ended = list[tuple[Any, BaseException | None]]


def starting() -> tuple[EagerRunner, Ended]:
    return EagerRunner(), []


async def test_one_that_never_waits_has_ended_when_start_returns() -> None:
    runner, ended = starting()
    tasks = set()

    async def work() -> int:
        tasks.add(asyncio.current_task())
        return 3

    for _ in range(3):
        runner.start(work(), lambda *end: ended.append(end))
    assert ended == [(3, None)] * 3
    assert len(tasks) == 1  # the parked task, which none of them used up
    assert len(runner) == 0
    await runner.close()


async def test_one_that_waits_runs_as_one_task_from_its_first_step_on(until: Any) -> None:
    runner, ended = starting()
    seen = []
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        seen.append(asyncio.current_task())
        result = await gate
        seen.append(asyncio.current_task())
        return result

    outer = asyncio.current_task()
    runner.start(work(), lambda *end: ended.append(end))
    assert asyncio.current_task() is outer
    assert len(seen) == 1
    gate.set_result("done")
    await until(lambda: ended)
    assert ended == [("done", None)]
    assert seen[0] is seen[1] is not outer
    await runner.close()


async def test_a_timeout_entered_in_the_first_step_works(until: Any) -> None:
    for delay in (0.0, 0.01):
        runner, ended = starting()

        async def work(delay: float = delay) -> str:
            try:
                async with asyncio.timeout(delay):
                    await asyncio.sleep(60)
            except TimeoutError:
                await asyncio.sleep(0)
                return "timed out"
            return "slept"

        runner.start(work(), lambda *end, ended=ended: ended.append(end))
        await until(lambda ended=ended: ended)
        assert ended == [("timed out", None)]
        await runner.close()


async def test_a_task_group_entered_in_the_first_step_works(until: Any) -> None:
    runner, ended = starting()

    async def work() -> int:
        async with asyncio.TaskGroup() as group:
            one = group.create_task(asyncio.sleep(0, 1))
            two = group.create_task(asyncio.sleep(0.001, 2))
        return one.result() + two.result()

    runner.start(work(), lambda *end: ended.append(end))
    await until(lambda: ended)
    assert ended == [(3, None)]
    await runner.close()


async def test_context_is_its_own_from_beginning_to_end(until: Any) -> None:
    runner, ended = starting()
    variable: ContextVar[str] = ContextVar("variable", default="outside")

    async def work() -> str:
        token = variable.set("inside")
        await asyncio.sleep(0)
        value = variable.get()
        variable.reset(token)
        return value

    runner.start(work(), lambda *end: ended.append(end))
    assert variable.get() == "outside"
    await until(lambda: ended)
    assert ended == [("inside", None)]
    await runner.close()


async def test_failures_reach_whoever_asked(until: Any) -> None:
    runner, ended = starting()
    failure = ValueError("no")

    async def work(waits: bool) -> None:
        if waits:
            await asyncio.sleep(0)
        raise failure

    for waits in (False, True):
        runner.start(work(waits), lambda *end: ended.append(end))
    await until(lambda: len(ended) == 2)
    assert ended == [(None, failure)] * 2
    await runner.close()


async def test_failures_are_told_in_the_context_of_their_coroutine(until: Any) -> None:
    """So that a log line about one carries the correlation id that its handler set; whoever ends well pays nothing."""
    runner = EagerRunner()
    variable: ContextVar[str] = ContextVar("variable", default="outside")
    seen: list[str] = []

    async def work(waits: bool) -> None:
        variable.set("inside")
        if waits:
            await asyncio.sleep(0)
        raise ValueError("no")

    for waits in (False, True):
        runner.start(work(waits), lambda *_: seen.append(variable.get()))
    await until(lambda: len(seen) == 2)
    assert seen == ["inside"] * 2
    await runner.close()


async def test_closing_cancels_what_waits() -> None:
    runner, ended = starting()
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(True)

    runner.start(work(), lambda *end: ended.append(end))
    runner.start(work(), lambda *end: ended.append(end))  # its task has not had a step of its own yet
    await runner.close()
    assert [type(failure) for _, failure in ended] == [asyncio.CancelledError] * 2
    assert cleaned == [True, True]
    assert len(runner) == 0


async def test_one_that_cancels_itself_is_cancelled_at_its_first_wait(until: Any) -> None:
    runner, ended = starting()
    after: Ended = []

    async def work(waits: bool) -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if waits:
            await asyncio.sleep(60)
        return "ended"

    async def innocent() -> str:
        await asyncio.sleep(0)
        return "unharmed"

    runner.start(work(waits=False), lambda *end: ended.append(end))
    assert ended == [("ended", None)]
    runner.start(innocent(), lambda *end: after.append(end))
    runner.start(work(waits=True), lambda *end: ended.append(end))
    await until(lambda: len(ended) == 2 and after)
    assert isinstance(ended[1][1], asyncio.CancelledError)
    assert after == [("unharmed", None)]
    await runner.close()
