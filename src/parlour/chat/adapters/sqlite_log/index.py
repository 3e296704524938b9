"""Keeping the full-text index up to date with the log, in small steps between appends."""

import sqlite3

import msgspec

from parlour.chat.adapters.sqlite_log.rows import MESSAGE_OPEN, SEQ_BITS, EventRow
from parlour.chat.adapters.sqlite_log.vocabulary import Vocabulary
from parlour.chat.adapters.sqlite_log.words import document

STEP = 128
"""Messages of one transaction: about 3 ms in which no append can run."""

_MERGE_PAGES = 32
"""Index pages merged with each step. A step writes 3 and a page is merged some 7 times in a million messages."""

_PURGE_PAGES = 64
"""Index pages rewritten with each step of a purge."""

_PENDING = f"""
SELECT group_concat({MESSAGE_OPEN} || ',' || json_quote(u.words) || ',' || json_quote(u.marks) || ']')
FROM (SELECT * FROM unindexed ORDER BY pk LIMIT {STEP}) u
CROSS JOIN events e ON e.pk = u.pk JOIN rooms r ON r.pk = e.place >> {SEQ_BITS} LEFT JOIN overlay o ON o.pk = e.pk
"""
_FORGET = "INSERT INTO fulltext (fulltext, rowid, words, marks) VALUES ('delete', ?, ?, ?)"


class _Pending(EventRow, array_like=True):
    """A message whose entry is missing or old, and that entry."""

    old_words: str | None = None
    old_marks: str | None = None


_decode = msgspec.json.Decoder(list[_Pending]).decode


class Indexer:
    """Works off the table `unindexed` on the writer's connection, in the writer's thread.

    Every step is one transaction, so that a crash loses nothing and indexes nothing twice.
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
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            (joined,) = execute(_PENDING).fetchone()
            rows = _decode("[" + joined + "]") if joined else []
            if rows:
                self._replace(rows)
                execute("DELETE FROM unindexed WHERE pk <= ?", (rows[-1].pk,))
                execute("INSERT INTO fulltext (fulltext, rank) VALUES ('merge', ?)", (_MERGE_PAGES,))
            execute("COMMIT")
        except BaseException:
            self._vocabulary.reset()
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise
        return len(rows)

    def _replace(self, rows: list[_Pending]) -> None:
        rows.sort(key=lambda each: each.pk)  # FTS5 flushes to disk whenever a rowid is not past the last one
        gone: set[str] = set()
        for row in rows:
            if row.old_words or row.old_marks:
                old_words, old_marks = row.old_words or "", row.old_marks or ""
                self._connection.execute(_FORGET, (row.pk, old_words, old_marks))
                gone.update(old_words.split())
                self.purge_due = True
        fresh: list[int | str] = []
        held: list[set[str]] = []
        for row in rows:
            words, marks = document(row.message())
            if marks:
                fresh += (row.pk, words, marks)
                held.append(set(words.split()))
        if fresh:
            values = ",".join(["(?,?,?)"] * len(held))
            self._connection.execute("INSERT INTO fulltext (rowid, words, marks) VALUES " + values, fresh)
            self._vocabulary.add(held)
        if gone:
            self._vocabulary.remove(gone)

    def purge(self) -> bool:
        """Rewrite a little of the index so that nothing of deleted messages is left in it; False once it is done."""
        before = self._connection.total_changes
        # A negative number merges whatever there is, down to one segment; it changes fewer than 2 rows once there is.
        self._connection.execute("INSERT INTO fulltext (fulltext, rank) VALUES ('merge', ?)", (-_PURGE_PAGES,))
        self.purge_due = self._connection.total_changes - before >= 2
        return self.purge_due
