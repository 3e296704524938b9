"""The room log of one machine: SQLite behind one thread that writes and a few that read."""

import asyncio
import functools
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from parlour.chat.adapters.sqlite_log import reads
from parlour.chat.adapters.sqlite_log.restore import Restorer
from parlour.chat.adapters.sqlite_log.schema import migrate, open_connection
from parlour.chat.adapters.sqlite_log.threads import Threads
from parlour.chat.model import Appended, Message, NewEvent, RoomEvent, Tail
from parlour.platform.clock import Clock
from parlour.platform.errors import Unavailable
from parlour.platform.ids import ClientId, EventId, RoomId, UserId

logger = logging.getLogger(__name__)

T = TypeVar("T")

CHECKPOINT_PAGES = 16_384
"""Pages (64 MiB), about, that the WAL grows by before they are copied into the file: 10 s at 1,700 messages/s.

The longer, the rarer does a checkpoint fall into a plain copy of the folder, which it would spoil (docs/adr/0002)."""


class SqliteRoomLog:
    """A `RoomLog` in one SQLite file (WAL, synchronous=FULL); `SqliteSearch` follows and searches it.

    Several processes may write to the same file, each through an instance of its own. Reads run beside writes and wait for
    none; one that takes longer than `patience` seconds is `Unavailable`. Checkpoints run in a thread of their own, so that no
    append pays for one.
    """

    def __init__(self, path: Path, connections: list[sqlite3.Connection], clock: Clock, timeout: float) -> None:
        """Use `SqliteRoomLog.open`."""
        writing, keeping, *reading = connections
        self.path = path
        self._writer = _Writer(writing, clock)
        self._writing = Threads("room-log-writer", [writing])
        self._keeping = Threads("room-log-keeper", [keeping])
        self._reading = Threads("room-log-reader", reading, timeout=timeout)
        self._checkpoint: asyncio.Task[None] | None = None
        self._followers: list[Callable[[], None]] = []

    @classmethod
    async def open(cls, path: Path | str, clock: Clock, *, readers: int = 2, patience: float = 5.0) -> "SqliteRoomLog":
        """Open the file, or make it, and bring its tables to the newest version.

        `patience` in seconds bounds how long a read may take, and how long a write waits for another process's.

        Raises:
            Unavailable: it cannot be opened, or is damaged or no database; the message says which.
            NewerSchema: a newer Parlour made it.
        """
        file = Path(path)
        connections = await asyncio.to_thread(_open, file, readers, patience)
        return cls(file, connections, clock, patience)

    async def append(self, batch: Sequence[NewEvent]) -> list[Appended]:
        """Append a batch, of any number of rooms; the answers stand in the batch's order.

        Raises:
            InvalidRequest: an id is no UUID or `data` no JSON; nothing of the batch was written.
            Unavailable: SQLite failed; repeating the batch is safe.
        """
        if not batch:
            return []
        answers = await self._writing.run(self._writer.append, batch)
        self._written()
        return answers

    def _written(self) -> None:
        for appended in self._followers:
            appended()
        if self._writer.checkpoint_due and self._checkpoint is None:
            self._checkpoint = asyncio.create_task(self._copy_wal())

    async def restore(self, events: Sequence[RoomEvent]) -> None:
        """Append events of another log as they are; as the port has it, and all of them or none.

        Raises:
            InvalidRequest: one cannot stand in its place; nothing was written.
            Unavailable: SQLite failed; repeating it is safe.
        """
        if events:
            await self._writing.run(self._writer.restore, events)
            self._written()

    async def rooms(self, *, after: str = "", limit: int = 1_000) -> list[RoomId]:
        """Return rooms that the log knows, by id, those after the id `after`."""
        return await self.read(reads.rooms, after, limit)

    async def tails(self, room_ids: Iterable[RoomId]) -> dict[RoomId, Tail]:
        """Return where each room ends: `Tail()` for a room without events."""
        wanted = list(room_ids)
        return await self.read(reads.tails, wanted) if wanted else {}

    async def events(self, room_id: RoomId, after: int, upto: int, max_bytes: int | None = None) -> list[RoomEvent]:
        """Return the events with after < seq <= upto, in order; none, where their `data` is over `max_bytes` as JSON."""
        return await self.read(reads.events, room_id, after, upto, max_bytes)

    async def find(self, room_id: RoomId, sender_id: UserId, client_id: ClientId) -> RoomEvent | None:
        """Return the event that a repeat of this command would be answered with, None where there is none."""
        return await self.read(reads.find, room_id, sender_id, client_id)

    async def page(
        self,
        room_id: RoomId,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
        head: int | None = None,
    ) -> list[Message]:
        """Return up to `limit` messages, newest first: the last of all, the last before a seq, or the first past a seq."""
        return await self.read(reads.page, room_id, before, after, limit)

    async def around(self, room_id: RoomId, seq: int, limit: int = 50, *, head: int | None = None) -> list[Message]:
        """Return up to `limit` messages around `seq`, newest first: that one, and about half of the rest on each side."""
        return await self.read(reads.around, room_id, seq, limit)

    async def entries(
        self,
        room_id: RoomId,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
        head: int | None = None,
    ) -> list[Message | RoomEvent]:
        """Return the same as `page`, with the events `AMONG_MESSAGES` among the messages, in their place and counted."""
        return await self.read(reads.entries, room_id, before, after, limit)

    async def entries_around(
        self, room_id: RoomId, seq: int, limit: int = 50, *, head: int | None = None
    ) -> list[Message | RoomEvent]:
        """Return the same as `around`, with the events `AMONG_MESSAGES`."""
        return await self.read(reads.entries_around, room_id, seq, limit)

    async def message(self, room_id: RoomId, message_id: EventId, *, reactors: bool = True) -> Message | None:
        """Return one message as it is now, deleted ones too (without text); None where the room has no such message.

        Without `reactors` the lists of users in `reactions` are empty, and it costs the same however many they are.
        """
        return await self.read(functools.partial(reads.message, reactors=reactors), room_id, message_id)

    async def pinned(self, room_id: RoomId) -> list[Message]:
        """Return the pinned messages, the latest pin first, at most 100."""
        return await self.read(reads.pinned, room_id)

    async def mentions(self, wanted: Sequence[tuple[UserId, RoomId, int]]) -> list[int]:
        """Count, for each (user, room, read seq), the messages after that seq which mention the user or the whole room."""
        return await self.read(reads.mentions, wanted) if wanted else []

    async def read(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return `work(connection, *arguments)`, done in a reading thread."""
        return await self._reading.run(work, *arguments)

    def follow(self, appended: Callable[[], None]) -> None:
        """Have `appended` called on the loop after every append of this process; it must be cheap."""
        self._followers.append(appended)

    async def check(self) -> None:
        """Raise `Unavailable` unless both reading and writing threads answer."""
        await self.read(_answer)
        await self._writing.run(_answer)

    async def backup(self, path: Path | str) -> None:
        """Copy the log as it is at one moment into a new file with mode 0600, while it is being written to.

        Raises:
            Unavailable: it cannot be written.
        """
        await self._keeping.run(_back_up, Path(path))

    async def close(self) -> None:
        """Finish what is under way and close the file."""
        if self._checkpoint is not None:
            await self._checkpoint
        await self._reading.close()
        await self._keeping.close()
        try:
            await self._writing.run(self._writer.finish)
        except Unavailable:
            logger.warning("the room log could not be tidied up on closing", exc_info=True)
        await self._writing.close()

    async def _copy_wal(self) -> None:
        """Copy the WAL into the file beside the writer, then what came meanwhile within it: only a whole copy restarts the WAL."""
        try:
            await self._keeping.run(_checkpoint)
            await self._writing.run(self._writer.checkpoint)
        except Unavailable:
            logger.warning("a checkpoint failed; the next append tries again")
        finally:
            self._checkpoint = None


class _Writer:
    """What the writing thread does; nothing here is touched by another thread but `checkpoint_due`."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._appender = Restorer(connection, clock)
        self._pages = 0
        self.checkpoint_due = False

    def append(self, _connection: sqlite3.Connection, batch: Sequence[NewEvent]) -> list[Appended]:
        answers = self._appender.append(batch)
        self._count(len(batch))
        return answers

    def restore(self, _connection: sqlite3.Connection, events: Sequence[RoomEvent]) -> None:
        self._appender.restore(events)
        self._count(len(events))

    def _count(self, events: int) -> None:
        self._pages += 4 + 3 * events
        self.checkpoint_due = self._pages >= CHECKPOINT_PAGES

    def checkpoint(self, connection: sqlite3.Connection) -> None:
        _checkpoint(connection)
        self._pages = 0
        self.checkpoint_due = False

    def finish(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA optimize")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _open(path: Path, readers: int, timeout: float) -> list[sqlite3.Connection]:
    connections: list[sqlite3.Connection] = []
    try:
        connections.append(open_connection(path, busy_timeout=timeout))
        migrate(connections[0])
        connections.append(open_connection(path, busy_timeout=timeout))
        connections.extend(open_connection(path, busy_timeout=timeout, reading=True) for _ in range(readers))
    except (sqlite3.Error, OSError) as error:
        for connection in connections:
            connection.close()
        raise Unavailable(f"The room log {path} cannot be opened: {error}", retry_after=1) from error
    except BaseException:
        for connection in connections:
            connection.close()
        raise
    return connections


def _answer(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT 1 FROM rooms LIMIT 1").fetchone()


def _checkpoint(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    target = sqlite3.connect(path, isolation_level=None)
    try:
        connection.backup(target, pages=-1)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        target.close()
