"""What a search looks at: the newest matches in windows that are ranked one by one, each bounded, and the cursor between two pages."""

import json
import math
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from parlour.chat.adapters.fulltext.cursors import LARGEST, decode, encode, fingerprint, of_another_search
from parlour.chat.adapters.fulltext.query import Term
from parlour.chat.adapters.fulltext.words import has_mark, room_mark, sender_mark
from parlour.chat.adapters.sqlite_log.ranking import Hit, Ranking, as_hits
from parlour.chat.adapters.sqlite_log.rows import MESSAGE_JSON, SEQ_BITS, EventRow, decode_rows, joined_ids
from parlour.chat.model import SearchHit
from parlour.chat.ports import SearchQuery

WINDOW = 200
"""Candidates that are ranked together: the newest that match. The next page after them is made of the next newest."""

EXPANSIONS = 64
"""Words that a prefix stands for: the most frequent ones."""

MARKED_ROOMS = 128
"""With more rooms the index is not asked for each of them (50 µs a room): what it finds is filtered by room instead."""

BUDGET = 0.25
"""Seconds after which no further window is begun: the page ends there, and the next goes on."""

CHARACTERS = 400_000
"""Of texts that a page ranks, about; the words of so many take up to some 50 ms of the interpreter."""

FIRST_STRETCH, LONGEST_STRETCH = 50_000, 400_000
"""Events of all rooms that are looked through for a window at a time where results are filtered by room: the first, and how far that
is doubled while a stretch takes less than `_SHORT` seconds. A stretch of which each event matches takes 1 µs an event."""

_SHORT = 0.01
_MAX_WINDOWS = 8

_JOINED = f"""
CROSS JOIN events e ON e.pk = f.pk JOIN rooms r ON r.pk = e.place >> {SEQ_BITS} LEFT JOIN overlay o ON o.pk = e.pk
"""
_CANDIDATES = f"""
SELECT group_concat({MESSAGE_JSON}) FROM (
    SELECT rowid AS pk FROM search.fulltext WHERE fulltext MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid DESC LIMIT ?4
) f {_JOINED}
"""
_CANDIDATES_OF_MANY_ROOMS = f"""
SELECT group_concat({MESSAGE_JSON}) FROM (
    SELECT t.rowid AS pk FROM search.fulltext t CROSS JOIN events e ON e.pk = t.rowid
    WHERE fulltext MATCH ?1 AND t.rowid BETWEEN ?2 AND ?3 AND e.place >> {SEQ_BITS} IN (SELECT value FROM json_each(?5))
    ORDER BY t.rowid DESC LIMIT ?4
) f {_JOINED}
"""
_ROOM_NUMBERS = """
SELECT json_group_array(pk) FROM rooms WHERE id IN (SELECT substr(?1, 1 + 16 * key, 16) FROM json_each(?2))
"""
_EXPAND = """
SELECT json_group_array(word) FROM (
    SELECT word FROM search.vocabulary WHERE word >= ?1 AND word < ?1 || char(1114111) ORDER BY magnitude DESC LIMIT ?2
)
"""
# Time grows with pk, so halving finds where a time begins.
_MIDDLE = "(SELECT at FROM events WHERE pk >= (low + high) / 2 ORDER BY pk LIMIT 1) < ?1"
_FIRST_SINCE = f"""
WITH RECURSIVE halving (low, high) AS (
    SELECT 1, coalesce(max(pk), 0) + 1 FROM events
    UNION ALL
    SELECT iif({_MIDDLE}, (low + high) / 2 + 1, low), iif({_MIDDLE}, high, (low + high) / 2) FROM halving WHERE low < high
)
SELECT low FROM halving WHERE low >= high
"""
_CLOCKS = 60_000
"""Milliseconds by which the clock may have been set back, or differ from another process's."""

_UNRANKED = 1e9
"""A score above all: of the place before a window's first hit."""


class Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Where a page ended.

    The window [lower, upper] of pk, the last hit's score and pk, the time that ages count from, and which query it is of.
    """

    lower: int
    upper: int
    score: float
    pk: int
    now: int
    query: int

    @property
    def order(self) -> tuple[float, int]:
        """The place in the window's order."""
        return -self.score, -self.pk

    @property
    def fresh(self) -> bool:
        """Whether nothing of the window was shown: only then may it still be made smaller."""
        return self.score >= _UNRANKED


def find(
    connection: sqlite3.Connection, query: SearchQuery, terms: Sequence[Term], cursor: Cursor | None, now: int
) -> tuple[list[SearchHit], str | None]:
    """Return a page of hits and the cursor of the next, by a connection to the log whose schema `search` is the index."""
    expression = _expression(connection, query, terms)
    if expression is None:
        return [], None
    oldest, newest = _bounds(connection, query)
    if cursor is None:
        cursor = Cursor(oldest, newest, _UNRANKED, 0, now, fingerprint(terms))
    looking = _Looking(connection, expression, query)
    ranking = Ranking(query, terms, cursor.now)
    found: list[Hit] = []
    for _ in range(_MAX_WINDOWS):
        window = ranking.after(cursor.order, looking.through(cursor))
        taken = window[: query.limit - len(found)]
        found += taken
        if len(taken) < len(window):
            cursor.score, cursor.pk = found[-1].score, found[-1].row.pk
            return as_hits(found, terms), encode(cursor)
        if cursor.lower <= oldest:
            return as_hits(found, terms), None
        cursor.upper, cursor.lower, cursor.score, cursor.pk = cursor.lower - 1, oldest, _UNRANKED, 0
        if len(found) == query.limit or looking.tired:
            break
    return as_hits(found, terms), encode(cursor)


