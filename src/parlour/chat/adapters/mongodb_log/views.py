"""Folding a stretch of rooms' logs into `messages`, so that doing it twice, or beside another process, is harmless.

A message that is as its first event says is in the log alone. Each document says as of which seq it is and gives way only to a newer
one. A head is written last: up to there what events leave in `messages` is there, and what was deleted is gone. Whoever goes on
behind a head folds what is past it again.
"""

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence

from pymongo import UpdateOne

from parlour.chat.adapters.log_entries import packed, unhex
from parlour.chat.adapters.mongodb_log.documents import (
    MESSAGE,
    View,
    binary,
    data_fields,
    event_of,
    point,
    without_text,
)
from parlour.chat.adapters.mongodb_log.engine import Document, Engine
from parlour.chat.adapters.mongodb_log.schema import EVENTS, HEADS, MESSAGES
from parlour.chat.fold import ON_MESSAGES
from parlour.chat.model import EventType, RoomEvent, Tail
from parlour.platform.ids import EventId, RoomId, is_uuid

MAX_VIEW = 15_000_000
"""Bytes, about, of one message's document; MongoDB takes 16 MiB. 10,000 users may react to it with 50 emoji each: 8 MB."""

LOOKED_UP, _HEADS = 200, 2_000
"""Commands or messages of one query, and rooms of one that asks for their heads or what is behind."""


class Fold:
    """The messages that a stretch of events begins or changes, of any number of rooms."""

    def __init__(self, documents: Iterable[Document] = ()) -> None:
        """Take the documents of messages that are there already."""
        self._views = {view.message.id: view for view in map(View.load, documents)}
        self._begun: dict[EventId, View] = {}
        self._changed: dict[EventId, View] = {}
        self._deleted: dict[EventId, View] = {}

    def add(self, event: RoomEvent) -> bool:
        """Fold the next event of its room; tell whether it has a text that must not be in the log: its message is deleted."""
        if event.type == EventType.MESSAGE_CREATED:
            if event.id not in self._views:  # else another process was here before
                self._views[event.id] = self._begun[event.id] = View.begin(event)
        elif event.type in ON_MESSAGES:
            return self._change(event)
        return False

    def _change(self, event: RoomEvent) -> bool:
        view = self._views.get(event.data.get("message_id", ""))
        if view is None or view.message.room_id != event.room_id:
            return False
        gone = view.deleted
        if view.apply(event):
            self._changed[view.message.id] = view
        if event.type == EventType.MESSAGE_DELETED and view.deleted:  # also again: the log may still have its text
            self._deleted[view.message.id] = view
        return gone and event.type == EventType.MESSAGE_EDITED and event.seq > view.message.version

    def largest(self) -> int:
        """Return about how many bytes the largest of the changed messages has."""
        return max((view.size() for view in self._changed.values()), default=0)

    async def write(self, engine: Engine) -> None:
        """Write the messages, and take the texts of deleted ones out of the log."""
        begun = [view.document() for key, view in self._begun.items() if view.marked and key not in self._changed]
        changed = [view.document() for view in self._changed.values()]
        work: list[Awaitable[None]] = []
        if begun:
            work.append(engine.insert_missing(MESSAGES, begun))  # what is there is of the same event, or newer
        if changed:
            work.append(engine.update(MESSAGES, [_newer(document) for document in changed]))
        await asyncio.gather(*work)
        if self._deleted:  # last: whoever finds an event without its text finds in `messages` what became of it
            await _redact(engine, list(self._deleted.values()))


