"""What a process knows of the rooms that it writes to: whose turn it is, and where each ends."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from parlour.chat.model import Tail
from parlour.platform.ids import RoomId


class Turns:
    """One at a time for each room."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[RoomId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, rooms: Iterable[RoomId]) -> AsyncIterator[None]:
        """Run the block while nobody else's runs for one of the rooms."""
        # In one order for all, so that no two wait for each other.
        locks = [self._locks.setdefault(room, asyncio.Lock()) for room in sorted(set(rooms))]
        async with AsyncExitStack() as stack:
            for lock in locks:
                await stack.enter_async_context(lock)
            yield


class Heads:
    """Where the rooms end that were written to last."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._tails: OrderedDict[RoomId, Tail] = OrderedDict()
        self._capacity = capacity

    def get(self, room_id: RoomId) -> Tail | None:
        """Return where a room ends, None where that is not known."""
        tail = self._tails.get(room_id)
        if tail is not None:
            self._tails.move_to_end(room_id)
        return tail

    def put(self, room_id: RoomId, tail: Tail) -> None:
        """Remember where a room ends; the room that was asked for least lately may be forgotten."""
        self._tails[room_id] = tail
        self._tails.move_to_end(room_id)
        if len(self._tails) > self._capacity:
            self._tails.popitem(last=False)

    def forget(self, rooms: Iterable[RoomId]) -> None:
        """Forget where rooms end."""
        for room_id in rooms:
            self._tails.pop(room_id, None)
