"""The reading half of the room log: every query names its rooms, and is a bounded range of seq or an exact key."""

import asyncio
from collections.abc import Iterable, Sequence

from parlour.chat.adapters.log_entries import centred, latest_pins, unhex
from parlour.chat.adapters.mongodb_log.documents import (
    MAX_SEQ,
    MESSAGE,
    PIN_MARK,
    ROOM_MARK,
    binary,
    bounded,
    event_of,
    lacks_text,
    message_of,
)
from parlour.chat.adapters.mongodb_log.engine import Document, Engine
from parlour.chat.adapters.mongodb_log.schema import EVENTS, HEADS, MESSAGES
from parlour.chat.adapters.mongodb_log.views import going_on, load_heads
from parlour.chat.fold import created
from parlour.chat.model import AMONG_MESSAGES, EventType, Message, RoomEvent, Tail
from parlour.platform.ids import ClientId, EventId, RoomId, UserId, is_uuid

_Wanted = tuple[UserId, RoomId, int]
_Entry = Message | RoomEvent

_GROWTH = 4
"""How much longer a stretch is that is looked through after one that had too little in it."""

_ROOMS = 200
"""Rooms of one count."""

_STRETCH = 500
"""Events behind a head that are looked at in one query."""

_MESSAGES = (EventType.MESSAGE_CREATED.value,)
_ENTRIES = (*_MESSAGES, *(each.value for each in AMONG_MESSAGES))


