"""Keeping the index of search up with what was committed, through whatever happens to the engine that holds it."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from itertools import groupby

from parlour.chat.model import RoomEvent
from parlour.chat.ports import SearchIndex
from parlour.platform.errors import Unavailable
from parlour.platform.ids import RoomId

logger = logging.getLogger(__name__)

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
"""Seconds between attempts: doubled from the first to the longest, half of each at random, so that nodes spread."""

ATTEMPTS = 12
"""Of a room that is rebuilt, over some 40 s: then whoever asked is told."""

ROOMS_AT_A_TIME = 4
"""Rooms that are rebuilt beside each other."""

PIECE = 500
"""Events that are handed to the index at a time."""


class Indexing:
    """Feeds a `SearchIndex`.

    Backpressure: what feeds it waits until its events are in the index, and says only then that it is done with them (commits its
    offset); nothing is queued here. Failure: while the index or the log is away it tries again, for as long as it takes. Events that
    cannot be indexed for another reason are a defect: they are logged, and the other rooms go on; their room is tried again with its
    next event, for the index reads what it lacks from the log.
    """

    def __init__(self, index: SearchIndex) -> None:
        self._index = index

    async def committed(self, events: Sequence[RoomEvent]) -> None:
        """Return once these events are in the index; they may come again, and several may do this at a time."""
        for start in range(0, len(events), PIECE):
            piece = events[start : start + PIECE]
            try:
                await _until_there(partial(self._index.apply, piece))
            except Exception:
                logger.exception("some events cannot be indexed together")
                await self._one_by_one(piece)

    async def rebuild(self, room_ids: Iterable[RoomId]) -> int:
        """Index rooms anew from the log, some at a time, and return how many those were.

        Raises:
            Unavailable: the index or the log stayed away; the rooms that were done are.
        """
        waiting, done = iter(room_ids), 0

        async def work() -> None:
            nonlocal done
            for room_id in waiting:
                await _until_there(partial(self._index.rebuild, room_id), attempts=ATTEMPTS)
                done += 1

        workers = [asyncio.create_task(work()) for _ in range(ROOMS_AT_A_TIME)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)
        return done

    async def _one_by_one(self, events: Sequence[RoomEvent]) -> None:
        for room_id, of_room in groupby(sorted(events, key=_place), key=lambda event: event.room_id):
            some = list(of_room)
            try:
                await _until_there(partial(self._index.apply, some))
            except Exception:
                logger.exception("a room's events cannot be indexed", extra={"room_id": room_id, "seq": some[0].seq})


def _place(event: RoomEvent) -> tuple[RoomId, int]:
    return event.room_id, event.seq


async def _until_there(work: Callable[[], Awaitable[None]], attempts: int | None = None) -> None:
    """Do it, again while something is away.

    Raises:
        Unavailable: it was so at each of the attempts.
    """
    delay, attempt = FIRST_DELAY, 1
    while True:
        try:
            return await work()
        except Unavailable as error:
            if attempt == attempts:
                raise
            if attempt == 1:
                logger.warning("indexing waits", extra={"reason": error.message})
            attempt += 1
        await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads nodes, guards nothing
        delay = min(2 * delay, LONGEST_DELAY)
