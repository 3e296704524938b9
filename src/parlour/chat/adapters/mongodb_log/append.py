"""Appending to the room log: repeats, places, the fence, and the views behind it.

A batch of new messages is two calls, whatever number of rooms it has: look for repeats, insert the events; the heads follow behind.
One that changes messages is some more: look at them first, write them and the heads afterwards.

The unique (room_id, seq) is the fence. Two processes cannot both write a command, since each looks for repeats after it knew the
room's head and before it inserts right behind that head: whoever comes second finds the place taken, and looks again.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from parlour.chat.adapters.log_entries import data_json, packed
from parlour.chat.adapters.mongodb_log.documents import binary, event_document, event_of, is_folded
from parlour.chat.adapters.mongodb_log.engine import Document, Engine
from parlour.chat.adapters.mongodb_log.lagging import LaggingHeads
from parlour.chat.adapters.mongodb_log.rooms import Heads, Turns
from parlour.chat.adapters.mongodb_log.schema import EVENTS
from parlour.chat.adapters.mongodb_log.views import (
    LOOKED_UP,
    MAX_VIEW,
    Fold,
    going_on,
    load,
    load_heads,
    target_of,
    write_heads,
)
from parlour.chat.model import Appended, EventType, NewEvent, RoomEvent, Tail
from parlour.platform.clock import Clock
from parlour.platform.errors import InvalidRequest, Unavailable
from parlour.platform.ids import ClientId, EventId, RoomId, UserId, uuid7

MAX_DATA = 1 << 22
"""Bytes of one event's data: it is stored twice, in documents of at most 16 MiB."""

PAGE = 500
"""Events of a room that are folded at once by whoever finds them past its head."""

_ATTEMPTS = 10
"""Other processes may win a place that often, and once more for each room of a batch, before the batch is given up."""

_Key = tuple[RoomId, UserId, ClientId]


class _Command(NamedTuple):
    place: int
    event: NewEvent | RoomEvent
    id: EventId
    data: str

    @property
    def key(self) -> _Key:
        return self.event.room_id, self.event.sender_id, self.event.client_id


class _Draft(NamedTuple):
    """What of a batch is to be inserted, a room after the other, and how it was folded."""

    events: list[RoomEvent]
    documents: list[Document]
    loaded: list[Document]
    fold: Fold