class _Looking:
    """Takes the candidates of one page out of the index, within its bounds."""

    def __init__(self, connection: sqlite3.Connection, expression: str, query: SearchQuery) -> None:
        self._connection = connection
        self._expression = expression
        self._rooms: str | None = None
        if len(query.room_ids) > MARKED_ROOMS:
            self._rooms = _one(connection, _ROOM_NUMBERS, joined_ids(query.room_ids))
        self._until = time.monotonic() + BUDGET
        self._characters = CHARACTERS

    @property
    def tired(self) -> bool:
        """Whether the page should end here."""
        return self._characters <= 0 or time.monotonic() > self._until

    def through(self, window: Cursor) -> list[EventRow]:
        """Return the newest matches in a window; a fresh one is made as small as what was looked at."""
        rows, lower = self._all(window) if self._rooms is None else self._stretches(window, self._rooms)
        if not window.fresh:
            return rows
        kept = 0
        for row in rows:
            self._characters -= len(row.text or "")
            kept += 1
            if self._characters <= 0:
                break
        if kept == WINDOW or kept < len(rows):
            lower = rows[kept - 1].pk
        window.lower = lower
        return rows[:kept]

    def _all(self, window: Cursor) -> tuple[list[EventRow], int]:
        parameters = (self._expression, window.lower, window.upper, WINDOW)
        return _newest_first(_one(self._connection, _CANDIDATES, parameters)), window.lower

    def _stretches(self, window: Cursor, rooms: str) -> tuple[list[EventRow], int]:
        """Return candidates and down to where they were looked for.

        That is told in the cursor, so it must not depend on how often the words are in rooms that the caller cannot read: it is
        the time that ends a page, after any number of stretches.
        """
        rows: list[EventRow] = []
        high, length = window.upper, FIRST_STRETCH
        while high >= window.lower and len(rows) < WINDOW:
            begun = time.monotonic()
            low = max(window.lower, high - length + 1)
            parameters = (self._expression, low, high, WINDOW - len(rows), rooms)
            rows += _newest_first(_one(self._connection, _CANDIDATES_OF_MANY_ROOMS, parameters))
            high = low - 1
            if time.monotonic() - begun < _SHORT:
                length = min(2 * length, LONGEST_STRETCH)
            if window.fresh and time.monotonic() > self._until:
                break
        return rows, high + 1


def _newest_first(joined: str) -> list[EventRow]:
    return sorted(decode_rows(joined), key=lambda row: row.pk, reverse=True)


def _expression(connection: sqlite3.Connection, query: SearchQuery, terms: Sequence[Term]) -> str | None:
    """Return the FTS5 expression, None where a prefix begins no word."""
    parts = []
    for term in terms:
        expansions = json.loads(_one(connection, _EXPAND, (term.prefix, EXPANSIONS))) if term.prefix else []
        if term.prefix and not expansions:
            return None
        parts.append(_matching(term, expansions))
    marks = [sender_mark(query.from_user)] if query.from_user is not None else []
    if query.has is not None:
        marks.append(has_mark(query.has))
    parts += map(_quoted, marks)
    if len(query.room_ids) <= MARKED_ROOMS:
        parts.append("(" + " OR ".join(_quoted(room_mark(room_id)) for room_id in query.room_ids) + ")")
    return " AND ".join(parts)


def _matching(term: Term, expansions: Sequence[str]) -> str:
    """Return the FTS5 expression of a term; a prefix stands for the words `expansions`."""
    if term.prefix:
        return "(" + " OR ".join(map(_quoted, expansions)) + ")"
    return _quoted(term.single or " ".join(term.units))


def _bounds(connection: sqlite3.Connection, query: SearchQuery) -> tuple[int, int]:
    """Return the first and last pk worth looking at; messages are tested against the times themselves later."""
    oldest = 0 if query.after is None else _first_since(connection, query.after - _CLOCKS)
    if query.before is not None:
        return oldest, _first_since(connection, query.before + _CLOCKS)
    newest: int = connection.execute("SELECT coalesce(max(pk), 0) FROM events").fetchone()[0]
    return oldest, newest


def _first_since(connection: sqlite3.Connection, at: int) -> int:
    found: int = connection.execute(_FIRST_SINCE, (min(max(at, 0), LARGEST),)).fetchone()[0]
    return found


def opened(text: str, terms: Sequence[Term]) -> Cursor:
    """Return the cursor that a client sent for a query.

    Raises:
        InvalidRequest: it is none, or of another query.
    """
    cursor = decode(text, Cursor)
    numbers = (cursor.lower, cursor.upper, cursor.pk, cursor.now)
    bounded = all(0 <= each < LARGEST for each in numbers) and math.isfinite(cursor.score)
    if not bounded or cursor.query != fingerprint(terms):
        raise of_another_search()
    return cursor


def _one(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> str:
    found: str | None = connection.execute(sql, parameters).fetchone()[0]
    return found or ""


def _quoted(words: str) -> str:
    return f'"{words}"'
