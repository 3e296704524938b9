"""The queries behind the reading half of the room log; each answers with one row, see rows.py."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from parlour.chat.adapters.log_entries import centred, latest_pins, packed, unhex
from parlour.chat.adapters.sqlite_log.rows import (
    CODES,
    CREATED,
    EVENT_JSON,
    MESSAGE_JSON,
    OUTLINE_JSON,
    SEQ_BITS,
    SEQ_MASK,
    EventRow,
    decode_rows,
    joined_ids,
    repeat_hash,
)
from parlour.chat.model import AMONG_MESSAGES, Message, RoomEvent, Tail
from parlour.platform.ids import ClientId, EventId, RoomId, UserId, is_uuid

_ROOM = "(SELECT pk FROM rooms WHERE id = ?1)"
_JOINED = f"JOIN rooms r ON r.pk = e.place >> {SEQ_BITS} LEFT JOIN overlay o ON o.pk = e.pk"

_TAILS = f"""
SELECT json_group_array(json(coalesce((
    SELECT json_array(place & {SEQ_MASK}, at) FROM events
    WHERE place BETWEEN w.room << {SEQ_BITS} AND w.room << {SEQ_BITS} | {SEQ_MASK} ORDER BY place DESC LIMIT 1
), json_array(0, 0))))
FROM (
    SELECT (SELECT pk FROM rooms WHERE id = substr(?1, 1 + 16 * key, 16)) AS room FROM json_each(?2) ORDER BY key
) w
"""
_STRETCH = f"place > {_ROOM} << {SEQ_BITS} | ?2 AND place <= {_ROOM} << {SEQ_BITS} | ?3"
_EVENTS = f"""
SELECT group_concat({EVENT_JSON} || ']') FROM (
    SELECT * FROM events WHERE {_STRETCH}
    AND (?4 IS NULL OR (SELECT sum(length(CAST(data AS BLOB))) FROM events WHERE {_STRETCH}) <= ?4) ORDER BY place
) e JOIN rooms r ON r.pk = e.place >> {SEQ_BITS}
"""
_FIND = f"""
SELECT group_concat({EVENT_JSON} || ']') FROM events e JOIN rooms r ON r.pk = e.place >> {SEQ_BITS}
WHERE e.repeat = ?1 AND e.place >> {SEQ_BITS} = ?2 AND e.sender = ?3 AND e.client = ?4
"""


_ROOMS = """
SELECT json_group_array(hex(id)) FROM (SELECT id FROM rooms WHERE id > ?1 ORDER BY id LIMIT ?2)
"""


def _pages(types: Iterable[int]) -> tuple[str, str]:
    newest, oldest = (
        f"""