class Reads:
    """The queries."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def tails(self, room_ids: Iterable[RoomId]) -> dict[RoomId, Tail]:
        """Return where each room ends for whoever reads it: at its head, or behind it at the last event that is not to be folded.

        Whatever was answered is up to there. What a writer that died left unfolded counts once its command comes again.
        """
        tails = dict.fromkeys(room_ids, Tail())
        heads = await load_heads(self._engine, filter(is_uuid, tails))
        begun = {room_id: tail for room_id, tail in heads.items() if tail.seq}
        on = list(begun) if len(begun) == 1 else await going_on(self._engine, begun)  # of one, its end is as soon found
        ends = await asyncio.gather(*(self._end(room_id, heads[room_id]) for room_id in on))
        return tails | heads | dict(zip(on, ends, strict=True))

    async def _end(self, room_id: RoomId, head: Tail) -> Tail:
        """Return where a room ends that has such a head."""
        while True:
            stretch = {"room_id": binary(room_id), "seq": {"$gt": head.seq, "$lte": head.seq + _STRETCH}}
            found = await self._engine.find(EVENTS, stretch, only=("seq", "at", "folded"), order=1)
            for each in found:
                if "folded" in each:
                    return head
                head = Tail(int(each["seq"]), int(each["at"]))
            if len(found) < _STRETCH:
                return head

    async def rooms(self, after: str, limit: int) -> list[RoomId]:
        """Return rooms that have a head, by id, those after the id `after`."""
        query = {"_id": {"$gt": binary(after)}} if after else {}
        found = await self._engine.find(HEADS, query, only=("_id",), order=1, by="_id", limit=limit)
        return [RoomId(unhex(each["_id"].hex())) for each in found]

    async def events(self, room_id: RoomId, after: int, upto: int, max_bytes: int | None) -> list[RoomEvent]:
        """Return the events with after < seq <= upto, in order; none, where their `data` is over `max_bytes` as JSON."""
        if not is_uuid(room_id) or after >= upto:
            return []
        stretch = {"room_id": binary(room_id), "seq": {"$gt": bounded(after), "$lte": bounded(upto)}}
        if max_bytes is not None:
            summed = {"_id": None, "bytes": {"$sum": "$size"}}
            measured = await self._engine.aggregate(EVENTS, [{"$match": stretch}, {"$group": summed}])
            if not measured or measured[0]["bytes"] > max_bytes:
                return []
        found = await self._engine.find(EVENTS, stretch, order=1)
        if max_bytes is not None and sum(each["size"] for each in found) > max_bytes:  # more came since it was measured
            return []
        return list(map(event_of, found))

    async def find(self, room_id: RoomId, sender_id: UserId, client_id: ClientId) -> RoomEvent | None:
        """Return the event that a repeat of this command would be answered with, None where there is none."""
        if not (is_uuid(room_id) and is_uuid(sender_id) and is_uuid(client_id)):
            return None
        # With the room first, or the sender beside it, SecantusDB would look through the whole room.
        found = await self._engine.find(EVENTS, {"client_id": binary(client_id), "room_id": binary(room_id)})
        mine = [event for each in found if (event := event_of(each)).sender_id == sender_id]
        return mine[0] if mine else None

    async def page(
        self, room_id: RoomId, before: int | None, after: int | None, limit: int, head: int | None
    ) -> list[Message]:
        """Return up to `limit` messages with after < seq < before, newest first: the last ones, with only `after` the first ones.

        None of them is past `head`, which is looked up where it is None.
        """
        return _messages(await self._page(room_id, before, after, limit, head, types=_MESSAGES))

    async def entries(
        self, room_id: RoomId, before: int | None, after: int | None, limit: int, head: int | None
    ) -> list[Message | RoomEvent]:
        """Return the same with the events `AMONG_MESSAGES`."""
        return await self._page(room_id, before, after, limit, head, types=_ENTRIES)

    async def around(self, room_id: RoomId, seq: int, limit: int, head: int | None) -> list[Message]:
        """Return up to `limit` messages around `seq`, newest first."""
        return _messages(await self._around(room_id, seq, limit, head, _MESSAGES))

    async def entries_around(
        self, room_id: RoomId, seq: int, limit: int, head: int | None
    ) -> list[Message | RoomEvent]:
        """Return the same with the events `AMONG_MESSAGES`."""
        return await self._around(room_id, seq, limit, head, _ENTRIES)

    async def message(self, room_id: RoomId, message_id: EventId, *, reactors: bool) -> Message | None:
        """Return one message as it is now, None where the room has no such message."""
        if not is_uuid(room_id) or not is_uuid(message_id):
            return None
        key = {"room_id": binary(room_id), "_id": binary(message_id)}
        first = {**key, "type": EventType.MESSAGE_CREATED.value}

        async def changed() -> list[Document]:
            hidden = None if reactors else "reactions.users"
            return await self._engine.find(MESSAGES, {**key, "kind": MESSAGE}, without=hidden)

        begun, found = await asyncio.gather(self._engine.find(EVENTS, first), changed())
        if begun and not found and lacks_text(begun[0]):  # deleted between the two
            found = await changed()
        if found:
            return message_of(found[0])
        return created(event_of(begun[0])) if begun else None

    async def pinned(self, room_id: RoomId) -> list[Message]:
        """Return the pinned messages, the latest pin first, at most 100."""
        if not is_uuid(room_id):
            return []
        found = await self._engine.find(MESSAGES, {"room_id": binary(room_id), "marks": PIN_MARK})
        return latest_pins(list(map(message_of, found)))

    async def mentions(self, wanted: Sequence[_Wanted]) -> list[int]:
        """Count the mentions of each (user, room, read seq) past that seq."""
        counts: dict[_Wanted, int] = {}
        await asyncio.gather(*(self._count(some, counts) for some in _countable(wanted)))
        return [counts.get(each, 0) for each in wanted]

    async def _count(self, wanted: Sequence[_Wanted], counts: dict[_Wanted, int]) -> None:
        """Count for one user in different rooms."""
        await asyncio.gather(*(self._count_one(each, counts) for each in wanted))

    async def _count_one(self, wanted: _Wanted, counts: dict[_Wanted, int]) -> None:
        user, room_id, seq = wanted
        query = {
            "room_id": binary(room_id),
            "marks": {"$in": [binary(user), ROOM_MARK]},
            "seq": {"$gt": bounded(seq), "$lte": MAX_SEQ},
            "sender_id": {"$ne": binary(user)},
        }
        pipeline: list[Document] = [{"$match": query}, {"$group": {"_id": None, "count": {"$sum": 1}}}]
        found = await self._engine.aggregate(MESSAGES, pipeline)
        counts[wanted] = int(found[0]["count"]) if found else 0

    async def _page(
        self,
        room_id: RoomId,
        before: int | None,
        after: int | None,
        limit: int,
        head: int | None,
        *,
        types: Sequence[str],
    ) -> list[_Entry]:
        if not is_uuid(room_id) or limit <= 0:
            return []
        low, high = bounded(after or 0), await self._head(room_id) if head is None else bounded(head)
        if before is not None:
            high = min(high, before - 1)
        if after is not None and before is None:
            return (await self._upwards(room_id, low, high, limit, types))[::-1]
        return await self._downwards(room_id, low, high, limit, types)

    async def _around(
        self, room_id: RoomId, seq: int, limit: int, head: int | None, types: Sequence[str]
    ) -> list[_Entry]:
        if not is_uuid(room_id) or limit <= 0:
            return []
        end = await self._head(room_id) if head is None else bounded(head)
        middle = min(max(seq, 0), end)
        newer, older = await asyncio.gather(
            self._upwards(room_id, middle, end, limit, types), self._downwards(room_id, 0, middle, limit, types)
        )
        return centred(newer[::-1], older, limit)

    async def _head(self, room_id: RoomId) -> int:
        head = (await load_heads(self._engine, [room_id]))[room_id]
        return (await self._end(room_id, head)).seq if head.seq else 0

    async def _downwards(self, room_id: RoomId, low: int, high: int, limit: int, types: Sequence[str]) -> list[_Entry]:
        """Return the last entries with low < seq <= high, newest first.

        Nearly every event is an entry, so the first stretch nearly always has enough of them.
        """
        found: list[_Entry] = []
        length = 2 * limit
        while high > low and len(found) < limit:
            start = max(low, high - length)
            found += await self._stretch(room_id, start, high, limit - len(found), types, order=-1)
            high, length = start, _GROWTH * length
        return found

    async def _upwards(self, room_id: RoomId, low: int, high: int, limit: int, types: Sequence[str]) -> list[_Entry]:
        """Return the first entries with low < seq <= high, oldest first."""
        found: list[_Entry] = []
        length = 2 * limit
        while low < high and len(found) < limit:
            end = min(high, low + length)
            found += await self._stretch(room_id, low, end, limit - len(found), types, order=1)
            low, length = end, _GROWTH * length
        return found

    async def _stretch(
        self, room_id: RoomId, low: int, high: int, limit: int, types: Sequence[str], *, order: int
    ) -> list[_Entry]:
        """Return up to `limit` entries with low < seq <= high as they are now, from one end on.

        Two queries side by side: the entries as they began, and what became of messages there. No more of the latter than entries
        are wanted, since those of the first so many entries are among the first so many.
        """
        place = {"room_id": binary(room_id), "seq": {"$gt": low, "$lte": high}}

        def those(wanted: Document) -> list[Document]:
            # MongoDB makes one of the two matches; SecantusDB finds the first by the index, but would look through the room for both.
            return [{"$match": place}, {"$match": wanted}, {"$sort": {"seq": order}}, {"$limit": limit}]

        begun, changed = await asyncio.gather(
            self._engine.aggregate(EVENTS, those({"type": {"$in": list(types)}})),
            self._engine.aggregate(MESSAGES, those({"kind": MESSAGE})),
        )
        now = {bytes(each["_id"]): each for each in changed}
        gone = [each["_id"] for each in begun if bytes(each["_id"]) not in now and _is_deprived(each)]
        if gone:  # deleted between the two
            query = {"room_id": binary(room_id), "_id": {"$in": gone}, "kind": MESSAGE}
            now |= {bytes(each["_id"]): each for each in await self._engine.find(MESSAGES, query)}
        return [
            message_of(now[bytes(each["_id"])]) if bytes(each["_id"]) in now else _as_begun(event_of(each))
            for each in begun
        ]


def _is_deprived(document: Document) -> bool:
    return document["type"] == EventType.MESSAGE_CREATED.value and lacks_text(document)


def _as_begun(event: RoomEvent) -> _Entry:
    return created(event) if event.type == EventType.MESSAGE_CREATED else event


def _messages(entries: Sequence[_Entry]) -> list[Message]:
    return [each for each in entries if isinstance(each, Message)]


def _countable(wanted: Sequence[_Wanted]) -> list[list[_Wanted]]:
    """Return what is wanted in parts that are each of one user and of different rooms."""
    users: dict[tuple[UserId, int], dict[RoomId, _Wanted]] = {}
    for each in dict.fromkeys(wanted):
        user, room_id, _ = each
        if not (is_uuid(user) and is_uuid(room_id)):
            continue
        part = 0
        while room_id in (rooms := users.setdefault((user, part), {})) or len(rooms) >= _ROOMS:
            part += 1
        rooms[room_id] = each
    return [list(rooms.values()) for rooms in users.values()]
