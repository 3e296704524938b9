"""The room log of a cluster: MongoDB, written to by any number of processes."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from parlour.chat.adapters.mongodb_log.append import Appender
from parlour.chat.adapters.mongodb_log.engine import Engine
from parlour.chat.adapters.mongodb_log.reads import Reads
from parlour.chat.adapters.mongodb_log.schema import Upgrading, migrate
from parlour.chat.model import Appended, Message, NewEvent, RoomEvent, Tail
from parlour.platform.clock import Clock
from parlour.platform.errors import Unavailable
from parlour.platform.ids import ClientId, EventId, RoomId, UserId

T = TypeVar("T")


class MongoRoomLog:
    """A `RoomLog` in one database of MongoDB 6 or newer, or of a server that speaks its protocol.

    What it acknowledges is on the disks of a majority. Several processes may append to one room: its seq stays dense, and a command
    is kept once. The repository's docs/adr/0012 says how.
    """

    def __init__(self, engine: Engine, clock: Clock, *, epoch: str) -> None:
        """Use `MongoRoomLog.open`."""
        self.epoch = epoch
        self._engine = engine
        self._appender = Appender(engine, clock)
        self._reads = Reads(engine)
        self._appending: set[asyncio.Task[Any]] = set()
        self._closed = False

    @classmethod
    async def open(
        cls, url: str, clock: Clock, *, patience: float = 5.0, upgrading: Upgrading | None = None
    ) -> "MongoRoomLog":
        """Connect to `mongodb://…/database?…` and make what collections and indexes are missing.

        `patience` in seconds bounds each attempt of a call. `upgrading(version)` is awaited before a database of an older version is
        made one of this, and what it raises leaves the database as it is.

        Raises:
            ValueError: the URL is none of MongoDB's.
            Unavailable: it cannot be reached.
            NewerSchema: a newer Parlour made the database.
        """
        engine = Engine(url, timeout=patience)
        try:
            epoch = await migrate(engine, upgrading)
        except BaseException:
            await engine.close()
            raise
        return cls(engine, clock, epoch=epoch)

    async def append(self, batch: Sequence[NewEvent]) -> list[Appended]:
        """Append a batch, of any number of rooms; the answers stand in the batch's order.

        Raises:
            InvalidRequest: an id is no UUID, `data` no JSON or too large; nothing of the batch was written.
            Unavailable: MongoDB failed; repeating the batch is safe.
        """
        if not batch:
            return []
        if self._closed:
            raise Unavailable(retry_after=1, details={"reason": "closed"})
        return await self._finished(self._appender.append(batch))

    async def restore(self, events: Sequence[RoomEvent]) -> None:
        """Append events of another log as they are; as the port has it.

        Raises:
            InvalidRequest: one cannot stand in its place; what comes before it may have been written.
            Unavailable: MongoDB failed; repeating it is safe.
        """
        if events:
            if self._closed:
                raise Unavailable(retry_after=1, details={"reason": "closed"})
            await self._finished(self._appender.restore(events))

    async def _finished(self, writing: Coroutine[Any, Any, T]) -> T:
        """Return what a writing call returns; `close` waits for it."""
        task = asyncio.ensure_future(writing)
        self._appending.add(task)
        task.add_done_callback(self._appending.discard)
        return await task

    async def rooms(self, *, after: str = "", limit: int = 1_000) -> list[RoomId]:
        """Return rooms that have a head, by id, those after the id `after`."""
        return await self._reads.rooms(after, limit)

    async def tails(self, room_ids: Iterable[RoomId]) -> dict[RoomId, Tail]:
        """Return where each room ends: `Tail()` for a room without events."""
        return await self._reads.tails(room_ids)

    async def events(self, room_id: RoomId, after: int, upto: int, max_bytes: int | None = None) -> list[RoomEvent]:
        """Return the events with after < seq <= upto, in order; none, where their `data` is over `max_bytes` as JSON."""
        return await self._reads.events(room_id, after, upto, max_bytes)

    async def find(self, room_id: RoomId, sender_id: UserId, client_id: ClientId) -> RoomEvent | None:
        """Return the event that a repeat of this command would be answered with, None where there is none."""
        return await self._reads.find(room_id, sender_id, client_id)

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
        return await self._reads.page(room_id, before, after, limit, head)

    async def around(self, room_id: RoomId, seq: int, limit: int = 50, *, head: int | None = None) -> list[Message]:
        """Return up to `limit` messages around `seq`, newest first: that one, and about half of the rest on each side."""
        return await self._reads.around(room_id, seq, limit, head)

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
        return await self._reads.entries(room_id, before, after, limit, head)

    async def entries_around(
        self, room_id: RoomId, seq: int, limit: int = 50, *, head: int | None = None
    ) -> list[Message | RoomEvent]:
        """Return the same as `around`, with the events `AMONG_MESSAGES`."""
        return await self._reads.entries_around(room_id, seq, limit, head)

    async def message(self, room_id: RoomId, message_id: EventId, *, reactors: bool = True) -> Message | None:
        """Return one message as it is now, deleted ones too (without text); None where the room has no such message.

        Without `reactors` the lists of users in `reactions` are empty, and none of them leaves the engine.
        """
        return await self._reads.message(room_id, message_id, reactors=reactors)

    async def pinned(self, room_id: RoomId) -> list[Message]:
        """Return the pinned messages, the latest pin first, at most 100."""
        return await self._reads.pinned(room_id)

    async def mentions(self, wanted: Sequence[tuple[UserId, RoomId, int]]) -> list[int]:
        """Count, for each (user, room, read seq), the messages after that seq which mention the user or the whole room."""
        return await self._reads.mentions(wanted)

    async def check(self) -> None:
        """Raise `Unavailable` unless the primary answers."""
        await self._engine.ping()

    async def close(self) -> None:
        """Finish what appends are under way and let go of the connections."""
        self._closed = True
        if self._appending:
            await asyncio.wait(self._appending)
        await self._appender.close()
        await self._engine.close()