class Appender:
    """Writes batches; those of one room one after the other."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._turns = Turns()
        self._heads = Heads()
        self._lagging = LaggingHeads(engine)

    async def close(self) -> None:
        """Write the heads that lag behind, as far as the engine lets."""
        await self._lagging.close()

    async def append(self, batch: Sequence[NewEvent]) -> list[Appended]:
        """Append a batch; returns once it is durable and in the views.

        Raises:
            InvalidRequest: an id is no UUID, `data` is no JSON or too large; nothing was written.
            Unavailable: the engine failed; repeating the batch is safe.
        """
        ids = uuid7.many(len(batch))
        commands = [
            _checked(place, event, EventId(event_id))
            for place, (event, event_id) in enumerate(zip(batch, ids, strict=True))
        ]
        rooms = {event.room_id for event in batch}
        async with self._turns.of(rooms):
            try:
                return await self._append(commands, len(rooms))
            except BaseException:
                self._heads.forget(rooms)
                raise

    async def restore(self, events: Sequence[RoomEvent]) -> None:
        """Write events of another log as they are, those that are not there; returns once they are durable and in the views.

        Raises:
            InvalidRequest: one cannot stand in its place, or cannot be stored; what comes before it may have been written.
            Unavailable: the engine failed; repeating it is safe.
        """
        for event in events:
            packed(event.id)
        data = {event.id: _checked(0, event, event.id).data for event in events}
        rooms = {event.room_id for event in events}
        async with self._turns.of(rooms):
            try:
                left = await self._missing(events)
                while left:
                    written = await self._write(await self._restored(left, data))
                    if written == len(left):
                        return
                    before, left = (
                        left,
                        await self._missing(left),
                    )  # an attempt that seemed to fail may have inserted some
                    if len(left) == len(before):
                        raise InvalidRequest("an event has the id of another one, or others write to its room")
            except BaseException:
                self._heads.forget(rooms)
                raise

    async def _missing(self, events: Sequence[RoomEvent]) -> list[RoomEvent]:
        """Return the events that are not in the log yet, a room after the other, where they go on from its end."""
        by_room: dict[RoomId, list[RoomEvent]] = {}
        for event in events:
            by_room.setdefault(event.room_id, []).append(event)
        tails = await self._caught_up(by_room)
        missing: list[RoomEvent] = []
        for room_id, some in by_room.items():
            end = tails[room_id].seq
            there = [event for event in some if event.seq <= end]
            await self._check_same(room_id, there)
            for seq, event in enumerate(some[len(there) :], end + 1):
                if event.seq != seq:
                    raise InvalidRequest(f"event {event.seq} does not go on where its room ends, at {seq - 1}")
                missing.append(event)
        return missing

    async def _check_same(self, room_id: RoomId, events: Sequence[RoomEvent]) -> None:
        seqs = [event.seq for event in events]
        place = {"room_id": binary(room_id), "seq": {"$in": seqs}}
        found = await self._engine.find(EVENTS, place, only=("seq",)) if seqs else []
        ids = {int(each["seq"]): bytes(each["_id"]) for each in found}
        for event in events:
            if ids.get(event.seq) != packed(event.id):
                raise InvalidRequest(f"the log has another event {event.seq}")

    async def _restored(self, events: Sequence[RoomEvent], data: dict[EventId, str]) -> _Draft:
        targets = [target for each in events if (target := target_of(each.type, each.room_id, each.data))]
        loaded = await load(self._engine, targets) if targets else []
        draft = _Draft([], [], loaded, Fold(loaded))
        for given in events:
            event, text = given, data[given.id]
            if draft.fold.add(event):
                event = replace(event, data={"message_id": event.data["message_id"]})
                text = data_json(event.data)
            draft.events.append(event)
            draft.documents.append(event_document(event, text))
        if draft.fold.largest() > MAX_VIEW:
            raise InvalidRequest("there are too many reactions to a message")
        return draft

    async def _append(self, commands: Sequence[_Command], rooms: int) -> list[Appended]:
        answers: dict[int, Appended] = {}
        left = commands
        for attempt in range(_ATTEMPTS + rooms):
            tails = await self._tails(each.event.room_id for each in left)
            known = await self._repeats(left)
            for room_id in {each.room_id for each in known.values() if each.seq > tails[each.room_id].seq}:
                tails[room_id] = await self._catch_up(room_id)
            draft = await self._draft(left, tails, known)
            if draft.fold.largest() > MAX_VIEW:
                # What is there of the batch already may not be answered so: the next time it is a repeat, and then it may.
                raise (
                    InvalidRequest("there are too many reactions to a message")
                    if attempt == 0
                    else Unavailable(retry_after=1)
                )
            written = await self._write(draft)
            unwritten = {event.id for event in draft.events[written:]}
            for command in left:
                event = known[command.key]
                if event.id not in unwritten:
                    answers[command.place] = Appended(event, repeated=event.id != command.id)
            left = [command for command in left if command.place not in answers]
            if not left:
                return [answers[command.place] for command in commands]
            self._heads.forget(command.event.room_id for command in left)
            await self._catch_up(draft.events[written].room_id)
        raise Unavailable(retry_after=1)

    async def _tails(self, rooms: Iterable[RoomId]) -> dict[RoomId, Tail]:
        tails = {room_id: self._heads.get(room_id) for room_id in rooms}
        unknown = await self._caught_up([room_id for room_id, tail in tails.items() if tail is None])
        return {room_id: unknown[room_id] if tail is None else tail for room_id, tail in tails.items()}

    async def _caught_up(self, rooms: Iterable[RoomId]) -> dict[RoomId, Tail]:
        """Return where rooms end that others wrote to; what they left unfolded is folded then."""
        tails = await load_heads(self._engine, rooms)
        for room_id in await going_on(self._engine, tails):
            tails[room_id] = await self._catch_up(room_id)
        return tails

    async def _repeats(self, commands: Sequence[_Command]) -> dict[_Key, RoomEvent]:
        events = [command.event for command in commands]
        found: list[Document] = []
        for start in range(0, len(events), LOOKED_UP):
            some = events[start : start + LOOKED_UP]
            query = {
                "client_id": {"$in": [binary(each) for each in {event.client_id for event in some}]},
                "room_id": {"$in": [binary(each) for each in {event.room_id for event in some}]},
            }
            found += await self._engine.find(EVENTS, query)
        known = map(event_of, found)  # an id may be another sender's, or another room's: the key tells
        return {(event.room_id, event.sender_id, event.client_id): event for event in known}

    async def _draft(
        self, commands: Sequence[_Command], tails: dict[RoomId, Tail], known: dict[_Key, RoomEvent]
    ) -> _Draft:
        """Give the commands their places; `known` gets their events."""
        new: dict[RoomId, list[_Command]] = {}
        taken = set(known)
        for command in commands:
            if command.key not in taken:
                taken.add(command.key)
                new.setdefault(command.event.room_id, []).append(command)
        targets = [
            target
            for each in new.values()
            for command in each
            if (target := target_of(command.event.type, command.event.room_id, command.event.data))
        ]
        loaded = await load(self._engine, targets) if targets else []
        draft = _Draft([], [], loaded, Fold(loaded))
        now = self._clock.now()
        for room_id, each in new.items():
            first = tails[room_id].seq + 1
            for seq, command in enumerate(each, first):
                event, data = _placed(command, seq, now), command.data
                if draft.fold.add(event):
                    event.data = {"message_id": event.data["message_id"]}
                    data = data_json(event.data)
                known[command.key] = event
                draft.events.append(event)
                draft.documents.append(event_document(event, data))
        return draft

    async def _write(self, draft: _Draft) -> int:
        """Write the events up to the first whose place is taken, and what follows from them; return how many those are."""
        if not draft.events:
            return 0
        count = await self._engine.insert(EVENTS, draft.documents)
        if count == 0:
            return 0
        fold = draft.fold
        if count < len(draft.events):
            fold = Fold(draft.loaded)
            for event in draft.events[:count]:
                fold.add(event)
        await fold.write(self._engine)
        tails = {event.room_id: Tail(event.seq, event.at) for event in draft.events[:count]}
        # Nobody counts what is to be folded before its room's head says that it is. A room's first head lists the room.
        awaited = {event.room_id for event in draft.events[:count] if event.seq == 1 or is_folded(event)}
        if awaited:
            await write_heads(self._engine, {room_id: tails[room_id] for room_id in awaited})
        for room_id, tail in tails.items():
            self._heads.put(room_id, tail)
            if room_id in awaited:
                self._lagging.forget(room_id)
            else:
                self._lagging.put(room_id, tail)
        return count

    async def _catch_up(self, room_id: RoomId) -> Tail:
        tail = (await load_heads(self._engine, [room_id]))[room_id]
        while True:
            stretch = {"room_id": binary(room_id), "seq": {"$gt": tail.seq, "$lte": tail.seq + PAGE}}
            events = list(map(event_of, await self._engine.find(EVENTS, stretch, order=1)))
            if not events:
                self._heads.put(room_id, tail)
                return tail
            begun = [(room_id, event.id) for event in events if event.type == EventType.MESSAGE_CREATED]
            changed = [target_of(event.type, room_id, event.data) for event in events]
            wanted = [*begun, *(target for target in changed if target)]
            fold = Fold(await load(self._engine, wanted, new=begun))
            for event in events:
                fold.add(event)
            await fold.write(self._engine)
            tail = Tail(events[-1].seq, events[-1].at)
            await write_heads(self._engine, {room_id: tail})


def _checked(place: int, event: NewEvent | RoomEvent, event_id: EventId) -> _Command:
    data = data_json(event.data)
    for identifier in (event.room_id, event.sender_id, event.client_id):
        packed(identifier)
    if len(data) > MAX_DATA:
        raise InvalidRequest("an event's data are too large")
    return _Command(place, event, event_id, data)


def _placed(command: _Command, seq: int, now: int) -> RoomEvent:
    new = command.event
    return RoomEvent(new.room_id, seq, command.id, new.type, new.sender_id, new.client_id, now, new.data)
