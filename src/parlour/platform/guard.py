"""Calls to an engine: bounded in number and time, repeated where that is safe, refused at once while it is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import stamina
from purgatory.domain.model import CLOSED, Context, HalfOpenedState, OpenedState, State

from parlour.platform import metrics
from parlour.platform.errors import Unavailable

T = TypeVar("T")

stamina.instrumentation.set_on_retry_hooks(())  # told by our own metric

ATTEMPTS = 3
"""Of what may be repeated: the first and two more."""

FIRST_DELAY = 0.05
LONGEST_DELAY = 1.0
"""Seconds before an attempt is repeated: doubled each time, and up to as much again by chance, so that callers spread."""


class _Open(OpenedState):
    """Refuses until the rest is over by the clock that never goes back; the library's own goes by the wall clock."""

    def __init__(self, engine: str) -> None:
        super().__init__(engine)
        self._since = time.monotonic()

    def handle_new_request(self, context: Context) -> None:
        """Let one through once the rest is over.

        Raises:
            OpenedState: it is not.
        """
        if time.monotonic() <= self._since + context.ttl:
            raise OpenedState(context.name)
        context.set_state(HalfOpenedState())


class _Breaker(Context):
    """A breaker on which jumps of the wall clock have no effect."""

    def set_state(self, state: State) -> None:
        """Enter a state."""
        super().set_state(_Open(self.name) if isinstance(state, OpenedState) else state)


class Guard:
    """What stands between the calls of this process and one engine.

    The adapter translates what its driver raises into `Unavailable`; only that counts as a failure, and only where it is one by
    `is_failure`: an engine that answers "no" is there. After `failures` in a row every
    call is refused at once with `retry_after` for `rest` seconds; then one call is let through to see (the others go on being
    refused), and when it succeeds all are. At most `concurrent` calls are under way, and at most `waiting` wait for their turn: one
    engine that hangs costs no other its callers. What the breaker or the bulkhead refuses was not begun.
    """

    def __init__(
        self,
        engine: str,
        error: type[Unavailable],
        *,
        timeout: float = 10.0,
        concurrent: int = 100,
        waiting: int = 10_000,
        failures: int = 5,
        rest: float = 1.0,
        is_failure: Callable[[Unavailable], bool] = lambda _: True,
    ) -> None:
        """Name the engine, as metrics and logs do; `timeout` in seconds bounds each attempt, `error` is what a refusal raises."""
        self._engine = engine
        self._error = error
        self._timeout = timeout
        self._turns = asyncio.Semaphore(concurrent)
        self._waiting = 0
        self._most_waiting = waiting
        self._rest = rest
        self._is_failure = is_failure
        self._breaker = _Breaker(engine, failures, rest, exclude=[(BaseException, self._is_answer)])
        self._probing = False
        metrics.ENGINE_AWAY.labels(engine).set(0)

    @property
    def away(self) -> bool:
        """Whether the engine failed so often that calls are refused."""
        return self._breaker.state != CLOSED

    async def call(self, work: Callable[[], Awaitable[T]], *, repeatable: bool = False) -> T:
        """Return what `work()` returns; where that may be `repeatable`, a failure is tried again a little later.

        Raises:
            Unavailable: the engine failed, did not answer in time, or is away. Then what is not repeatable may have been done.
        """
        if not repeatable:
            async with self.once():
                return await work()
        async for attempt in stamina.retry_context(
            on=self._may_pass,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=FIRST_DELAY,
            wait_max=LONGEST_DELAY,
            wait_jitter=FIRST_DELAY,
        ):
            with attempt:
                if attempt.num > 1:
                    metrics.ENGINE_RETRIES.labels(self._engine).inc()
                async with self.once():
                    return await work()
        raise AssertionError("the last attempt returns or raises")

    @asynccontextmanager
    async def once(self) -> AsyncIterator[None]:
        """Run the block as one call.

        Raises:
            Unavailable: as `call`.
        """
        await self._take_turn()
        begun = time.monotonic()
        try:
            probe = self._enter()
            try:
                async with asyncio.timeout(self._timeout):
                    yield
            except TimeoutError as error:
                late = self._error(retry_after=self._rest)
                self._leave(late, probe)
                raise late from error
            except BaseException as error:
                self._leave(error, probe)
                raise
            self._leave(None, probe)
            metrics.ENGINE_SECONDS.labels(self._engine).observe(time.monotonic() - begun)
        finally:
            self._turns.release()

    async def _take_turn(self) -> None:
        if self._turns.locked() and self._waiting >= self._most_waiting:
            raise self._refused()
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1

    def _enter(self) -> bool:
        """Pass the breaker; tell whether this call finds out whether the engine is there again."""
        if self._probing:
            raise self._refused()
        try:
            self._breaker.handle_new_request()
        except OpenedState:
            raise self._refused() from None
        self._probing = self.away
        return self._probing

    def _leave(self, error: BaseException | None, probe: bool) -> None:
        failed = error is not None and not self._is_answer(error)
        metrics.ENGINE_CALLS.labels(self._engine, "failed" if failed else "done").inc()
        if probe:
            self._probing = False
        if probe and error is not None and not isinstance(error, Exception):  # cancelled: nothing was found out
            self._breaker.set_state(OpenedState(self._engine))
        elif (probe or not self.away) and (
            error is None or isinstance(error, Exception)
        ):  # what began before it opened is no news
            self._breaker.__exit__(None if error is None else type(error), error, None)
        self._breaker.messages.clear()
        metrics.ENGINE_AWAY.labels(self._engine).set(self.away)

    def _refused(self) -> Unavailable:
        metrics.ENGINE_CALLS.labels(self._engine, "refused").inc()
        return self._error(retry_after=self._rest)

    def _may_pass(self, error: Exception) -> bool:
        return not self._is_answer(error) and not self.away

    def _is_answer(self, error: BaseException) -> bool:
        return not (isinstance(error, Unavailable) and self._is_failure(error))
