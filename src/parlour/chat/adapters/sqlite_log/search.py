"""Full-text search over the room log's index."""

import base64
import json
import math
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from parlour.chat.adapters.sqlite_log.log import SqliteRoomLog
from parlour.chat.adapters.sqlite_log.query import Term, parse, units_of
from parlour.chat.adapters.sqlite_log.rows import MESSAGE_JSON, SEQ_BITS, EventRow, decode_rows
from parlour.chat.adapters.sqlite_log.words import Folded, fold, has_mark, room_mark, sender_mark
from parlour.chat.model import Message, SearchHit
from parlour.chat.ports import SearchQuery
from parlour.platform.clock import Clock
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import RoomId

WINDOW = 300
"""Candidates that are ranked together: the newest that match. The next page after them is made of the next newest."""

EXPANSIONS = 64
"""Words that a prefix stands for: the most frequent ones."""

HALF_LIFE = 30 * 86_400_000
"""Milliseconds in which the age of a message costs it a quarter of its score."""

_MAX_WINDOWS = 8
_LENGTH = 60.0
"""Characters of an ordinary message (BM25's average length)."""

_CANDIDATES = f"""
SELECT group_concat({MESSAGE_JSON}) FROM (
    SELECT rowid AS pk FROM fulltext WHERE fulltext MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid DESC LIMIT {WINDOW}
) f
CROSS JOIN events e ON e.pk = f.pk JOIN rooms r ON r.pk = e.place >> {SEQ_BITS} LEFT JOIN overlay o ON o.pk = e.pk
"""
_EXPAND = """
SELECT json_group_array(word) FROM (
    SELECT word FROM vocabulary WHERE word >= ?1 AND word < ?1 || char(1114111) ORDER BY magnitude DESC LIMIT ?2
)
"""
_RARITY = """
SELECT json_object('all', (SELECT max(pk) FROM events), 'of', (
    SELECT json_group_object(word, magnitude) FROM vocabulary WHERE word IN (SELECT value FROM json_each(?1))
))
"""
# Ids begin with their time, so the index on them finds where a time begins in the order of pk.
_FIRST_SINCE = "SELECT (SELECT pk FROM events WHERE id >= ?1 ORDER BY id LIMIT 1)"
_CLOCKS = 60_000
"""Milliseconds by which the clocks of processes that share a file may differ."""


class _Cursor(msgspec.Struct, array_like=True):
    """Where a page ended: the window [lower, upper] of pk, the last hit's score and pk, and what scores depend on."""

    lower: int
    upper: int
    score: float
    pk: int
    now: int
    weights: list[int]


class _Hit(NamedTuple):
    score: float
    pk: int
    row: EventRow
    highlights: list[tuple[int, int]]


