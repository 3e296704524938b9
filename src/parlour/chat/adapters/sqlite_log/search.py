"""Full-text search over the room log's index."""

import asyncio
import base64
import contextlib
import json
import logging
import math
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from parlour.chat.adapters.sqlite_log.index import Indexer
from parlour.chat.adapters.sqlite_log.index_file import Identity, IndexFile, broken
from parlour.chat.adapters.sqlite_log.log import SqliteRoomLog
from parlour.chat.adapters.sqlite_log.query import Term, parse, units_of
from parlour.chat.adapters.sqlite_log.rows import MESSAGE_JSON, SEQ_BITS, EventRow, decode_rows, joined_ids
from parlour.chat.adapters.sqlite_log.schema import open_connection
from parlour.chat.adapters.sqlite_log.threads import Threads
from parlour.chat.adapters.sqlite_log.words import fold, has_mark, room_mark, sender_mark, words_in
from parlour.chat.model import SearchHit
from parlour.chat.ports import SearchQuery
from parlour.platform.clock import Clock
from parlour.platform.errors import InvalidRequest, Unavailable
from parlour.platform.ids import RoomId

logger = logging.getLogger(__name__)

WINDOW = 200
"""Candidates that are ranked together: the newest that match. The next page after them is made of the next newest."""

EXPANSIONS = 64
"""Words that a prefix stands for: the most frequent ones."""

HALF_LIFE = 30 * 86_400_000
"""Milliseconds in which the age of a message costs it a quarter of its score."""

_MAX_WINDOWS = 8
_LENGTH = 60.0
"""Characters of an ordinary message (BM25's average length)."""

MARKED_ROOMS = 128
"""With more rooms the index is not asked for each of them (50 µs a room): what it finds is filtered by room instead."""

_JOINED = f"""
CROSS JOIN events e ON e.pk = f.pk JOIN rooms r ON r.pk = e.place >> {SEQ_BITS} LEFT JOIN overlay o ON o.pk = e.pk
"""
_CANDIDATES = f"""
SELECT group_concat({MESSAGE_JSON}) FROM (
    SELECT rowid AS pk FROM search.fulltext WHERE fulltext MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid DESC LIMIT {WINDOW}
) f {_JOINED}
"""
_CANDIDATES_OF_MANY_ROOMS = f"""
SELECT group_concat({MESSAGE_JSON}) FROM (
    SELECT t.rowid AS pk FROM search.fulltext t CROSS JOIN events e ON e.pk = t.rowid
    WHERE fulltext MATCH ?1 AND t.rowid BETWEEN ?2 AND ?3 AND e.place >> {SEQ_BITS} IN (
        SELECT pk FROM rooms WHERE id IN (SELECT substr(?4, 1 + 16 * key, 16) FROM json_each(?5))
    )
    ORDER BY t.rowid DESC LIMIT {WINDOW}
) f {_JOINED}
"""
_EXPAND = """
SELECT json_group_array(word) FROM (
    SELECT word FROM search.vocabulary WHERE word >= ?1 AND word < ?1 || char(1114111) ORDER BY magnitude DESC LIMIT ?2
)
"""
_RARITY = """
SELECT json_object('all', (SELECT max(pk) FROM events), 'of', (
    SELECT json_group_object(word, magnitude) FROM search.vocabulary WHERE word IN (SELECT value FROM json_each(?1))
))
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


NICE = 5
"""Niceness of the threads of search: below what serves sockets, above nothing else; a thread that the others starve holds the
interpreter lock for the longer, so no more than needed."""

BUSY_TIMEOUT = 5.0
"""Seconds that a step waits for another process's."""

WAITING = 100
"""Searches that may wait for the thread."""


class _Parts(NamedTuple):
    file: IndexFile
    indexer: Indexer
    following: sqlite3.Connection
    reading: sqlite3.Connection


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
    row: EventRow
    text: str

    @property
    def order(self) -> tuple[float, int]:
        return -self.score, -self.row.pk


