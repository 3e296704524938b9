"""Feeding the index: what was committed, in stretches, each of which is applied once however many feed."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR, Insert
from sqlalchemy.ext.asyncio import AsyncConnection

from parlour.chat.adapters.postgresql_search.messages import features, read
from parlour.chat.adapters.postgresql_search.tables import EMPTYING, indexed, messages
from parlour.chat.adapters.postgresql_search.vectors import vector
from parlour.chat.fold import ON_MESSAGES, created
from parlour.chat.model import EventType, Message, RoomEvent
from parlour.chat.ports import RoomLog
from parlour.platform.errors import InvalidRequest
from parlour.platform.guard import Guard
from parlour.platform.ids import EventId, RoomId, is_uuid
from parlour.platform.sql import Database

logger = logging.getLogger(__name__)

STEP = 200
"""Events of one transaction at most."""

EMPTIED = 5_000
"""Messages that a transaction forgets at most."""

CHARACTERS = 1 << 16
"""Of a message that are searched: a tsvector ends at 1 MB, and the service lets an eighth of them be said."""

_LARGEST = 1 << 62

T = TypeVar("T")

_BEGIN = sa.text("""
INSERT INTO search_indexed (room_id, seq) SELECT CAST(room_id AS uuid), 0 FROM unnest(CAST(:rooms AS text[])) room_id
ORDER BY 1 ON CONFLICT DO NOTHING
""")
_TAKE_OUT = sa.text("DELETE FROM search_messages WHERE room_id = :room_id AND seq = :seq").bindparams(
    sa.bindparam("room_id", type_=sa.Uuid(as_uuid=False)), sa.bindparam("seq", type_=sa.BigInteger)
)
_EMPTY = sa.text("""
DELETE FROM search_messages WHERE room_id = CAST(:room AS uuid) AND seq IN (
    SELECT seq FROM search_messages WHERE room_id = CAST(:room AS uuid) ORDER BY seq LIMIT :most
)
""")


class _Goal(NamedTuple):
    """How far the index of a room is to come, and which of the events until then are at hand."""

    upto: int
    events: Sequence[RoomEvent] = ()


class _Step(NamedTuple):
    """The next stretch of a room: the events with base < seq <= upto."""

    room_id: RoomId
    base: int
    upto: int
    events: Sequence[RoomEvent]


class _Changes(NamedTuple):
    """The rows that steps leave, and the (room, seq) of messages that are no more."""

    rows: list[dict[str, Any]]
    gone: list[dict[str, Any]]


class PostgresqlSearchIndex:
    """`SearchIndex` in a PostgreSQL database.

    A step is prepared from where the room's index was seen to be, without a transaction, and written only if it is still there;
    else somebody else was quicker, and it is prepared anew. So what was read from the log goes in in the order in which it was read.
    """

    def __init__(self, database: Database, log: RoomLog, guard: Guard) -> None:
        """Keep the index in a PostgreSQL database with the tables of `SERVICE`."""
        self._database = database
        self._log = log
        self._guard = guard

    async def apply(self, events: Sequence[RoomEvent]) -> None:
        """Return once the index has come as far as these events; as the port has it.

        Raises:
            InvalidRequest: one is none of a log's; nothing was done.
            Unavailable: PostgreSQL or the log is away.
        """
        by_room: dict[RoomId, dict[int, RoomEvent]] = defaultdict(dict)
        for event in events:
            _check(event)
            by_room[event.room_id][event.seq] = event
        await self._reach(
            {room_id: _Goal(max(each), [each[seq] for seq in sorted(each)]) for room_id, each in by_room.items()}
        )

    async def rebuild(self, room_id: RoomId) -> None:
        """Forget what is indexed of a room and read it from the log again; as the port has it."""
        mark = indexed.update().where(indexed.c.room_id == room_id).values(seq=EMPTYING)
        await self._bases([room_id])
        await self._write(lambda connection: connection.execute(mark))
        tails = await self._log.tails([room_id])
        await self._reach({room_id: _Goal(tails[room_id].seq)})

    async def _reach(self, goals: dict[RoomId, _Goal]) -> None:
        while goals:
            steps: list[_Step] = []
            left = STEP
            for room_id, base in (await self._bases(list(goals)[:STEP])).items():
                if base == EMPTYING:
                    await self._empty(room_id)
                elif base >= goals[room_id].upto:
                    del goals[room_id]
                elif left > 0:
                    steps.append(await self._step(room_id, base, goals[room_id], left))
                    left -= steps[-1].upto - base
            for step in await self._do(steps):
                if step.upto == goals[step.room_id].upto:
                    del goals[step.room_id]

    async def _bases(self, room_ids: Sequence[RoomId]) -> dict[RoomId, int]:
        """Return how far the index of each room is."""
        asked = sa.select(indexed.c.room_id, indexed.c.seq).where(indexed.c.room_id.in_(room_ids))

        async def ask() -> dict[RoomId, int]:
            return {row.room_id: row.seq for row in await self._database.rows(asked)}

        found = await self._guard.call(ask, repeatable=True)
        new = [each for each in room_ids if each not in found]
        if not new:
            return found
        await self._write(lambda connection: connection.execute(_BEGIN, {"rooms": new}))
        return await self._guard.call(ask, repeatable=True)

    async def _step(self, room_id: RoomId, base: int, goal: _Goal, most: int) -> _Step:
        """Return the next stretch of at most `most` events: those at hand, or of the log where the next is not."""
        at_hand = [event for event in goal.events if event.seq > base]
        dense = [event for place, event in enumerate(at_hand[:most], start=base + 1) if event.seq == place]
        if dense:
            return _Step(room_id, base, dense[-1].seq, dense)
        upto = min(base + most, at_hand[0].seq - 1 if at_hand else goal.upto)
        events = await self._log.events(room_id, base, upto)
        if len(events) < upto - base:
            logger.warning("the log lacks events", extra={"room_id": room_id, "after": base, "upto": upto})
        return _Step(room_id, base, upto, events)

    async def _do(self, steps: Sequence[_Step]) -> list[_Step]:
        """Take steps in one transaction, and return those that were due; others have come first with the rest."""
        if not steps:
            return []
        changes = await self._changes(steps)
        by_room = {step.room_id: step for step in steps}
        locked = (
            sa.select(indexed.c.room_id, indexed.c.seq)
            .where(indexed.c.room_id.in_(by_room))
            .order_by(indexed.c.room_id)  # everybody locks in one order
            .with_for_update()
        )

        async def write(connection: AsyncConnection) -> list[_Step]:
            there = (await connection.execute(locked)).all()
            due = [by_room[room_id] for room_id, seq in there if by_room[room_id].base == seq]
            if gone := [each for step in due for each in changes[step.room_id].gone]:
                await connection.execute(_TAKE_OUT, gone)
            if rows := [each for step in due for each in changes[step.room_id].rows]:
                await connection.execute(_PUT_IN, rows)
            if due:
                reached = [{"room": step.room_id, "upto": step.upto} for step in due]
                await connection.execute(_REACHED, reached)
            return due

        return await self._write(write)

    async def _changes(self, steps: Sequence[_Step]) -> dict[RoomId, _Changes]:
        """Return what each step changes: new messages as their event says, changed ones as the log has them now."""
        touched: dict[RoomId, dict[EventId, Message]] = {}
        changed: dict[tuple[RoomId, EventId], None] = {}
        for room_id, _, _, events in steps:
            new = (event for event in events if event.type == EventType.MESSAGE_CREATED)
            touched[room_id] = {event.id: created(event) for event in new}
            named = (event.data.get("message_id") for event in events if event.type in ON_MESSAGES)
            changed |= {(room_id, EventId(each)): None for each in named if isinstance(each, str)}
        for message in await read(self._log, list(changed), reactors=False):
            if message is not None:
                touched[message.room_id][message.id] = message
        return await asyncio.to_thread(_all_rows, touched)  # splitting long texts into words takes its time

    async def _empty(self, room_id: RoomId) -> None:
        """Forget some of what is indexed of a room that is being emptied; once nothing is left it begins again."""
        lock = sa.select(indexed.c.seq).where(indexed.c.room_id == room_id).with_for_update()

        async def write(connection: AsyncConnection) -> None:
            if (await connection.execute(lock)).scalar() != EMPTYING:
                return
            gone = await connection.execute(_EMPTY, {"room": room_id, "most": EMPTIED})
            if gone.rowcount < EMPTIED:
                await connection.execute(_REACHED, [{"room": room_id, "upto": 0}])

        await self._write(write)

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def write() -> T:
            async with self._database.transaction() as connection:
                return await work(connection)

        return await self._guard.call(write, repeatable=True)


def _check(event: RoomEvent) -> None:
    """Refuse what the database would: that would look as if it were away, for ever.

    Raises:
        InvalidRequest: it is no event of a log.
    """
    identified = all(map(is_uuid, (event.room_id, event.id, event.sender_id)))
    placed = 0 < event.seq < _LARGEST and abs(event.at) < _LARGEST
    if not identified or not placed or not isinstance(event.data.get("text", ""), str):
        raise InvalidRequest(f"the event {event.id!r} of the room {event.room_id!r} is none of a log")


def _put_in() -> Insert:
    put = Insert(messages).values({messages.c.words: sa.cast(sa.bindparam("words", type_=sa.Text), TSVECTOR)})
    keys = ("room_id", "seq")
    return put.on_conflict_do_update(
        index_elements=keys,
        set_={column.name: put.excluded[column.name] for column in messages.c if column.name not in keys},
    )


_PUT_IN = _put_in()
_REACHED = indexed.update().where(indexed.c.room_id == sa.bindparam("room")).values(seq=sa.bindparam("upto"))


def _all_rows(touched: Mapping[RoomId, Mapping[EventId, Message]]) -> dict[RoomId, _Changes]:
    return {room_id: _rows(each.values()) for room_id, each in touched.items()}


def _rows(touched: Iterable[Message]) -> _Changes:
    changes = _Changes([], [])
    for message in touched:
        key = {"room_id": message.room_id, "seq": message.seq}
        text = message.text[:CHARACTERS].replace("\x00", " ")  # PostgreSQL has no such character
        words = vector(text, message.room_id, message.sender_id)
        if not words:  # deleted, or without a word to find it by
            changes.gone.append(key)
            continue
        has = {f"has_{name}": there for name, there in features(message).items()}
        changes.rows.append(
            key
            | {
                "message_id": message.id,
                "sender_id": message.sender_id,
                "at": message.at,
                "version": message.version,
                "text": text,
                "words": words,
            }
            | has
        )
    return changes
