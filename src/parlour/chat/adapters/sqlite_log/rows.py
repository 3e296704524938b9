"""How ids, events and messages stand in the tables, and how many rows travel as one.

A thread that comes back from SQLite to Python waits for the interpreter lock, up to 5 ms when the loop is busy, and it
does so once a row fetched. So every query answers with a single row: JSON that SQLite has joined together, which
msgspec decodes in one call. Ids are 16-byte blobs in the tables and hexadecimal in that JSON.
"""

import functools
import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from parlour.chat.adapters.log_entries import packed, unhex
from parlour.chat.model import EventType, Message, RoomEvent
from parlour.platform.ids import ClientId, EventId, RoomId, UserId, is_uuid

SEQ_BITS = 32
SEQ_MASK = (1 << SEQ_BITS) - 1
"""An event's `place` is its room's number << 32 | its seq, so that a stretch of a room's log is a range of places."""

CODES = {kind: code for code, kind in enumerate(EventType, start=1)}
"""How types stand in the table. New types of event are added at the end of `EventType`."""
TYPES = {code: kind for kind, code in CODES.items()}
CREATED = CODES[EventType.MESSAGE_CREATED]

EVENT_JSON = """'[' || (e.place & 4294967295) || ',"' || hex(e.id) || '",' || e.type || ',"' || hex(e.sender) || '","'
    || hex(e.client) || '",' || e.at || ',' || e.data || ',"' || hex(r.id) || '",' || e.pk"""
"""SQL of one row of `events e JOIN rooms r` as the JSON of an `EventRow`; `]` or further items are to follow."""

_OVERLAY = """ || ',' || coalesce(o.view, 'null')"""
_REACTIONS = """ || CASE WHEN o.pk IS NULL THEN '' ELSE ',' || (
    SELECT json_group_array(json_array(emoji, hex(user)))
    FROM (SELECT emoji, user FROM reactions WHERE message = e.pk ORDER BY place)
) END"""
_EMOJI = """ || CASE WHEN o.pk IS NULL THEN '' ELSE ',' || (
    WITH RECURSIVE different (emoji) AS (
        SELECT (SELECT emoji FROM reactions WHERE message = e.pk ORDER BY emoji LIMIT 1)
        UNION ALL
        SELECT (SELECT emoji FROM reactions WHERE message = e.pk AND emoji > d.emoji ORDER BY emoji LIMIT 1)
        FROM different d WHERE d.emoji IS NOT NULL
    )
    SELECT json_group_array(json_array(emoji, '')) FROM different WHERE emoji IS NOT NULL
) END"""
BARE_JSON = EVENT_JSON + _OVERLAY + " || ']'"
"""The same of `events e JOIN rooms r LEFT JOIN overlay o`, without reactions."""
MESSAGE_JSON = EVENT_JSON + _OVERLAY + _REACTIONS + " || ']'"
"""With them, in the order in which they were added."""
OUTLINE_JSON = EVENT_JSON + _OVERLAY + _EMOJI + " || ']'"
"""With the different emoji, but without the users: as quick as there are few of those."""


class Overlay(msgspec.Struct, omit_defaults=True):
    """What of a message differs from its `message.created`, but for reactions; `text` is None where no edit changed it."""

    version: int
    text: str | None = None
    mentions: list[UserId] | None = None
    mentions_room: bool = False
    edited_at: int | None = None
    deleted_at: int | None = None
    pinned_at: int | None = None
    pinned_by: UserId | None = None


class EventRow(msgspec.Struct, array_like=True):
    """An event as SQLite joins it; ids in hexadecimal, `pk` counts the events of all rooms in the order committed."""

    seq: int
    id: str
    type: int
    sender: str
    client: str
    at: int
    data: dict[str, Any]
    room: str
    pk: int
    overlay: Overlay | None = None
    reactions: list[tuple[str, str]] = []
    """Emoji and user, the first reaction first; an emoji without a user stands for those of all."""

    def event(self) -> RoomEvent:
        """Return the event."""
        return RoomEvent(
            RoomId(unhex(self.room)),
            self.seq,
            EventId(unhex(self.id)),
            TYPES[self.type],
            UserId(unhex(self.sender)),
            ClientId(unhex(self.client)),
            self.at,
            self.data,
        )

    @property
    def text(self) -> str | None:
        """The message's text as it is now, None where it is deleted."""
        written: str = self.data.get("text", "")
        if self.overlay is None:
            return written
        if self.overlay.deleted_at is not None:
            return None
        return written if self.overlay.text is None else self.overlay.text

    def message(self) -> Message:
        """Return the message that this `message.created` has become."""
        data, overlay = self.data, self.overlay
        message = Message(
            id=EventId(unhex(self.id)),
            room_id=RoomId(unhex(self.room)),
            seq=self.seq,
            sender_id=UserId(unhex(self.sender)),
            client_id=ClientId(unhex(self.client)),
            at=self.at,
            text=data.get("text", ""),
            version=self.seq,
            reply_to=data.get("reply_to"),
            mentions=data.get("mentions", []),
            mentions_room=data.get("mentions_room", False),
        )
        if overlay is not None:
            message.version = overlay.version
            if overlay.text is not None:
                message.text = overlay.text
                message.mentions = overlay.mentions or []
                message.mentions_room = overlay.mentions_room
            message.edited_at = overlay.edited_at
            message.deleted_at = overlay.deleted_at
            message.pinned_at = overlay.pinned_at
            message.pinned_by = overlay.pinned_by
        for emoji, user in self.reactions:
            users = message.reactions.setdefault(emoji, [])
            if user:
                users.append(UserId(unhex(user)))
        return message


def overlay_of(message: Message) -> str:
    """Return the JSON of what changed in `message` since it was created, but for its reactions."""
    changed = message.edited_at is not None and message.deleted_at is None
    return msgspec.json.encode(
        Overlay(
            message.version,
            message.text if changed else None,
            message.mentions if changed else None,
            message.mentions_room if changed else False,
            message.edited_at,
            message.deleted_at,
            message.pinned_at,
            message.pinned_by,
        )
    ).decode()


_decode_rows = msgspec.json.Decoder(list[EventRow]).decode


def decode_rows(joined: str | None) -> list[EventRow]:
    """Decode what a query joined by commas; None where it found nothing."""
    return _decode_rows("[" + joined + "]") if joined else []


def repeat_hash(room: int, sender: bytes, client: bytes) -> int:
    """Return what a command and its repeats have in common in `events.repeat`; others may by chance."""
    # The room in front keeps the pages of busy rooms together.
    digest = hashlib.blake2b(sender + client, digest_size=5).digest()
    return (room & 0x7FFFFF) << 40 | int.from_bytes(digest, "big")


def joined_ids(identifiers: Iterable[str]) -> tuple[bytes, str]:
    """Return ids as the two parameters of `json_each(?2)` over `substr(?1, 1 + 16 * key, 16)`; no UUID matches nothing.

    SQLite's JSON has no blobs, and a list of parameters would make a new statement for every length.
    """
    nowhere = bytes(16)
    blobs = [packed(each) if is_uuid(each) else nowhere for each in identifiers]
    return b"".join(blobs), "[" + ",".join("0" * len(blobs)) + "]"


@functools.cache
def with_rows(sql: str, columns: int, rows: int) -> str:
    """Return an INSERT with that many rows of parameters: one statement, so one return from SQLite, for all of them."""
    row = "(" + ",".join("?" * columns) + ")"
    return sql + " VALUES " + ",".join([row] * rows)
