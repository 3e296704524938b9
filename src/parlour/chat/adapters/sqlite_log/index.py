"""Keeping the full-text index up to date with the log: a thread of its own follows the log and gives way to everybody."""

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from parlour.chat.adapters.fulltext.words import document
from parlour.chat.adapters.sqlite_log.append import CHUNK
from parlour.chat.adapters.sqlite_log.index_file import Identity, IndexFile, broken
from parlour.chat.adapters.sqlite_log.rows import CODES, CREATED, SEQ_BITS, Overlay, joined_ids, with_rows
from parlour.chat.adapters.sqlite_log.vocabulary import Vocabulary
from parlour.chat.fold import ON_MESSAGES

logger = logging.getLogger(__name__)

STEP = 500
"""Events of one transaction at most."""

DELAY = 0.005
"""Seconds between an append that finds the thread asleep and the step: what was appended is told to the sockets first."""

PAUSE = 0.25
"""Seconds between two steps unless a whole one is waiting: at 1,700 messages/s each indexes some 400, at a third of what one by one
costs."""

PURGE_EVERY = 3_600.0
"""Seconds between two rewritings of the index that rid it of deleted words, in moments without appends."""

_PURGE_PAGES = 64
"""Index pages rewritten with each step of a purge."""

_ENTRY = """'[' || e.pk || ',"' || hex(r.id) || '","' || hex(e.sender) || '",' || e.data || ',' || coalesce(o.view, 'null') || ',' ||
    (o.pk IS NOT NULL AND EXISTS (SELECT 1 FROM reactions WHERE message = e.pk)) || ']'"""
_JOINED = f"JOIN rooms r ON r.pk = e.place >> {SEQ_BITS} LEFT JOIN overlay o ON o.pk = e.pk"
# With one max() in it, the bare id is that of the row with the greatest pk.
_NEWS = f"""
SELECT max(e.pk), hex(e.id), group_concat(CASE e.type WHEN {CREATED} THEN {_ENTRY} END),
    json_group_array(json_extract(e.data, '$.message_id'))
        FILTER (WHERE e.type IN ({",".join(str(CODES[each]) for each in ON_MESSAGES)}))
FROM events e {_JOINED} WHERE e.pk > ?1 AND e.pk <= ?1 + ?2
"""
_CHANGED = f"""
SELECT group_concat({_ENTRY}) FROM events e {_JOINED}
WHERE e.id IN (SELECT substr(?1, 1 + 16 * key, 16) FROM json_each(?2)) AND e.type = {CREATED}
"""
_HELD = """
SELECT json_group_array(json_array(rowid, words, marks)) FROM fulltext WHERE rowid IN (SELECT value FROM json_each(?))
"""
_INSERT = "INSERT INTO fulltext (rowid, words, marks)"
_DELETE = "DELETE FROM fulltext WHERE rowid IN (SELECT value FROM json_each(?))"


class _Entry(msgspec.Struct, array_like=True):
    """A message as it is now; ids in hexadecimal."""

    pk: int
    room: str
    sender: str
    data: dict[str, Any]
    overlay: Overlay | None
    reacted: int

    def document(self) -> tuple[str, str]:
        """Return its words and its marks, two empty texts where it has no words (any more)."""
        text, mentions = self.data.get("text"), self.data.get("mentions") or self.data.get("mentions_room")
        has = []
        if self.overlay is not None:
            if self.overlay.text is not None:
                text, mentions = self.overlay.text, self.overlay.mentions or self.overlay.mentions_room
            if self.overlay.pinned_at is not None:
                has.append("pin")
            if self.reacted:
                has.append("reaction")
        if mentions:
            has.append("mention")
        return document(text, self.room, self.sender, has) if isinstance(text, str) else ("", "")


class _News(NamedTuple):
    """What the log has beyond a pk: up to which event, its id, and the messages that are new or changed."""

    upto: int
    anchor: str
    entries: list[_Entry]


_decode = msgspec.json.Decoder(list[_Entry]).decode


