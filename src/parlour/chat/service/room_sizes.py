"""How many members a room has, remembered for a while: what decides whether all of a room hear of small things."""

import asyncio
from collections import OrderedDict

from parlour.chat.ports import RoomStore
from parlour.platform.ids import RoomId

LIFETIME = 60.0
"""Seconds by which a number may lag."""


class RoomSizes:
    """The numbers of members of at most `capacity` rooms, those asked for last."""

    def __init__(self, store: RoomStore, *, capacity: int = 10_000) -> None:
        self._store = store
        self._capacity = capacity
        self._sizes: OrderedDict[RoomId, tuple[float, int]] = OrderedDict()

    async def of(self, room_id: RoomId) -> int:
        """Return how many members a room has, or had up to `LIFETIME` ago.

        Raises:
            Unavailable: the store is away.
        """
        now = asyncio.get_running_loop().time()
        until, size = self._sizes.get(room_id, (0.0, 0))
        if until <= now:
            size = await self._store.count_members(room_id)
            self._sizes[room_id] = (now + LIFETIME, size)
            self._sizes.move_to_end(room_id)
            if len(self._sizes) > self._capacity:
                self._sizes.popitem(last=False)
        return size
