"""The worker: gives commands their place in the log and tells live sockets, before their senders are answered."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from parlour.chat.model import Appended, NewEvent
from parlour.chat.ports import Fanout, RoomLog
from parlour.platform.errors import Internal, ParlourError, Unavailable
from parlour.platform.metrics import APPEND_EVENTS, APPEND_FAILURES, APPEND_SECONDS

logger = logging.getLogger(__name__)

RETRY_DELAYS = (0.05, 0.2)
"""Seconds before the second and third attempt, half of it by chance; a batch that waits longer only makes others wait."""


class Worker:
    """Works batches of a `Broker`, one at a time.

    Order: a room's events are told in the order of seq. A repeat is answered and not told again (whoever missed the first
    telling finds the gap and syncs), unless the batch had to be tried again: then the first attempt may have written it without
    anybody hearing, and telling twice does no harm. Failure: `append` is repeatable by its contract, so when the log is away it
    is tried again a little later, then the whole batch fails with `Unavailable`; any other error is of a command, so each is
    done alone and only the senders of the bad ones get it.
    """

    def __init__(
        self,
        log: RoomLog,
        fanout: Fanout,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._log = log
        self._fanout = fanout
        self._sleep = sleep
        self._chance = chance

    async def handle(self, batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        """Append a batch, tell it, and return the answer to each command.

        Raises:
            Unavailable: the log is away; what was written of the batch is found again by repeating it.
        """
        begun = time.monotonic()
        try:
            answers, again = await self._append(batch)
        except Exception as error:
            APPEND_FAILURES.inc()
            if isinstance(error, Unavailable):
                raise
            if len(batch) == 1:
                return [_refusal(batch[0], error)]
            return await self._one_by_one(batch)
        APPEND_SECONDS.observe(time.monotonic() - begun)
        APPEND_EVENTS.observe(len(batch))
        self._tell(batch, answers, repeats=again)
        return list(answers)

    async def _one_by_one(self, batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        answers: list[Appended | ParlourError] = []
        for command in batch:
            try:
                answers += await self.handle([command])
            except Unavailable as error:  # the rest too: done without this one, it would overtake what is sent again
                return [*answers, *[error] * (len(batch) - len(answers))]
        return answers

    async def _append(self, batch: Sequence[NewEvent]) -> tuple[list[Appended], bool]:
        """Return the answers, and whether it took more than one attempt."""
        for attempt, delay in enumerate(RETRY_DELAYS):
            try:
                return await self._log.append(batch), attempt > 0
            except Unavailable:
                await self._sleep(delay * (0.5 + 0.5 * self._chance()))
        return await self._log.append(batch), True

    def _tell(self, batch: Sequence[NewEvent], answers: Sequence[Appended], *, repeats: bool) -> None:
        told = [
            (answer.event, command.received)
            for command, answer in zip(batch, answers, strict=True)
            if repeats or not answer.repeated
        ]
        try:
            self._fanout.committed([event for event, _ in told], [received for _, received in told])
        except Exception:
            logger.exception("fan-out failed; clients will sync")


def _refusal(command: NewEvent, error: Exception) -> ParlourError:
    if isinstance(error, ParlourError):
        return error
    # The worker runs in a task of its own: the command's id leads from here to the line of whoever sent it.
    known = {"correlation_id": command.client_id, "room_id": command.room_id, "type": command.type}
    logger.error("a command could not be appended", exc_info=error, extra=known)
    return Internal()