async def load(
    engine: Engine, wanted: Iterable[tuple[RoomId, EventId]], new: Collection[tuple[RoomId, EventId]] = ()
) -> list[Document]:
    """Return the documents of messages, each of its room; of one that is as its first event says, what it would be.

    Of `new` ones, whose first event is yet to be folded, only what is there already.
    """
    keys = list(dict.fromkeys(wanted))
    found: list[Document] = []
    for start in range(0, len(keys), LOOKED_UP):
        some = keys[start : start + LOOKED_UP]
        query = {
            "_id": {"$in": [binary(message_id) for message_id in {message_id for _, message_id in some}]},
            "room_id": {"$in": [binary(room_id) for room_id in {room_id for room_id, _ in some}]},
        }
        there = await engine.find(MESSAGES, {**query, "kind": MESSAGE})
        ids = {bytes(each["_id"]) for each in there} | {packed(message_id) for _, message_id in new}
        if left := [each for each in query["_id"]["$in"] if bytes(each) not in ids]:
            plain = await engine.find(EVENTS, {**query, "_id": {"$in": left}, "type": EventType.MESSAGE_CREATED.value})
            there += [View.begin(event_of(each)).document() for each in plain]
        found += there
    mine = {(bytes(binary(room_id)), bytes(binary(message_id))) for room_id, message_id in keys}
    return [each for each in found if (bytes(each["room_id"]), bytes(each["_id"])) in mine]


def target_of(event_type: EventType, room_id: RoomId, data: Document) -> tuple[RoomId, EventId] | None:
    """Return which message an event names, None where it names none."""
    message_id = data.get("message_id") if event_type in ON_MESSAGES else None
    return (room_id, EventId(message_id)) if isinstance(message_id, str) and is_uuid(message_id) else None


async def any_of(
    engine: Engine, collection: str, branches: Sequence[Document], only: Sequence[str] = ()
) -> list[Document]:
    """Return the documents that one of the queries wants, each of which names its room."""
    found: list[Document] = []
    for start in range(0, len(branches), LOOKED_UP):
        some = branches[start : start + LOOKED_UP]
        found += await engine.find(collection, some[0] if len(some) == 1 else {"$or": some}, only=only)
    return found


async def load_heads(engine: Engine, rooms: Iterable[RoomId]) -> dict[RoomId, Tail]:
    """Return up to where rooms are complete, `Tail()` for one that has no head."""
    ids = {bytes(binary(room_id)): room_id for room_id in rooms}
    tails = dict.fromkeys(ids.values(), Tail())
    keys = [binary(room_id) for room_id in tails]
    for start in range(0, len(keys), _HEADS):
        for head in await engine.find(HEADS, {"_id": {"$in": keys[start : start + _HEADS]}}):
            tails[ids[bytes(head["_id"])]] = Tail(int(head["seq"]), int(head["at"]))
    return tails


async def going_on(engine: Engine, tails: Mapping[RoomId, Tail]) -> list[RoomId]:
    """Return those rooms that have an event right behind where they are said to end."""
    places = [(binary(room_id), point(room_id, tail.seq + 1)) for room_id, tail in tails.items()]
    found: list[RoomId] = []
    for start in range(0, len(places), _HEADS):
        some = places[start : start + _HEADS]
        query = {
            "point": {"$in": [place for _, place in some]},
            "room_id": {"$in": [room_id for room_id, _ in some]},
        }
        found += [RoomId(unhex(each["room_id"].hex())) for each in await engine.find(EVENTS, query, only=("room_id",))]
    return found


async def write_heads(engine: Engine, tails: Mapping[RoomId, Tail]) -> None:
    """Move heads forward."""
    updates = [
        UpdateOne(
            {"_id": binary(room_id), "seq": {"$lt": tail.seq}}, {"$set": {"seq": tail.seq, "at": tail.at}}, upsert=True
        )
        for room_id, tail in tails.items()
    ]
    await engine.update(HEADS, updates)


def _newer(document: Document) -> UpdateOne:
    fields = {key: value for key, value in document.items() if key not in ("_id", "room_id", "seq")}
    return UpdateOne(
        {"room_id": document["room_id"], "seq": document["seq"], "as_of": {"$lt": document["as_of"]}},
        {"$set": fields, "$setOnInsert": {"_id": document["_id"]}},
        upsert=True,
    )


async def _redact(engine: Engine, views: Sequence[View]) -> None:
    branches = [{"room_id": binary(view.message.room_id), "seq": {"$in": view.texts}} for view in views]
    found = await any_of(engine, EVENTS, branches, only=("room_id", "seq", "data"))
    updates = [
        UpdateOne({"room_id": each["room_id"], "seq": each["seq"]}, {"$set": data_fields(without_text(each["data"]))})
        for each in found
    ]
    await engine.update(EVENTS, updates)
