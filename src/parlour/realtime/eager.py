"""Runs coroutine handlers: the first step at once, a task only for one that waits.

Most handlers of a chat server either never wait or wait for one thing. Giving each a task would delay its first step to the
next turn of the loop and cost a microsecond for nothing. Python 3.12 has eager tasks; 3.11, which we support, has not, and
there a task also exists before it is known whether it will be needed. So one real, unused `asyncio.Task` is kept parked.
While the first step runs, it *is* the current task, so that `asyncio.timeout`, `TaskGroup` and anyio, which hold on to
`current_task()`, are right about who runs. A coroutine that finishes leaves the parked task for the next one; a
coroutine that waits takes it over for good, and another is parked. Each coroutine runs in a copy of the context of its own.
"""

from __future__ import annotations

import asyncio
from asyncio import tasks
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from types import coroutine
from typing import Any

Done = Callable[[Any, BaseException | None], None]


class EagerRunner:
    """Starts coroutines on the loop of its first use. Keeps them referenced until they end."""

    __slots__ = ("_berth", "_loop", "_running")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop
        self._running: set[_Berth] = set()
        self._berth: _Berth | None = None

    def __len__(self) -> int:
        """How many coroutines wait for something."""
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, Any], done: Done) -> None:
        """Runs `work` up to its first wait. `done(result, exception)` is called when it ends, perhaps before this returns."""
        berth = self._berth
        if berth is None:
            self._loop = asyncio.get_running_loop()
            berth = self._berth = _Berth(self._loop)
        elif berth.task.cancelling() or berth.task.done():  # a handler cancelled itself and then did not wait
            berth = self._berth = _Berth(self._loop)
        context = copy_context()
        outer = tasks.current_task(self._loop)
        if outer is not None:  # called from within a task, as long-polling does
            tasks._leave_task(self._loop, outer)  # noqa: SLF001 - what asyncio's own eager start does
        tasks._enter_task(self._loop, berth.task)  # noqa: SLF001
        try:
            waiter = context.run(work.send, None)
        except StopIteration as stop:
            result, failure = stop.value, None
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:
            result, failure = None, exc
        else:
            self._running.add(berth)
            berth.occupy(_Job(work, context, waiter, done), self._running.discard)
            self._berth = _Berth(self._loop)
            return
        finally:
            tasks._leave_task(self._loop, berth.task)  # noqa: SLF001
            if outer is not None:
                tasks._enter_task(self._loop, outer)  # noqa: SLF001
        if failure is None:
            done(result, None)
        else:
            context.run(done, None, failure)  # what logs it sees the coroutine's context variables

    async def close(self) -> None:
        """Cancels what still waits, and waits for it to end."""
        ending = [berth.task for berth in self._running]
        if self._berth is not None:
            ending.append(self._berth.task)
            self._berth = None
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


class _Job:
    __slots__ = ("context", "done", "waiter", "work")

    def __init__(self, work: Coroutine[Any, Any, Any], context: Context, waiter: Any, done: Done) -> None:
        self.work = work
        self.context = context
        self.waiter = waiter
        self.done = done


class _Berth:
    """A parked task, and the job that it carries on once it is taken."""

    __slots__ = ("_arrival", "_begun", "job", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.job: _Job | None = None
        self._begun = False
        self._arrival: asyncio.Future[None] = loop.create_future()
        self.task = loop.create_task(self._run())

    def occupy(self, job: _Job, on_left: Callable[[_Berth], object]) -> None:
        self.job = job
        if not self._arrival.done():
            self._arrival.set_result(None)
        self.task.add_done_callback(lambda _: self._left(on_left))

    async def _run(self) -> None:
        cancelled: BaseException | None = None
        try:
            await self._arrival
        except asyncio.CancelledError as exc:  # aimed at the job, when there is one: a timeout that is already over
            if self.job is None:
                raise
            cancelled = exc
        job = self.job
        if job is None:  # cannot be: only `occupy` ends the wait without an exception
            return
        self._begun = True
        try:
            result = await _continue(job, cancelled)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:
            job.context.run(job.done, None, exc)
            if isinstance(exc, asyncio.CancelledError):
                raise
        else:
            job.done(result, None)

    def _left(self, on_left: Callable[[_Berth], object]) -> None:
        on_left(self)
        job = self.job
        if job is not None and not self._begun:  # cancelled before the task's own first step
            failure: BaseException = asyncio.CancelledError()
            try:
                job.context.run(job.work.throw, failure)
            except BaseException as exc:
                failure = exc
            job.work.close()
            job.context.run(job.done, None, failure)


@coroutine
def _continue(job: _Job, thrown: BaseException | None) -> Generator[Any, Any, Any]:
    """Drives a coroutine on from the future that its first step waits for.

    `waiter` still carries asyncio's mark of being awaited, so that yielding it hands it to the task as the coroutine's own
    `await` would have.
    """
    work, run, waiter = job.work, job.context.run, job.waiter
    while True:
        if thrown is None:
            try:
                yield waiter
            except BaseException as exc:
                thrown = exc
        try:
            if thrown is None:
                waiter = run(work.send, None)
            else:
                pending, thrown = thrown, None
                waiter = run(work.throw, pending)
        except StopIteration as stop:
            return stop.value