class SqliteSearch:
    """The `Search` of a `SqliteRoomLog`.

    All terms of a query must be in a message. The newest `WINDOW` matches are ranked by BM25 and recency, then come the ones before
    those: a common word costs no more than a rare one, and every match is reached by following the cursor. Cost grows
    with the number of rooms (3 ms for 100) and, for several words that are common but hardly ever together, with the length
    of their lists. A prefix of at least two characters stands for its `EXPANSIONS` most frequent words.
    """

    def __init__(self, log: SqliteRoomLog, clock: Clock, parts: _Parts, patience: float) -> None:
        """Use `SqliteSearch.open`."""
        self._clock = clock
        self._patience = patience
        self._file = parts.file
        self._attached: Identity | None = None
        self._doubting: asyncio.Task[None] | None = None
        self._indexer = parts.indexer
        self._indexing = Threads("search-indexer", [parts.following], upkeep=self._indexer.keep_up, nice=NICE)
        self._searching = Threads("search-reader", [parts.reading], bound=WAITING, timeout=patience, nice=NICE)
        log.follow(self._appended)

    @classmethod
    async def open(cls, log: SqliteRoomLog, clock: Clock, *, patience: float = 1.0) -> "SqliteSearch":
        """Open the index beside the log, or make it; what it lacks is added in the background.

        `patience` in seconds bounds how long a search may take, its waiting for others included.

        Raises:
            Unavailable: it cannot be opened.
        """
        try:
            parts = await asyncio.to_thread(_open, log.path)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"The search index of {log.path} cannot be opened: {error}", retry_after=1) from error
        return cls(log, clock, parts, patience)

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
        try:
            async with asyncio.timeout(self._patience):
                return await self._searching.run(self._search, query, terms, cursor, self._clock.now())
        except TimeoutError as error:
            raise Unavailable("The search took too long.", retry_after=1) from error
        except Unavailable as error:
            if isinstance(error.__cause__, sqlite3.Error) and broken(error.__cause__):
                self._doubt()
            raise

    async def settled(self) -> None:
        """Return once everything appended before is in the index."""
        while await self._indexing.run(_step, self._indexer):
            pass

    async def close(self) -> None:
        """Finish what is under way and close the index; before the log."""
        if self._doubting is not None:
            await self._doubting
        await self._searching.close()
        try:
            await self._indexing.run(_close, self._indexer)
        except Unavailable:
            logger.warning("the search index could not be tidied up on closing", exc_info=True)
        await self._indexing.close()

    def _appended(self) -> None:
        if self._indexer.asleep:
            self._indexing.poke()

    def _doubt(self) -> None:
        if self._doubting is None:
            self._doubting = asyncio.create_task(self._verify())

    async def _verify(self) -> None:
        try:
            await self._indexing.run(_verify, self._indexer)
        except Unavailable:
            logger.warning("the search index could not be verified", exc_info=True)
        finally:
            self._doubting = None

    def _search(
        self,
        connection: sqlite3.Connection,
        query: SearchQuery,
        terms: Sequence[Term],
        cursor: _Cursor | None,
        now: int,
    ) -> tuple[list[SearchHit], str | None]:
        self._attach(connection)
        return _search(connection, query, terms, cursor, now)

    def _attach(self, connection: sqlite3.Connection) -> None:
        """Have the index at hand as the schema `search`; it may have been made anew since."""
        identity = self._file.identity()
        if identity is None:
            raise FileNotFoundError(self._file.path)
        if identity != self._attached:
            if self._attached is not None:
                self._attached = None
                connection.execute("DETACH search")
            connection.execute("ATTACH ? AS search", (str(self._file.path),))
            connection.execute("PRAGMA search.mmap_size = 1073741824").close()
            self._attached = identity


def _open(log_path: Path) -> _Parts:
    file = IndexFile(log_path, BUSY_TIMEOUT)
    with contextlib.ExitStack() as opened:
        following, reading = (
            opened.enter_context(contextlib.closing(open_connection(log_path, reading=True))) for _ in range(2)
        )
        parts = _Parts(file, Indexer(following, file), following, reading)
        opened.pop_all()
    return parts


def _step(_log: sqlite3.Connection, indexer: Indexer) -> int:
    return indexer.step()


def _verify(_log: sqlite3.Connection, indexer: Indexer) -> None:
    indexer.verify()


