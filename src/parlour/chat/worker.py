"""The worker: gives commands their place in the log and tells live sockets, before their senders are answered."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from parlour.chat.model import SYNC_GAP, Appended, NewEvent, RoomEvent
from parlour.chat.ports import Fanout, RoomLog
from parlour.platform.errors import Internal, InvalidRequest, ParlourError, Unavailable
from parlour.platform.ids import RoomId
from parlour.platform.metrics import APPEND_EVENTS, APPEND_FAILURES, APPEND_SECONDS

logger = logging.getLogger(__name__)

RETRY_DELAYS = (0.05, 0.2)
"""Seconds before the second and third attempt, half of it by chance; a batch that waits longer only makes others wait."""

MAX_UNTOLD = 1_000_000
"""Bytes that are told of a room after a failed attempt; past it its members sync."""


class Worker:
    """Works batches of a `Broker`, one at a time.

    Order: a room's events are told in the order of seq, each once; a repeat is answered and not told again. Failure: `append` is
    repeatable by its contract, so when the log is away it is tried again a little later, then the whole batch fails with
    `Unavailable`; any other error is of a command, so each is done alone and only the senders of the bad ones get it. What an
    attempt that failed has written all the same is told with the next event or repeat of its room, before it.
    """

    def __init__(
        self,
        log: RoomLog,
        fanout: Fanout,
        head_of: Callable[[RoomId], int | None],
        *,
        tell_repeats: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take, besides the ports, `head_of`: the last seq that live sockets of a room may know, None where nobody asked.

        With `tell_repeats` a repeat is told again, for a `fanout` that drops what was told: a worker that died may have written and
        not told it.
        """
        self._log = log
        self._fanout = fanout
        self._head_of = head_of
        self._tell_repeats = tell_repeats
        self._doubts: dict[RoomId, int | None] = {}  # where an attempt failed, and the head before it
        self._sleep = sleep
        self._chance = chance

    async def handle(self, batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        """Append a batch, tell it, and return the answer to each command.

        Raises:
            Unavailable: the log is away; what was written of the batch is found again by repeating it.
        """
        begun = time.monotonic()
        try:
            answers = await self._append(batch)
        except Exception as error:
            APPEND_FAILURES.inc()
            if isinstance(error, Unavailable):
                raise
            if len(batch) == 1:
                return [_refusal(batch[0], error)]
            return await self._one_by_one(batch)
        APPEND_SECONDS.observe(time.monotonic() - begun)
        APPEND_EVENTS.observe(len(batch))
        await self._tell(batch, answers)
        return list(answers)

    async def _one_by_one(self, batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        answers: list[Appended | ParlourError] = []
        for command in batch:
            try:
                answers += await self.handle([command])
            except Unavailable as error:  # the rest too: done without this one, it would overtake what is sent again
                return [*answers, *[error] * (len(batch) - len(answers))]
        return answers

    async def _append(self, batch: Sequence[NewEvent]) -> list[Appended]:
        for delay in RETRY_DELAYS:
            try:
                return await self._attempt(batch)
            except Unavailable:
                await self._sleep(delay * (0.5 + 0.5 * self._chance()))
        return await self._attempt(batch)

    async def _attempt(self, batch: Sequence[NewEvent]) -> list[Appended]:
        try:
            return await self._log.append(batch)
        except InvalidRequest:  # nothing was written
            raise
        except Exception:
            for command in batch:
                self._doubts.setdefault(command.room_id, self._head_of(command.room_id))
            raise

    async def _tell(self, batch: Sequence[NewEvent], answers: Sequence[Appended]) -> None:
        untold = await self._untold(answers) if self._doubts else {}
        told = [
            (answer.event, command.received)
            for command, answer in zip(batch, answers, strict=True)
            if (self._tell_repeats or not answer.repeated) and answer.event.room_id not in untold
        ]
        if untold:
            received = {answer.event.id: command.received for command, answer in zip(batch, answers, strict=True)}
            told += [(event, received.get(event.id, 0.0)) for events in untold.values() for event in events]
        try:
            self._fanout.committed([event for event, _ in told], [received for _, received in told])
        except Exception:
            logger.exception("fan-out failed; clients will sync")

    async def _untold(self, answers: Sequence[Appended]) -> dict[RoomId, list[RoomEvent]]:
        """Return all that was not told of the rooms in doubt, these answers included, and doubt those rooms no more.

        A room of which too much was not told, or that cannot be read just now, is left out: clients find the gap.
        """
        untold: dict[RoomId, list[RoomEvent]] = {}
        for room_id in {answer.event.room_id for answer in answers} & self._doubts.keys():
            head = self._doubts.pop(room_id)
            if head is None:
                mine = {answer.event.seq: answer.event for answer in answers if answer.event.room_id == room_id}
                untold[room_id] = [mine[seq] for seq in sorted(mine)]
                continue
            try:
                events = await self._log.events(room_id, head, head + SYNC_GAP, max_bytes=MAX_UNTOLD)
            except Unavailable:
                continue
            if 0 < len(events) < SYNC_GAP:
                untold[room_id] = events
        return untold


def _refusal(command: NewEvent, error: Exception) -> ParlourError:
    if isinstance(error, ParlourError):
        return error
    # The worker runs in a task of its own: the command's id leads from here to the line of whoever sent it.
    known = {"correlation_id": command.client_id, "room_id": command.room_id, "type": command.type}
    logger.error("a command could not be appended", exc_info=error, extra=known)
    return Internal()
