"""The file of the full-text index: its tables, whether it is of this log, and how it is made anew.

All of it can be made from the log again, so it is never migrated: an index that is damaged, of another version or of another
log is removed and a new one takes its place.
"""

import contextlib
import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

VERSION = 1
"""Of the tables below and of what words.py makes; whatever changes either raises it."""

_TABLES = f"""
-- How far the index is: everything up to the event `upto` (a pk of the log), whose id is `anchor`. Ids are never drawn twice, so a
-- log that has this id at this place is the one that the index was made from. `stale`: words of deleted messages may be left in it.
CREATE TABLE state (upto INTEGER NOT NULL, anchor TEXT NOT NULL, stale INTEGER NOT NULL) STRICT;
INSERT INTO state VALUES (0, '', 0);

-- `words` holds a message's words in their order, `marks` what filters ask for; both as words.py made them. The rowid is the pk
-- of the message, which grows with time: the newest come first without a sort.
CREATE VIRTUAL TABLE fulltext USING fts5 (words, marks, columnsize=0, tokenize='ascii');
INSERT INTO fulltext (fulltext, rank) VALUES ('automerge', 8);

-- About how many messages hold each word, as a power of two; see vocabulary.py.
CREATE TABLE vocabulary (word TEXT PRIMARY KEY, magnitude INTEGER NOT NULL) STRICT, WITHOUT ROWID;

PRAGMA user_version = {VERSION};
"""
_BROKEN = frozenset({"SQLITE_CORRUPT", "SQLITE_CORRUPT_INDEX", "SQLITE_CORRUPT_VTAB", "SQLITE_NOTADB"})

Identity = tuple[int, int]
"""Device and inode: tells a file from the one that was at its path before."""


class IndexFile:
    """The index beside the log at `log_path`; several processes may use it at a time."""

    def __init__(self, log_path: Path, busy_timeout: float) -> None:
        """Wait at most `busy_timeout` seconds for another process's write."""
        self.path = log_path.with_name(f"{log_path.stem}-search{log_path.suffix}")
        self._busy_timeout = busy_timeout

    def open(self, log: sqlite3.Connection) -> sqlite3.Connection:
        """Return a connection to the index of this log, a new and empty one where there is none that can be used.

        Raises:
            sqlite3.Error, OSError: it can be neither opened nor made.
        """
        with self._alone():
            connection = self._connect()
            try:
                reason = _misfit(connection, log)
            except sqlite3.DatabaseError as error:
                if not broken(error):
                    connection.close()
                    raise
                reason = str(error)
            if reason is None:
                return connection
            connection.close()
            if reason:
                logger.warning("the search index is made anew", extra={"reason": reason, "path": str(self.path)})
            self._remove()
            return self._make()

    def replace(self, bad: Identity) -> None:
        """Remove the file, where it still is the one that was found `bad`."""
        with self._alone():
            if self.identity() == bad:
                logger.warning("the search index is damaged and made anew", extra={"path": str(self.path)})
                self._remove()

    def identity(self) -> Identity | None:
        """Return which file is at the path, None where there is none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _connect(self) -> sqlite3.Connection:
        # The -wal and -shm files take the mode of this one.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        return sqlite3.connect(self.path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False)

    def _make(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            _set_up(connection)
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
        except BaseException:
            connection.close()
            raise
        return connection

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from opening and removing; the folder is the lock, since the file itself comes and goes."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def broken(error: sqlite3.Error) -> bool:
    """Tell whether an error means that the file is damaged or no database."""
    return getattr(error, "sqlite_errorname", "") in _BROKEN


def _misfit(connection: sqlite3.Connection, log: sqlite3.Connection) -> str | None:
    """Return why the index cannot be used with this log, empty where it is a new file; None where it can."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return f"it has version {version}" if tables else ""
    _set_up(connection)
    upto, anchor = connection.execute("SELECT upto, anchor FROM state").fetchone()
    found = log.execute("SELECT hex(id) FROM events WHERE pk = ?", (upto,)).fetchone()
    if upto and (found is None or found[0] != anchor):
        return "it was made from another log"
    return None


def _set_up(connection: sqlite3.Connection) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",  # a power cut may cost the last steps, which are then done again; it never damages
        "secure_delete = ON",  # what is deleted is overwritten with zeroes
        "wal_autocheckpoint = 4000",
        "journal_size_limit = 67108864",
        "mmap_size = 1073741824",
        "cache_size = -16000",
        "temp_store = MEMORY",
    ):
        connection.execute("PRAGMA " + pragma).close()
