"""The relay from the outbox in SQL to the room log: what was changed there is told here, in order, at least once."""

import asyncio
import contextlib
import logging
import random
from collections import defaultdict
from collections.abc import Collection, Sequence

import msgspec

from parlour.chat.ports import Broker, OutboxRow, Pending, RoomStore
from parlour.platform.errors import ParlourError, Unavailable
from parlour.platform.ids import RoomId
from parlour.platform.metrics import OUTBOX_FAILURES, OUTBOX_RELAYED, OUTBOX_SET_ASIDE

logger = logging.getLogger(__name__)

BATCH = 500
"""Rows read at a time."""

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
"""Seconds between attempts: doubled from the first to the longest, half of each at random, so that nodes spread."""

MAX_REFUSALS = 8
"""Attempts, over some 10 s, after which a row that the log refuses is set aside. A log that is away refuses nothing."""

IDLE = 30.0
"""Seconds after which the relay looks by itself, for rows that another node left behind."""


class _Told(msgspec.Struct):
    """What became of a room's rows: the ids of those that are in the log, and the first that failed, with why."""

    done: list[str]
    failed: OutboxRow | None = None
    error: BaseException | None = None


class _PutOff(msgspec.Struct):
    """A room whose row failed: until when it waits, the seconds that it waits, and how often that row was refused."""

    until: float
    delay: float
    row_id: str
    refusals: int