SELECT group_concat({MESSAGE_JSON}) FROM (
    SELECT * FROM events
    WHERE place > {_ROOM} << {SEQ_BITS} | ?2 AND place < {_ROOM} << {SEQ_BITS} | ?3 AND type IN ({",".join(map(str, types))})
    ORDER BY place {order} LIMIT ?4
) e {_JOINED}
"""
        for order in ("DESC", "ASC")
    )
    return newest, oldest


_PAGES = _pages([CREATED])
_ENTRIES = _pages([CREATED, *(CODES[kind] for kind in AMONG_MESSAGES)])
_MESSAGE, _OUTLINE = (
    f"SELECT group_concat({shape}) FROM events e {_JOINED} WHERE e.id = ?1 AND e.type = {CREATED}"
    for shape in (MESSAGE_JSON, OUTLINE_JSON)
)
_PINNED = f"""
SELECT group_concat({MESSAGE_JSON}) FROM (
    SELECT pk FROM overlay
    WHERE pinned AND place BETWEEN {_ROOM} << {SEQ_BITS} AND {_ROOM} << {SEQ_BITS} | {SEQ_MASK}
) p CROSS JOIN events e ON e.pk = p.pk {_JOINED}
"""
_MENTIONS = f"""
SELECT json_group_array((
    SELECT count(*) FROM mentions
    WHERE user = w.user AND place > w.room << {SEQ_BITS} | w.seq AND place <= w.room << {SEQ_BITS} | {SEQ_MASK}
) + (
    SELECT count(*) FROM mentions WHERE user = x'' AND sender <> w.user
    AND place > w.room << {SEQ_BITS} | w.seq AND place <= w.room << {SEQ_BITS} | {SEQ_MASK}
))
FROM (
    SELECT substr(?1, 1 + 16 * key, 16) AS user, value AS seq,
        (SELECT pk FROM rooms WHERE id = substr(?2, 1 + 16 * key, 16)) AS room
    FROM json_each(?3) ORDER BY key
) w
"""


def tails(connection: sqlite3.Connection, room_ids: Sequence[RoomId]) -> dict[RoomId, Tail]:
    """Return the last seq of each room and its time, 0 and 0 for one without events."""
    found: list[list[int]] = json.loads(_one(connection, _TAILS, joined_ids(room_ids)))
    return {room_id: Tail(*tail) for room_id, tail in zip(room_ids, found, strict=True)}


def rooms(connection: sqlite3.Connection, after: str, limit: int) -> list[RoomId]:
    """Return the ids of rooms, in order."""
    ((found,),) = connection.execute(_ROOMS, (packed(after) if after else b"", limit)).fetchall()
    return [RoomId(unhex(digits)) for digits in json.loads(found)]


def events(
    connection: sqlite3.Connection, room_id: RoomId, after: int, upto: int, max_bytes: int | None
) -> list[RoomEvent]:
    """Return the events with after < seq <= upto, in order; none, where their `data` is over `max_bytes` as JSON."""
    if not is_uuid(room_id) or after >= upto:
        return []
    rows = decode_rows(_one(connection, _EVENTS, (packed(room_id), _seq(after), _seq(upto), max_bytes)))
    rows.sort(key=lambda row: row.seq)
    return [row.event() for row in rows]


def find(connection: sqlite3.Connection, room_id: RoomId, sender_id: UserId, client_id: ClientId) -> RoomEvent | None:
    """Return the event that a repeat of this command would be answered with, None where there is none."""
    if not (is_uuid(room_id) and is_uuid(sender_id) and is_uuid(client_id)):
        return None
    room = connection.execute("SELECT pk FROM rooms WHERE id = ?", (packed(room_id),)).fetchone()
    if room is None:
        return None
    key = (room[0], packed(sender_id), packed(client_id))
    rows = decode_rows(_one(connection, _FIND, (repeat_hash(*key), *key)))
    return min(rows, key=lambda row: row.pk).event() if rows else None


def page(
    connection: sqlite3.Connection, room_id: RoomId, before: int | None, after: int | None, limit: int
) -> list[Message]:
    """Return up to `limit` messages with after < seq < before, newest first: the last ones, with only `after` the first ones."""
    return [row.message() for row in _rows(connection, _PAGES, room_id, limit, before=before, after=after)]


def entries(
    connection: sqlite3.Connection, room_id: RoomId, before: int | None, after: int | None, limit: int
) -> list[Message | RoomEvent]:
    """Return the same with the events `AMONG_MESSAGES`."""
    return [_entry(row) for row in _rows(connection, _ENTRIES, room_id, limit, before=before, after=after)]


def around(connection: sqlite3.Connection, room_id: RoomId, seq: int, limit: int) -> list[Message]:
    """Return up to `limit` messages around `seq`, newest first."""
    return [row.message() for row in _rows_around(connection, _PAGES, room_id, seq, limit)]


def entries_around(connection: sqlite3.Connection, room_id: RoomId, seq: int, limit: int) -> list[Message | RoomEvent]:
    """Return the same with the events `AMONG_MESSAGES`."""
    return [_entry(row) for row in _rows_around(connection, _ENTRIES, room_id, seq, limit)]


def _rows(
    connection: sqlite3.Connection,
    queries: tuple[str, str],
    room_id: RoomId,
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
) -> list[EventRow]:
    if not is_uuid(room_id) or limit <= 0:
        return []
    newest, oldest = queries
    query = oldest if after is not None and before is None else newest
    bounds = (_seq(after or 0), SEQ_MASK if before is None else _seq(before))
    return _newest_first(_one(connection, query, (packed(room_id), *bounds, limit)))


def _rows_around(
    connection: sqlite3.Connection, queries: tuple[str, str], room_id: RoomId, seq: int, limit: int
) -> list[EventRow]:
    if limit <= 0:
        return []
    # Both sides whole: what one side lacks at an end of the room, the other may fill.
    newer = _rows(connection, queries, room_id, limit, after=seq)
    older = _rows(connection, queries, room_id, limit, before=seq + 1)
    return centred(newer, older, limit)


def _entry(row: EventRow) -> Message | RoomEvent:
    return row.message() if row.type == CREATED else row.event()


def message(
    connection: sqlite3.Connection, room_id: RoomId, message_id: EventId, *, reactors: bool = True
) -> Message | None:
    """Return one message as it is now, None where the room has no such message."""
    if not is_uuid(room_id) or not is_uuid(message_id):
        return None
    found = _messages(_one(connection, _MESSAGE if reactors else _OUTLINE, (packed(message_id),)))
    return found[0] if found and found[0].room_id == room_id else None


def pinned(connection: sqlite3.Connection, room_id: RoomId) -> list[Message]:
    """Return the pinned messages, the latest pin first, at most 100."""
    if not is_uuid(room_id):
        return []
    return latest_pins(_messages(_one(connection, _PINNED, (packed(room_id),))))


def mentions(connection: sqlite3.Connection, wanted: Sequence[tuple[UserId, RoomId, int]]) -> list[int]:
    """Count the mentions of each (user, room, read seq) past that seq."""
    users, _ = joined_ids([user for user, _, _ in wanted])
    rooms, _ = joined_ids([room for _, room, _ in wanted])
    seqs = json.dumps([_seq(seq) for _, _, seq in wanted])
    counts: list[int] = json.loads(_one(connection, _MENTIONS, (users, rooms, seqs)))
    return counts


def _one(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> str:
    found: str | None = connection.execute(sql, parameters).fetchone()[0]
    return found or ""


def _messages(joined: str) -> list[Message]:
    return [row.message() for row in _newest_first(joined)]


def _newest_first(joined: str) -> list[EventRow]:
    return sorted(decode_rows(joined), key=lambda row: row.seq, reverse=True)


def _seq(number: int) -> int:
    return min(max(number, 0), SEQ_MASK)
