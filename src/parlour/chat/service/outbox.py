"""The relay from the outbox in SQL to the room log: what was changed there is told here, in order, at least once."""

import asyncio
import contextlib
import logging
import random
from collections import defaultdict

from parlour.chat.ports import Broker, OutboxRow, RoomStore
from parlour.platform.errors import ParlourError
from parlour.platform.ids import RoomId
from parlour.platform.metrics import OUTBOX_FAILURES, OUTBOX_RELAYED

logger = logging.getLogger(__name__)

BATCH = 500
"""Rows read at a time."""

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
"""Seconds between attempts: doubled from the first to the longest, half of each at random, so that nodes spread."""

IDLE = 30.0
"""Seconds after which the relay looks by itself, for rows that another node left behind."""


class OutboxRelay:
    """Turns outbox rows into events of the log.

    A row's id is the `client_id` of its event, so a row that was submitted but not yet forgotten when the process died is
    submitted again and the log keeps one event. The rows of a room are submitted one after the other, those of
    different rooms side by side; after a failure a room's later rows wait for the earlier ones.
    """

    def __init__(
        self,
        store: RoomStore,
        broker: Broker,
        *,
        first_delay: float = FIRST_DELAY,
        longest_delay: float = LONGEST_DELAY,
        idle: float = IDLE,
    ) -> None:
        self._store = store
        self._broker = broker
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._idle = idle
        self._asked = 0  # how often somebody committed rows, and up to which of those all are in the log
        self._served = 0
        self._wake = asyncio.Event()
        self._waiting: set[tuple[int, asyncio.Future[None]]] = set()

    def wake(self) -> None:
        """Look at the outbox at once: rows were committed."""
        self._asked += 1
        self._wake.set()

    async def settle(self, seconds: float = 1.0) -> bool:
        """Wait until all rows that `wake` has told of are in the log, at most `seconds`; tell whether they are.

        A use case that waits for this answers with its events in the log; where the log is away the change stands all
        the same and is told later.
        """
        if self._served >= self._asked:
            return True
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self._asked, waiting)
        self._waiting.add(entry)
        try:
            async with asyncio.timeout(seconds):
                await waiting
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(entry)
        return True

    async def run(self) -> None:
        """Relay until cancelled, beginning with what an earlier process left behind."""
        delay = self._first_delay
        while True:
            asked = self._asked
            self._wake.clear()
            try:
                more = await self._relay_page()
            except Exception as error:
                # Whatever it is: a relay that stopped would keep every later change from the log.
                OUTBOX_FAILURES.inc()
                expected = isinstance(error, ParlourError)
                logger.warning("the room log could not be told of a change", exc_info=not expected)
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads nodes, guards nothing
                delay = min(delay * 2, self._longest_delay)
                continue
            delay = self._first_delay
            if not more:
                self._settled(asked)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._idle):
                        await self._wake.wait()

    async def _relay_page(self) -> bool:
        """Relay the oldest rows; tell whether there may be more."""
        rows = await self._store.outbox(BATCH)
        if not rows:
            return False
        rooms: defaultdict[RoomId, list[OutboxRow]] = defaultdict(list)
        for row in rows:
            rooms[row.event.room_id].append(row)
        done: list[str] = []
        outcomes = await asyncio.gather(
            *(self._relay(of_room, done) for of_room in rooms.values()), return_exceptions=True
        )
        await self._store.outbox_done(done)
        OUTBOX_RELAYED.inc(len(done))
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        return len(rows) == BATCH

    async def _relay(self, rows: list[OutboxRow], done: list[str]) -> None:
        for row in rows:
            await self._broker.submit(row.event)
            done.append(row.id)

    def _settled(self, asked: int) -> None:
        self._served = asked
        for until, waiting in self._waiting:
            if until <= asked and not waiting.done():
                waiting.set_result(None)
