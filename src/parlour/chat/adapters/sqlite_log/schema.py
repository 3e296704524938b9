"""The tables of the room log, their forward migrations, and how a connection to them is set up."""

import os
import sqlite3
from pathlib import Path

from parlour.chat.adapters.sqlite_log.rows import SEQ_BITS
from parlour.platform.errors import TablesNewer

_TABLES = f"""
CREATE TABLE rooms (
    pk INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE
) STRICT;

-- pk counts all events in the order committed, so that a batch goes to the end of the table, full-text rowids grow with
-- time and the newest come first without a sort. `place` is the fence: room << 32 | seq, once.
CREATE TABLE events (
    pk INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    id BLOB NOT NULL,
    type INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sender BLOB NOT NULL,
    client BLOB NOT NULL,
    repeat INTEGER NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_place ON events (place);
CREATE INDEX events_id ON events (id);
-- A room's number and 40 bits of a hash of sender and client_id; equality of the whole decides.
CREATE INDEX events_repeat ON events (repeat);

-- A message as it is now, but for its reactions, where that differs from its message.created.
CREATE TABLE overlay (
    pk INTEGER PRIMARY KEY REFERENCES events (pk),
    place INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    view TEXT NOT NULL
) STRICT;
CREATE INDEX overlay_pinned ON overlay (place) WHERE pinned;

-- Who reacts to a message (a pk) with what, since the event at `place`: a click costs the same however many there are.
CREATE TABLE reactions (
    message INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    user BLOB NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (message, emoji, user)
) STRICT, WITHOUT ROWID;

-- At which places texts of a message (a pk) stand besides its message.created: a deletion redacts them all.
CREATE TABLE edits (
    message INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (message, place)
) STRICT, WITHOUT ROWID;

-- Whom messages mention now; the user x'' stands for the whole room.
CREATE TABLE mentions (
    user BLOB NOT NULL,
    place INTEGER NOT NULL,
    sender BLOB NOT NULL,
    PRIMARY KEY (user, place)
) STRICT, WITHOUT ROWID;

-- The first of several with one (room, sender, client_id) is kept; append.py then answers with it.
CREATE TRIGGER events_repeated BEFORE INSERT ON events BEGIN
    SELECT raise(ABORT, 'repeated') FROM events
    WHERE repeat = new.repeat AND client = new.client AND sender = new.sender
        AND place >> {SEQ_BITS} = new.place >> {SEQ_BITS};
END;
"""

MIGRATIONS = (_TABLES,)
"""Each step takes the tables from the version that is its place here to the next; steps are never changed, only added."""


class NewerSchema(TablesNewer):
    """The file was made by a newer Parlour."""


def open_connection(path: Path, *, busy_timeout: float = 5.0, reading: bool = False) -> sqlite3.Connection:
    """Open the file, which is made with mode 0600 where it is missing; `busy_timeout` in seconds.

    Raises:
        sqlite3.Error, OSError: it cannot be opened, or is no database.
    """
    if not reading:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The -wal and -shm files take the mode of this one.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",  # what is deleted is overwritten with zeroes
            "wal_autocheckpoint = 0",  # a checkpoint inside a commit is a stall; log.py runs them beside the writer
            "journal_size_limit = 134217728",
            "mmap_size = 1073741824",
            f"cache_size = {-16_000 if reading else -64_000}",
            "temp_store = MEMORY",
            f"query_only = {'ON' if reading else 'OFF'}",
        ):
            connection.execute("PRAGMA " + pragma).close()
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the newest version, in one transaction a step.

    Raises:
        NewerSchema: a newer program made them.
        sqlite3.Error: the step failed and changed nothing.
    """
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise NewerSchema(
                    f"the room log has version {version}; this program knows {len(MIGRATIONS)}: upgrade it"
                )
            if version == len(MIGRATIONS):
                return
            for statement in _statements(MIGRATIONS[version]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _statements(script: str) -> list[str]:
    """Split a script; `executescript` would commit the transaction that it stands in."""
    statements, rest = [], ""
    for piece in script.split(";"):
        rest += piece + ";"
        if sqlite3.complete_statement(rest):
            statements.append(rest)
            rest = ""
    return statements
