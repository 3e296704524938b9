"""Behind the live calls: what is kept of them over a restart, and what the room log is told."""

import asyncio
import contextlib
import logging
import random

from parlour.platform.errors import ParlourError, Unavailable
from parlour.platform.metrics import CALL_JOURNAL_FAILURES
from parlour.video.model import Call, CallId
from parlour.video.ports import CallLog, CallStore

logger = logging.getLogger(__name__)

GATHER = 0.05
"""Seconds between two writes: under load they become one transaction for all calls that changed meanwhile."""

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
"""Seconds between attempts: doubled from the first to the longest, half of each at random."""

LAST_FLUSH = 2.0
"""Seconds that the last writes may take when the process ends; what they leave is done at the next start."""


class Journal:
    """Writes behind, so that neither an engine that is slow nor one that is away holds up a call.

    A call is kept before the log is told that it started, and forgotten after the log was told that it ended. So no start stays
    without its end: whatever a crash leaves in the store is taken up again at the next start, and the log keeps one of each.
    """

    def __init__(
        self,
        store: CallStore,
        log: CallLog,
        *,
        gather: float = GATHER,
        first_delay: float = FIRST_DELAY,
        longest_delay: float = LONGEST_DELAY,
    ) -> None:
        self._store = store
        self._log = log
        self._gather = gather
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._changed: dict[CallId, Call] = {}
        self._gone: list[CallId] = []
        self._started: set[CallId] = set()  # of those that the log was told of
        self._wake = asyncio.Event()
        self._abandoned = False

    def changed(self, call: Call) -> None:
        """Keep a call as it will be at the next write, and tell the log what it has not heard of it."""
        if not self._abandoned:
            self._changed[call.id] = call
            self._wake.set()

    def abandon(self) -> None:
        """Forget what is to be written, now and later: it is another process's now to say what becomes of these calls."""
        self._abandoned = True
        self._changed.clear()
        self._gone.clear()

    async def load(self) -> list[Call]:
        """Return the calls that an earlier process left behind.

        Raises:
            Unavailable: the store is away.
        """
        return await self._store.load()

    async def run(self) -> None:
        """Write until cancelled; then what is left is written first, within `LAST_FLUSH` seconds."""
        delay = self._first_delay
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    await self._flush()
                except Exception as error:
                    # Whatever it is: a journal that stopped would keep the ends of all later calls from the log.
                    CALL_JOURNAL_FAILURES.inc()
                    expected = isinstance(error, ParlourError)
                    logger.warning("calls could not be kept, or told to the log", exc_info=not expected)
                    await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads nodes, guards nothing
                    delay = min(delay * 2, self._longest_delay)
                    self._wake.set()
                else:
                    delay = self._first_delay
                    await asyncio.sleep(self._gather)
        finally:
            await self._last()

    async def _last(self) -> None:
        with contextlib.suppress(TimeoutError, ParlourError):
            async with asyncio.timeout(LAST_FLUSH):
                while not self._abandoned and (self._changed or self._gone):
                    await self._flush()

    async def _flush(self) -> None:
        """Write what changed, tell the log, and leave what is told of to the next write to forget.

        Raises:
            Unavailable: an engine is away; what it was to do is done by the next flush.
        """
        changed, self._changed = self._changed, {}
        gone, self._gone = self._gone, []
        try:
            await self._store.write(list(changed.values()), gone)
        except BaseException:
            self._changed = changed | self._changed
            self._gone = gone + self._gone
            raise
        try:
            outcomes = await asyncio.gather(*map(self._tell, changed.values()), return_exceptions=True)
        except asyncio.CancelledError:  # whom the log was told of is told again, which it takes for a repeat
            self._changed = changed | self._changed
            raise
        for call, outcome in zip(changed.values(), outcomes, strict=True):
            if outcome is not None:
                self._changed.setdefault(call.id, call)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _tell(self, call: Call) -> None:
        """Tell the log of a call's start and end, once each.

        Raises:
            Unavailable: the log is away.
        """
        try:
            if call.id not in self._started:
                await self._log.started(call)
                self._started.add(call.id)
            if call.ended_at is not None:
                await self._log.ended(call)
        except Unavailable:
            raise
        except ParlourError:
            logger.exception("the log refuses a call", extra={"call_id": call.id, "room_id": call.room_id})
        if call.ended_at is not None:
            self._started.discard(call.id)
            self._changed.pop(call.id, None)  # it may have ended while it was being kept as one that lives
            self._gone.append(call.id)
            self._wake.set()
