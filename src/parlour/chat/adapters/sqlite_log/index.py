"""Keeping the full-text index up to date with the log, in small steps between appends."""

import sqlite3
from typing import Any

import msgspec

from parlour.chat.adapters.sqlite_log.rows import MESSAGE_OPEN, SEQ_BITS, EventRow, with_rows
from parlour.chat.adapters.sqlite_log.vocabulary import Vocabulary
from parlour.chat.adapters.sqlite_log.words import document

STEP = 64
"""Messages of one transaction: about 2 ms in which no append can run."""

_MERGE_PAGES = 16
"""Index pages merged with each step. A step writes 2 and a page is merged some 7 times in a million messages."""

_PURGE_PAGES = 64
"""Index pages rewritten with each step of a purge."""

_PENDING = f"""
SELECT group_concat({MESSAGE_OPEN} || ',' || u.changes || ',' || json_quote(u.words) || ']')
FROM (SELECT * FROM unindexed ORDER BY pk LIMIT {STEP}) u
CROSS JOIN events e ON e.pk = u.pk JOIN rooms r ON r.pk = e.place >> {SEQ_BITS} LEFT JOIN overlay o ON o.pk = e.pk
"""
_INDEX = "INSERT INTO indexing (pk, words, marks, changes)"


class _Pending(EventRow, array_like=True):
    """A message whose entry is missing or old, how often it changed meanwhile, and the words of that entry."""

    changes: int = 0
    old_words: str | None = None


_decode = msgspec.json.Decoder(list[_Pending]).decode


class Indexer:
    """Works off the table `unindexed` on the writer's connection, in the writer's thread.

    A step is one statement and a transaction: a crash loses nothing and indexes nothing twice. What it costs in words that the
    vocabulary has counted twice is a magnitude that is a little high.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._vocabulary = Vocabulary(connection)
        self.purge_due = False
        """Whether words of deleted messages are left in the index's older segments."""

    def step(self) -> int:
        """Index up to `STEP` messages, oldest first, and return how many there were.

        Raises:
            sqlite3.Error: nothing was done.
        """
        (joined,) = self._connection.execute(_PENDING).fetchone()
        if not joined:
            return 0
        # FTS5 flushes to disk whenever a rowid is not past the last one.
        rows = sorted(_decode("[" + joined + "]"), key=lambda each: each.pk)
        entries: list[Any] = []
        held: list[set[str]] = []
        gone: set[str] = set()
        for row in rows:
            words, marks = document(row.message())
            entries += (row.pk, words, marks, row.changes)
            held.append(set(words.split()))
            if row.old_words is not None:
                gone.update(row.old_words.split())
                self.purge_due = True
        entries += (None, None, None, _MERGE_PAGES)
        self._connection.executemany(with_rows(_INDEX, 4, len(rows) + 1), (entries,))
        self._vocabulary.add(held)
        if gone:
            self._vocabulary.remove(gone)
        return len(rows)

    def purge(self) -> bool:
        """Rewrite a little of the index so that nothing of deleted messages is left in it; False once it is done."""
        before = self._connection.total_changes
        # A negative number merges whatever there is, down to one segment; it changes fewer than 2 rows once there is.
        self._connection.execute("INSERT INTO fulltext (fulltext, rank) VALUES ('merge', ?)", (-_PURGE_PAGES,))
        self.purge_due = self._connection.total_changes - before >= 2
        return self.purge_due