class SqliteSearch:
    """The `Search` of a `SqliteRoomLog`.

    All terms of a query must be in a message. The newest `WINDOW` matches are ranked by BM25 and recency, then come the ones before
    those: a common word costs no more than a rare one, and every match is reached by following the cursor. Cost grows
    with the number of rooms (3 ms for 100) and, for several words that are common but hardly ever together, with the length
    of their lists. A prefix of at least two characters stands for its `EXPANSIONS` most frequent words.
    """

    def __init__(self, log: SqliteRoomLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def search(self, query: SearchQuery) -> tuple[list[SearchHit], str | None]:
        """Return hits, best first, and the cursor of the next page.

        Raises:
            InvalidRequest: `query.cursor` is none of this query's.
            Unavailable: it took too long, or SQLite failed.
        """
        terms = parse(query.text)
        cursor = _decode_cursor(query.cursor, len(terms)) if query.cursor is not None else None
        if not terms or not query.room_ids or query.limit <= 0:
            return [], None
        return await self._log.read(_search, query, terms, cursor, self._clock.now())


def _search(
    connection: sqlite3.Connection, query: SearchQuery, terms: Sequence[Term], cursor: _Cursor | None, now: int
) -> tuple[list[SearchHit], str | None]:
    expression = _expression(connection, query, terms)
    if expression is None:
        return [], None
    oldest, newest = _bounds(connection, query)
    if cursor is None:
        cursor = _Cursor(oldest, newest, math.inf, 0, now, _weights(connection, terms))
    ranking = _Ranking(query, terms, cursor)
    found: list[_Hit] = []
    for _ in range(_MAX_WINDOWS):
        rows = decode_rows(_one(connection, _CANDIDATES, (expression, cursor.lower, cursor.upper)))
        whole = len(rows) < WINDOW
        cursor.lower = cursor.lower if whole else min(row.pk for row in rows)
        window = ranking.after(cursor, rows)
        taken = window[: query.limit - len(found)]
        found += taken
        if len(taken) < len(window):
            cursor.score, cursor.pk = taken[-1].score, taken[-1].pk
            return _hits(found), _encode_cursor(cursor)
        if cursor.lower <= oldest:
            return _hits(found), None
        cursor.upper, cursor.lower, cursor.score, cursor.pk = cursor.lower - 1, oldest, math.inf, 0
        if len(found) == query.limit:
            break
    return _hits(found), _encode_cursor(cursor)


def _expression(connection: sqlite3.Connection, query: SearchQuery, terms: Sequence[Term]) -> str | None:
    """Return the FTS5 expression, None where a prefix begins no word."""
    parts = []
    for term in terms:
        expansions = json.loads(_one(connection, _EXPAND, (term.prefix, EXPANSIONS))) if term.prefix else []
        if term.prefix and not expansions:
            return None
        parts.append(term.match(expansions))
    marks = [sender_mark(query.from_user)] if query.from_user is not None else []
    if query.has is not None:
        marks.append(has_mark(query.has))
    parts += [_quoted(mark) for mark in marks]
    parts.append("(" + " OR ".join(_quoted(room_mark(room_id)) for room_id in query.room_ids) + ")")
    return " AND ".join(parts)


def _bounds(connection: sqlite3.Connection, query: SearchQuery) -> tuple[int, int]:
    oldest, newest = 0, connection.execute("SELECT coalesce(max(pk), 0) FROM events").fetchone()[0]
    if query.after is not None:
        since = _first_since(connection, query.after - _CLOCKS)
        oldest = newest + 1 if since is None else since
    if query.before is not None:
        until = _first_since(connection, query.before + _CLOCKS)
        newest = newest if until is None else min(newest, until)
    return oldest, newest


def _first_since(connection: sqlite3.Connection, at: int) -> int | None:
    at = min(max(at, 0), (1 << 48) - 1)
    found: int | None = connection.execute(_FIRST_SINCE, (at.to_bytes(6, "big"),)).fetchone()[0]
    return found


def _weights(connection: sqlite3.Connection, terms: Sequence[Term]) -> list[int]:
    """Return how rare each term is: 1 for one that every message holds, 1 more for each time that half as many do."""
    words = sorted({word for term in terms for word in term.words()})
    found = json.loads(_one(connection, _RARITY, (json.dumps(words),)))
    everything = math.log2(found["all"] or 1)
    magnitudes: dict[str, int] = found["of"]
    return [
        1
        + max(
            0, round(everything - min((magnitudes.get(word, everything) for word in term.words()), default=everything))
        )
        for term in terms
    ]


class _Ranking:
    """Scores candidates; what no longer matches (the index lags) is dropped."""

    def __init__(self, query: SearchQuery, terms: Sequence[Term], cursor: _Cursor) -> None:
        self._query = query
        self._rooms: frozenset[RoomId] = frozenset(query.room_ids)
        self._terms = terms
        self._weights = cursor.weights
        self._now = cursor.now

    def after(self, cursor: _Cursor, rows: Sequence[EventRow]) -> list[_Hit]:
        """Return the hits that come after the cursor's in its window, best first, newest first among equals."""
        hits = [hit for hit in map(self._hit, rows) if hit is not None]
        hits.sort(key=lambda hit: (-hit.score, -hit.pk))
        return [hit for hit in hits if (-hit.score, -hit.pk) > (-cursor.score, -cursor.pk)]

    def _hit(self, row: EventRow) -> _Hit | None:
        message = row.message()
        if not self._admits(message):
            return None
        folded = fold(message.text)
        units = units_of(folded.text)
        length = 1.2 * (0.25 + 0.75 * len(message.text) / _LENGTH)
        score = 0.0
        spans: list[tuple[int, int]] = []
        for term, weight in zip(self._terms, self._weights, strict=True):
            found = term.spans(folded.text, units)
            if not found:
                return None
            score += weight * 2.2 * len(found) / (len(found) + length)
            spans += found
        age = max(0, self._now - message.at)
        score *= 0.5 + 0.5 * 2.0 ** (-age / HALF_LIFE)
        return _Hit(round(score, 6), row.pk, row, _highlights(folded, spans))

    def _admits(self, message: Message) -> bool:
        query = self._query
        return (
            message.deleted_at is None
            and message.room_id in self._rooms
            and (query.from_user is None or message.sender_id == query.from_user)
            and (query.after is None or message.at > query.after)
            and (query.before is None or message.at < query.before)
        )


def _highlights(folded: Folded, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in the original text, in order, joined where they touch."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(folded.original(*span) for span in spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _hits(found: Sequence[_Hit]) -> list[SearchHit]:
    return [SearchHit(hit.row.message(), hit.score, hit.highlights) for hit in found]


def _encode_cursor(cursor: _Cursor) -> str:
    whole = msgspec.structs.replace(cursor, score=min(cursor.score, 1e9))  # JSON has no infinity
    return base64.urlsafe_b64encode(msgspec.json.encode(whole)).decode().rstrip("=")


def _decode_cursor(text: str, terms: int) -> _Cursor:
    try:
        padded = text + "=" * (-len(text) % 4)
        cursor = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=_Cursor)
    except ValueError as error:  # binascii's and msgspec's are ValueErrors
        raise InvalidRequest("The cursor is not one of a search.", details={"field": "cursor"}) from error
    bounds = (cursor.lower, cursor.upper, cursor.pk, cursor.now)
    if len(cursor.weights) != terms or not all(0 <= each < 1 << 63 for each in bounds):
        raise InvalidRequest("The cursor is of another search.", details={"field": "cursor"})
    return cursor


def _one(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> str:
    found: str | None = connection.execute(sql, parameters).fetchone()[0]
    return found or ""


def _quoted(mark: str) -> str:
    return f'"{mark}"'