def _close(_log: sqlite3.Connection, indexer: Indexer) -> None:
    indexer.close()


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
        rows = _candidates(connection, expression, cursor, query.room_ids)
        if len(rows) == WINDOW:
            cursor.lower = min(row.pk for row in rows)
        window = ranking.after(cursor, rows)
        taken = window[: query.limit - len(found)]
        found += taken
        if len(taken) < len(window):
            cursor.score, cursor.pk = found[-1].score, found[-1].row.pk
            return _hits(found, terms), _encode_cursor(cursor)
        if cursor.lower <= oldest:
            return _hits(found, terms), None
        cursor.upper, cursor.lower, cursor.score, cursor.pk = cursor.lower - 1, oldest, math.inf, 0
        if len(found) == query.limit:
            break
    return _hits(found, terms), _encode_cursor(cursor)


def _candidates(
    connection: sqlite3.Connection, expression: str, cursor: _Cursor, room_ids: Sequence[RoomId]
) -> list[EventRow]:
    """Return the newest `WINDOW` messages of the cursor's window that match."""
    if len(room_ids) <= MARKED_ROOMS:
        return decode_rows(_one(connection, _CANDIDATES, (expression, cursor.lower, cursor.upper)))
    parameters = (expression, cursor.lower, cursor.upper, *joined_ids(room_ids))
    return decode_rows(_one(connection, _CANDIDATES_OF_MANY_ROOMS, parameters))


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
    if len(query.room_ids) <= MARKED_ROOMS:
        parts.append("(" + " OR ".join(_quoted(room_mark(room_id)) for room_id in query.room_ids) + ")")
    return " AND ".join(parts)


def _bounds(connection: sqlite3.Connection, query: SearchQuery) -> tuple[int, int]:
    """Return the first and last pk worth looking at; messages are tested against the times themselves later."""
    oldest = 0 if query.after is None else _first_since(connection, query.after - _CLOCKS)
    if query.before is not None:
        return oldest, _first_since(connection, query.before + _CLOCKS)
    newest: int = connection.execute("SELECT coalesce(max(pk), 0) FROM events").fetchone()[0]
    return oldest, newest


def _first_since(connection: sqlite3.Connection, at: int) -> int:
    at = min(max(at, 0), (1 << 62))
    found: int = connection.execute(_FIRST_SINCE, (at,)).fetchone()[0]
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
        self._terms = list(zip(terms, cursor.weights, strict=True))
        self._now = cursor.now
        self._rooms = {_digits(room_id) for room_id in query.room_ids}
        self._sender = _digits(query.from_user) if query.from_user is not None else None

    def after(self, cursor: _Cursor, rows: Sequence[EventRow]) -> list[_Hit]:
        """Return the hits that come after the cursor's in its window, best first, newest first among equals."""
        hits = [hit for hit in map(self._hit, rows) if hit is not None]
        hits.sort(key=lambda hit: hit.order)
        return [hit for hit in hits if hit.order > (-cursor.score, -cursor.pk)]

    def _hit(self, row: EventRow) -> _Hit | None:
        text = row.text
        if text is None or not self._admits(row):
            return None
        words = words_in(text)
        length = 1.2 * (0.25 + 0.75 * len(text) / _LENGTH)
        score = 0.0
        for term, weight in self._terms:
            frequency = term.count(text, words)
            if not frequency:
                return None
            score += weight * 2.2 * frequency / (frequency + length)
        age = max(0, self._now - row.at)
        return _Hit(round(score * (0.5 + 0.5 * 2.0 ** (-age / HALF_LIFE)), 6), row, text)

    def _admits(self, row: EventRow) -> bool:
        query = self._query
        return (
            row.room in self._rooms
            and (self._sender is None or row.sender == self._sender)
            and (query.after is None or row.at > query.after)
            and (query.before is None or row.at < query.before)
        )


def _hits(found: Sequence[_Hit], terms: Sequence[Term]) -> list[SearchHit]:
    return [SearchHit(hit.row.message(), hit.score, _highlights(hit.text, terms)) for hit in found]


def _highlights(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Return where a text holds terms, in order, joined where they touch."""
    folded = fold(text)
    units = units_of(folded.text)
    spans = [folded.original(*span) for term in terms for span in term.spans(folded.text, units)]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _digits(identifier: str) -> str:
    return identifier.replace("-", "").upper()


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