class Indexer:
    """Follows the log, for one thread; nothing here is touched by another but `asleep`.

    How far the index is stands in the index itself and changes with it in one transaction: a crash loses nothing and indexes nothing
    twice, and of several processes that index one log each does only what no other has done. A message is indexed as it is when it is
    looked at, maybe later than at the event that led there; the later event then finds nothing to do.
    """

    def __init__(self, log: sqlite3.Connection, file: IndexFile) -> None:
        """Read the log by `log`.

        Raises:
            sqlite3.Error, OSError: the index can be neither opened nor made.
        """
        self._log = log
        self._file = file
        self._due: float | None = None
        self._closed = False
        self._purge_at = 0.0
        self.asleep = True
        """Whether nothing is going to happen until the thread is woken."""
        self._use()

    def keep_up(self, quiet: bool) -> float | None:
        """Do a step when it is due; return the seconds until the next, None where there is nothing to do until an append."""
        if self._closed:
            return None
        now = time.monotonic()
        if self._due is None:
            self._due = now + DELAY
        if now < self._due:
            return self._due - now
        self.asleep = True  # before the look at the log: whoever appends after that wakes the thread
        done = self.step()
        if done:
            self.asleep = False
            self._due = time.monotonic() + (0.0 if done == STEP else PAUSE)
            return max(0.0, self._due - time.monotonic())
        self._due = None
        if not self._stale:
            return None
        if now >= self._purge_at and not self.purge():
            self._purge_at = now + PURGE_EVERY
            return None
        return max(0.0, self._purge_at - now)

    def step(self) -> int:
        """Index the next events, up to `STEP`, and return how many there were.

        Raises:
            sqlite3.Error, OSError: nothing was done.
        """
        with self._mending():
            if self._file.identity() != self._identity:
                self._index.close()
                self._use()
            upto = self._upto()
            news = self._news(upto)
            if news is None:
                return 0
            self._store(upto, news)
            return news.upto - upto

    def purge(self) -> bool:
        """Rewrite a little of the index so that nothing of deleted messages is left in it; False once it is done."""
        with self._mending():
            before = self._index.total_changes
            # A negative number merges whatever there is, down to one segment; it changes fewer than 2 rows once there is.
            self._index.execute("INSERT INTO fulltext (fulltext, rank) VALUES ('merge', ?)", (-_PURGE_PAGES,))
            if self._index.total_changes - before >= 2:
                return True
            self._index.execute("UPDATE state SET stale = 0")
            self._index.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._stale = False
        return False

    def verify(self) -> None:
        """Have the index made anew where it is damaged; a search came upon something."""
        with self._mending():
            found = self._index.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                self._begin_anew()

    def close(self) -> None:
        """Copy the WAL into the file and close it."""
        self._closed = True
        with contextlib.suppress(sqlite3.Error):
            self._index.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._index.close()

    def _use(self) -> None:
        """Open the index, whatever has become of it."""
        self._index = self._file.open(self._log)
        self._identity: Identity | None = self._file.identity()
        self._vocabulary = Vocabulary(self._index)
        self._stale = bool(self._index.execute("SELECT stale FROM state").fetchone()[0])

    def _begin_anew(self) -> None:
        self._index.close()
        if self._identity is not None:
            self._file.replace(self._identity)
        self._use()

    @contextlib.contextmanager
    def _mending(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._vocabulary = Vocabulary(self._index)  # what it remembers of this step was not written
            if isinstance(error, sqlite3.Error) and broken(error):
                self._begin_anew()
            raise

    def _upto(self) -> int:
        upto: int = self._index.execute("SELECT upto FROM state").fetchone()[0]
        return upto

    def _news(self, upto: int) -> _News | None:
        last, anchor, created, ids = self._log.execute(_NEWS, (upto, STEP)).fetchone()
        if last is None:
            return None
        entries = _decode(f"[{created or ''}]")
        changed = {each for each in json.loads(ids) if isinstance(each, str)}
        if changed:
            (found,) = self._log.execute(_CHANGED, joined_ids(changed)).fetchone()
            # Those which are new as well stand in `entries` already.
            entries += [each for each in _decode(f"[{found or ''}]") if each.pk <= upto]
        return _News(last, anchor, entries)

    def _store(self, upto: int, news: _News) -> None:
        documents = {entry.pk: entry.document() for entry in sorted(news.entries, key=lambda each: each.pk)}
        execute = self._index.execute
        execute("BEGIN IMMEDIATE")
        try:
            if self._upto() == upto:  # else another process has done it
                self._write(upto, documents)
                execute("UPDATE state SET upto = ?, anchor = ?, stale = ?", (news.upto, news.anchor, self._stale))
            execute("COMMIT")
        except BaseException:
            if self._index.in_transaction:
                execute("ROLLBACK")
            raise

    def _write(self, upto: int, documents: dict[int, tuple[str, str]]) -> None:
        gone = self._outdated(upto, documents)
        # FTS5 flushes to disk whenever a rowid is not past the last one; `documents` is in their order.
        new = {pk: (words, marks) for pk, (words, marks) in documents.items() if words}
        values = [value for pk, (words, marks) in new.items() for value in (pk, words, marks)]
        for start in range(0, len(values), 3 * CHUNK):
            chunk = values[start : start + 3 * CHUNK]
            self._index.executemany(with_rows(_INSERT, 3, len(chunk) // 3), (chunk,))
        self._vocabulary.add(word for words, _ in new.values() for word in words.split())
        if gone:
            self._vocabulary.remove(gone)

    def _outdated(self, upto: int, documents: dict[int, tuple[str, str]]) -> set[str]:
        """Take the entries out that are there and have changed; forget the documents that have not. Return the words taken out."""
        there = [pk for pk in documents if pk <= upto]
        if not there:
            return set()
        old: list[tuple[int, str, str]] = json.loads(self._index.execute(_HELD, (json.dumps(there),)).fetchone()[0])
        same = [pk for pk, words, marks in old if documents[pk] == (words, marks)]
        for pk in same:
            del documents[pk]
        changed = [(pk, words) for pk, words, _ in old if pk in documents]
        if not changed:
            return set()
        self._index.execute(_DELETE, (json.dumps([pk for pk, _ in changed]),))
        self._stale = True
        return _words_of(words for _, words in changed)


def _words_of(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in text.split()}
