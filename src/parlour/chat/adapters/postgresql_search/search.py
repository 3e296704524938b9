"""Looking messages up: PostgreSQL finds the newest that match, they are ranked here and read from the log as they are now."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from parlour.chat.adapters.fulltext.cursors import encode
from parlour.chat.adapters.fulltext.query import Term, parse
from parlour.chat.adapters.fulltext.ranking import highlights, score
from parlour.chat.adapters.postgresql_search import candidates
from parlour.chat.adapters.postgresql_search.candidates import HAS, WINDOW, Candidate, Cursor, Place
from parlour.chat.adapters.postgresql_search.messages import features, read
from parlour.chat.model import Message, SearchHit
from parlour.chat.ports import RoomLog, SearchQuery
from parlour.platform.clock import Clock
from parlour.platform.errors import Unavailable
from parlour.platform.guard import Guard
from parlour.platform.ids import is_uuid
from parlour.platform.sql import Database, DatabaseUnavailable

BUDGET = 0.25
"""Seconds after which no further window is begun: the page ends there, and the next goes on."""

SEARCHES = 6
"""That are under way at a time: fewer than the database has connections, so that feeding the index gets some."""

GRACE = 1.0
"""Seconds after its patience in which the server has to say that it gave a statement up; else it is away."""

_MAX_WINDOWS = 8
_QUERY_CANCELED = "57014"


class _Hit(NamedTuple):
    score: float
    candidate: Candidate

    @property
    def order(self) -> tuple[float, Place]:
        """The greater the better, among equals the newest."""
        return self.score, self.candidate.place


class PostgresqlSearch:
    """`Search` over what a `PostgresqlSearchIndex` keeps.

    All terms of a query must be in a message. The newest matches are ranked by BM25 and recency, then come the ones before those.
    A page's hits are read from the log, so that what was deleted or edited since it was indexed is not shown as it was; one that no
    longer matches is left out. Where a word is common, PostgreSQL walks either the newest messages or all that hold it in the rooms;
    past `patience` the search is given up.
    """

    def __init__(self, database: Database, log: RoomLog, clock: Clock, guard: Guard, *, patience: float = 1.0) -> None:
        """Search a PostgreSQL database with the tables of `SERVICE`; `patience` in seconds bounds how long a page waits for
        its turn, and then how long it takes.
        """
        self._database = database
        self._log = log
        self._clock = clock
        self._guard = guard
        self._patience = patience
        self._turns = asyncio.Semaphore(SEARCHES)

    async def search(self, query: SearchQuery) -> tuple[list[SearchHit], str | None]:
        """Return hits, best first, and the cursor of the next page.

        Raises:
            InvalidRequest: `query.cursor` is none of this query's.
            Unavailable: it took too long, or PostgreSQL or the log is away.
        """
        terms = parse(query.text)
        cursor = candidates.begun(terms, self._clock.now())
        if query.cursor is not None:
            cursor = candidates.opened(query.cursor, terms)
        ids = [*query.room_ids, *([query.from_user] if query.from_user is not None else [])]
        known = all(map(is_uuid, ids)) and (query.has is None or query.has in HAS)
        if not terms or not query.room_ids or query.limit <= 0 or not known:
            return [], None
        await self._take_turn()
        try:
            found, following = await self._page(query, terms, cursor)
        finally:
            self._turns.release()
        hits = await self._as_they_are(found, query, terms)
        return hits, None if following is None else encode(following)

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unavailable("Too many searches are under way.", retry_after=1) from error

    async def _page(
        self, query: SearchQuery, terms: Sequence[Term], cursor: Cursor
    ) -> tuple[list[_Hit], Cursor | None]:
        begun = time.monotonic()
        found: list[_Hit] = []
        for _ in range(_MAX_WINDOWS):
            rows = await self._window(query, terms, cursor, begun + self._patience - time.monotonic())
            if cursor.fresh:
                if not rows:
                    return found, None
                ended = rows[0].matched < WINDOW and len(rows) == rows[0].matched
                cursor.upper, cursor.lower, best = rows[0].place, rows[-1].place, None
            else:
                ended, best = False, (cursor.score, cursor.last)
            ranked = await asyncio.to_thread(_ranked, rows, terms, cursor.now, best)
            taken = ranked[: query.limit - len(found)]
            found += taken
            if len(taken) < len(ranked):
                cursor.score, cursor.last = found[-1].order
                return found, cursor
            if ended:
                return found, None
            cursor = candidates.before(cursor.lower, terms, cursor.now)
            if len(found) == query.limit or time.monotonic() - begun > BUDGET:
                break
        return found, cursor

    async def _window(self, query: SearchQuery, terms: Sequence[Term], cursor: Cursor, left: float) -> list[Candidate]:
        sql, values = candidates.statement(query, terms, cursor)

        async def ask() -> list[Candidate] | None:
            try:
                async with asyncio.timeout(left + GRACE):
                    return await self._database.snapshot(
                        lambda connection: candidates.look(connection, sql, values, left)
                    )
            except DatabaseUnavailable as error:
                if not _was_given_up(error):
                    raise
                return None  # the server answered: that words are common does not mean that it is away

        rows = await self._guard.call(ask)
        if rows is None:
            raise Unavailable("The search took too long.", retry_after=1)
        return rows

    async def _as_they_are(self, found: Sequence[_Hit], query: SearchQuery, terms: Sequence[Term]) -> list[SearchHit]:
        now = await read(self._log, [(hit.candidate.room_id, hit.candidate.message_id) for hit in found])
        return await asyncio.to_thread(_shown, found, now, query, terms)


def _ranked(rows: Sequence[Candidate], terms: Sequence[Term], now: int, best: tuple[float, Place] | None) -> list[_Hit]:
    """Return the hits in order, those after `best`; candidates that lack a term are none."""
    scores = ((score(row.text, row.at, terms, now), row) for row in rows)
    hits = [_Hit(points, row) for points, row in scores if points is not None]
    hits.sort(key=lambda hit: hit.order, reverse=True)
    return [hit for hit in hits if best is None or hit.order < best]


def _shown(
    found: Sequence[_Hit], now: Sequence[Message | None], query: SearchQuery, terms: Sequence[Term]
) -> list[SearchHit]:
    """Return the hits with their messages as they are `now`, without those that are none any more."""
    return [
        SearchHit(message, hit.score, highlights(message.text, terms))
        for hit, message in zip(found, now, strict=True)
        if message is not None and (message.version == hit.candidate.version or _matches(message, query, terms))
    ]


def _matches(message: Message, query: SearchQuery, terms: Sequence[Term]) -> bool:
    """Tell whether a message that changed since it was indexed is still what was looked for; its sender and time stay."""
    if message.deleted_at is not None or score(message.text, message.at, terms, message.at) is None:
        return False
    return query.has is None or features(message)[query.has]


def _was_given_up(error: DatabaseUnavailable) -> bool:
    cause = error.__cause__
    return isinstance(cause, DBAPIError) and getattr(cause.orig, "sqlstate", None) == _QUERY_CANCELED
