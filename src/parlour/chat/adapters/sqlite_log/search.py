"""Search over the room log: an index that follows the log, and a thread that looks things up in it."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from parlour.chat.adapters.fulltext.query import Term, parse
from parlour.chat.adapters.sqlite_log import windows
from parlour.chat.adapters.sqlite_log.index import Indexer
from parlour.chat.adapters.sqlite_log.index_file import Identity, IndexFile, broken
from parlour.chat.adapters.sqlite_log.log import SqliteRoomLog
from parlour.chat.adapters.sqlite_log.schema import open_connection
from parlour.chat.adapters.sqlite_log.threads import Threads
from parlour.chat.model import SearchHit
from parlour.chat.ports import SearchQuery
from parlour.platform.clock import Clock
from parlour.platform.errors import Unavailable
from parlour.platform.ids import is_uuid

logger = logging.getLogger(__name__)

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


class SqliteSearch:
    """The `Search` of a `SqliteRoomLog`.

    All terms of a query must be in a message. The newest matches (windows.py) are ranked by BM25 and recency, then come the ones
    before those: a common word costs no more than a rare one, and every match is reached by following the cursor, also from a page
    with fewer hits than asked for, or none. Cost grows with the number of rooms (3 ms for 100) and, for several words that are
    common but hardly ever together, with the length of their lists; past `patience` the search is given up. A prefix of at least two
    characters stands for its 64 most frequent words. An index that is being made (anew) has fewer hits.
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
        cursor = windows.opened(query.cursor, terms) if query.cursor is not None else None
        ids = [*query.room_ids, *([query.from_user] if query.from_user is not None else [])]
        if not terms or not query.room_ids or query.limit <= 0 or not all(map(is_uuid, ids)):
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
        cursor: windows.Cursor | None,
        now: int,
    ) -> tuple[list[SearchHit], str | None]:
        self._attach(connection)
        return windows.find(connection, query, terms, cursor, now)

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
