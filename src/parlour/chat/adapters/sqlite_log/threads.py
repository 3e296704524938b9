"""Threads that own connections: what the loop asks of SQLite runs there, in order, bounded in number and in time."""

import asyncio
import logging
import math
import os
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple, TypeVar

from parlour.platform.errors import ParlourError, Unavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PROGRESS = 20_000
"""SQLite instructions between two looks at the clock: about a millisecond."""


class _Job(NamedTuple):
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    asked: float


class _Signal(Enum):
    WAKE = auto()
    END = auto()


class Threads:
    """A thread for each connection, and one queue before them all.

    Failure: what SQLite or the system raises leaves as `Unavailable`, as does a full queue and whatever takes longer
    than `timeout` seconds, waiting included (None: as long as it takes). `upkeep(quiet)`, where given, is called after
    every job, and with True when the queue was empty for the seconds that it returned last; None: after the next job.
    `nice` is added to the threads' niceness (on Linux, where threads have one), so that they give way to the others.
    With a `timeout`, work whose caller has gone is interrupted; without, it is finished.
    """

    def __init__(
        self,
        name: str,
        connections: Sequence[sqlite3.Connection],
        *,
        bound: int = 1_000,
        timeout: float | None = None,
        upkeep: Callable[[bool], float | None] | None = None,
        nice: int = 0,
    ) -> None:
        self._bound = bound
        self._timeout = timeout
        self._upkeep = upkeep
        self._nice = nice
        self._jobs: queue.SimpleQueue[_Job | _Signal] = queue.SimpleQueue()
        self._closed = False
        self._running: dict[asyncio.Future[Any], sqlite3.Connection] = {}
        self._interrupting = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(connection,), name=f"{name}-{number}", daemon=True)
            for number, connection in enumerate(connections)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return `work(connection, *arguments)`, done in one of the threads.

        Raises:
            Unavailable: the queue is full, the time is up, or SQLite raised.
        """
        if self._closed or self._jobs.qsize() >= self._bound:
            raise Unavailable(retry_after=1, details={"reason": "closed" if self._closed else "busy"})
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(loop, future, work, arguments, time.monotonic()))
        try:
            return await future
        except asyncio.CancelledError:
            if self._timeout is not None:
                self._interrupt(future)
            raise

    def poke(self) -> None:
        """Wake a thread that waits for work, so that its `upkeep` is called; from the loop."""
        self._jobs.put(_Signal.WAKE)

    async def close(self) -> None:
        """Finish what was asked for, end the threads and close their connections."""
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._jobs.put(_Signal.END)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _interrupt(self, future: "asyncio.Future[Any]") -> None:
        # The progress handler is not asked while FTS5 walks its lists; an interruption is noticed there.
        with self._interrupting:
            connection = self._running.get(future)
            if connection is not None:
                connection.interrupt()

    def _run(self, connection: sqlite3.Connection) -> None:
        if self._nice and sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._nice)
        due = math.inf
        job: _Job | _Signal = _Signal.WAKE

        def give_up() -> bool:
            return time.monotonic() > due or (isinstance(job, _Job) and job.future.cancelled())

        if self._timeout is not None:
            connection.set_progress_handler(give_up, _PROGRESS)
        wait = self._keep_up(quiet=True)
        while job is not _Signal.END:
            try:
                job = self._jobs.get(timeout=wait)
            except queue.Empty:
                wait = self._keep_up(quiet=True)
                continue
            if isinstance(job, _Job):
                if not job.future.cancelled():
                    due = job.asked + self._timeout if self._timeout is not None else math.inf
                    self._do(job, connection, due)
                    due = math.inf
                job = _Signal.WAKE  # a job holds what was returned
            if job is not _Signal.END:
                wait = self._keep_up(quiet=False)
        try:
            connection.close()
        except sqlite3.Error:
            logger.warning("closing a connection failed", exc_info=True)

    def _do(self, job: _Job, connection: sqlite3.Connection, due: float) -> None:
        if self._timeout is None:
            _do(job, connection, due)
            return
        with self._interrupting:
            self._running[job.future] = connection
        _do(job, connection, due)
        with self._interrupting:
            del self._running[job.future]

    def _keep_up(self, *, quiet: bool) -> float | None:
        if self._upkeep is None:
            return None
        try:
            return self._upkeep(quiet)
        except Exception:
            logger.warning("upkeep of the room log failed", exc_info=True)
            return 1.0


def _do(job: _Job, connection: sqlite3.Connection, due: float) -> None:
    result: Any = None
    failure: Exception | None = None
    try:
        if time.monotonic() > due:
            raise TimeoutError("waited too long for a thread")
        result = job.work(connection, *job.arguments)
    except ParlourError as error:
        failure = error
    except (sqlite3.Error, OSError, MemoryError) as error:
        logger.warning("the room log failed: %s", error)
        failure = Unavailable(retry_after=1)
        failure.__cause__ = error
    except Exception as error:
        failure = error
    try:
        job.loop.call_soon_threadsafe(_settle, job.future, result, failure)
    except RuntimeError:  # the loop was closed; nobody waits any more
        logger.debug("an answer came after the loop was closed")


def _settle(future: "asyncio.Future[Any]", result: Any, failure: Exception | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)