class OutboxRelay:
    """Turns outbox rows into events of the log, a page of rows with a few commits.

    Order: the rows of a room are submitted at once and in order, and the broker keeps it. Repetition: a row's id is the
    `client_id` of its event, so a row that was submitted but not yet forgotten when the process died is submitted again
    and the log keeps one event. Failure: a room whose row failed waits, longer each time, and is then tried with that row
    alone until it passes; other rooms go on. A row that the log refuses `MAX_REFUSALS` times is set aside in the table,
    with an error among the logs, and its room goes on without it.
    """

    def __init__(
        self,
        store: RoomStore,
        broker: Broker,
        *,
        first_delay: float = FIRST_DELAY,
        longest_delay: float = LONGEST_DELAY,
        idle: float = IDLE,
        only: Collection[RoomId] | None = None,
    ) -> None:
        """Relay the rows of all rooms, or of those that are in `only` at the time."""
        self._store = store
        self._broker = broker
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._idle = idle
        self._only = only
        self._asked = 0  # how often somebody committed rows, and up to which of those all were tried
        self._served = 0
        self._wake = asyncio.Event()
        self._waiting: set[tuple[int, RoomId | None, asyncio.Future[None]]] = set()
        self._put_off: dict[RoomId, _PutOff] = {}
        self._passed_over: set[RoomId] = set()  # rooms that filled a page and failed: the next one is for the others

    def wake(self) -> None:
        """Look at the outbox at once: rows were committed."""
        self._asked += 1
        self._wake.set()

    async def settle(self, seconds: float = 1.0, *, room_id: RoomId | None = None) -> bool:
        """Wait until the rows that `wake` has told of, those of one room or all, are in the log; tell whether they are.

        It takes at most `seconds`. A use case that waits for this answers with its events in the log; where the log is
        away the change stands all the same and is told later.
        """
        if self._served >= self._asked and self._is_told(room_id):
            return True
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self._asked, room_id, waiting)
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
                logger.warning("the outbox could not be relayed", exc_info=not isinstance(error, ParlourError))
                await asyncio.sleep(delay * _spread())
                delay = min(delay * 2, self._longest_delay)
                continue
            delay = self._first_delay
            if not more:
                self._settled(asked)
                await self._rest()

    async def _rest(self) -> None:
        """Wait until woken, or until a room that was put off is due."""
        now = asyncio.get_running_loop().time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min([self._idle, *(each.until - now for each in self._put_off.values())])):
                await self._wake.wait()

    async def _relay_page(self) -> bool:
        """Relay the oldest rows of the rooms that need not wait; tell whether there may be more of them."""
        now = asyncio.get_running_loop().time()
        waiting = {room_id for room_id, each in self._put_off.items() if each.until > now} | self._passed_over
        page = await self._store.outbox(BATCH, without=waiting, only=self._only)
        self._passed_over = set()
        rooms: defaultdict[RoomId, list[OutboxRow]] = defaultdict(list)
        for row in page:
            rooms[row.event.room_id].append(row)
        probed = self._put_off.keys() - waiting
        outcomes = await asyncio.gather(
            *(self._tell(rows[:1] if room_id in probed else rows) for room_id, rows in rooms.items())
        )
        done = [row_id for each in outcomes for row_id in each.done]
        await self._store.outbox_done(done)
        OUTBOX_RELAYED.inc(len(done))
        for room_id in probed:
            if room_id not in rooms and len(page) < BATCH:
                del self._put_off[room_id]  # another node told its rows
        set_aside = await self._take_in(dict(zip(rooms, outcomes, strict=True)))
        if len(page) == BATCH and not done and not set_aside:
            self._passed_over = set(rooms)
            raise Unavailable  # perhaps the log itself: rather wait than put off every room there is
        return len(page) == BATCH or set_aside or any(len(rooms[room_id]) > 1 for room_id in probed & rooms.keys())

    async def _tell(self, rows: Sequence[OutboxRow]) -> _Told:
        """Submit rows of one room, in order and before anything else runs, and wait for all of them."""
        pending: list[Pending] = []
        refused: ParlourError | None = None
        for row in rows:
            try:
                pending.append(self._broker.submit(row.event))
            except ParlourError as error:
                refused = error
                break
        outcomes = [*await asyncio.gather(*pending, return_exceptions=True), *([refused] if refused else [])]
        told = _Told([])
        for row, outcome in zip(rows, outcomes, strict=False):
            if not isinstance(outcome, BaseException):
                told.done.append(row.id)
            elif told.failed is None:
                told.failed, told.error = row, outcome
        return told

    async def _take_in(self, outcomes: dict[RoomId, _Told]) -> bool:
        """Put off the rooms that failed, and set aside what was refused too often; tell whether anything was."""
        hopeless: list[OutboxRow] = []
        for room_id, told in outcomes.items():
            if told.failed is None or told.error is None:
                self._put_off.pop(room_id, None)
            elif self._fail(told.failed, told.error).refusals >= MAX_REFUSALS:
                hopeless.append(told.failed)
        failures = [told.error for told in outcomes.values() if told.error is not None]
        if failures:
            OUTBOX_FAILURES.inc(len(failures))
            cause = None if isinstance(failures[0], ParlourError) else failures[0]
            logger.warning("the room log could not be told of changes", exc_info=cause, extra={"rooms": len(failures)})
        if hopeless:
            await self._set_aside(hopeless)
        return bool(hopeless)

    def _fail(self, row: OutboxRow, error: BaseException) -> _PutOff:
        """Put off the room of a row that failed."""
        room_id = row.event.room_id
        before = self._put_off.get(room_id)
        delay = self._first_delay if before is None else min(before.delay * 2, self._longest_delay)
        refusals = before.refusals if before is not None and before.row_id == row.id else 0
        if not isinstance(error, Unavailable | asyncio.CancelledError):
            refusals += 1
        until = asyncio.get_running_loop().time() + delay * _spread()
        put_off = self._put_off[room_id] = _PutOff(until, delay, row.id, refusals)
        return put_off

    async def _set_aside(self, rows: Sequence[OutboxRow]) -> None:
        await self._store.outbox_set_aside([row.id for row in rows])
        OUTBOX_SET_ASIDE.inc(len(rows))
        for row in rows:
            del self._put_off[row.event.room_id]
            logger.error(
                "the room log refuses a change, which is set aside in room_outbox and will not be told",
                extra={"row_id": row.id, "room_id": row.event.room_id, "type": row.event.type.value},
            )

    def _is_told(self, room_id: RoomId | None) -> bool:
        return not self._put_off if room_id is None else room_id not in self._put_off

    def _settled(self, asked: int) -> None:
        self._served = asked
        for until, room_id, waiting in self._waiting:
            if until <= asked and self._is_told(room_id) and not waiting.done():
                waiting.set_result(None)


def _spread() -> float:
    return random.uniform(0.5, 1.0)  # noqa: S311 - spreads nodes, guards nothing
