"""The last seq of every room that somebody asked about, current without asking the log again."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from parlour.chat.model import RoomEvent
from parlour.chat.ports import RoomLog
from parlour.chat.service.batching import BatchLoader
from parlour.platform.ids import RoomId


class Heads:
    """A bounded cache of heads, moved forward by every event that is committed.

    A head is never below that of an event which `committed` was told of before, since a head that was read from the log
    meanwhile only counts where it is higher. It holds for the rooms whose events this process is told of.
    """

    def __init__(self, log: RoomLog, *, capacity: int = 100_000) -> None:
        """Remember at most `capacity` rooms, about 200 bytes each."""
        self._log = log
        self._capacity = capacity
        self._heads: OrderedDict[RoomId, int] = OrderedDict()
        self._loader: BatchLoader[RoomId, int] = BatchLoader(self._fetch)

    def get(self, room_id: RoomId) -> int | None:
        """Return the head of a room, None where it is not in the cache."""
        return self._heads.get(room_id)

    async def of(self, room_ids: Iterable[RoomId]) -> dict[RoomId, int]:
        """Return the head of each room, 0 for one without events; what is not in the cache is loaded in one batch.

        Raises:
            Unavailable: the log is away.
        """
        heads = {room_id: self._heads.get(room_id, -1) for room_id in room_ids}
        missing = [room_id for room_id, head in heads.items() if head < 0]
        if missing:
            heads.update(await self._loader.load_many(missing))
        return heads

    def committed(self, events: Sequence[RoomEvent]) -> None:
        """Move forward the heads of the rooms of `events`."""
        for event in events:
            self._raise(event.room_id, event.seq)

    async def _fetch(self, room_ids: Sequence[RoomId]) -> dict[RoomId, int]:
        found = await self._log.heads(room_ids)
        return {room_id: self._raise(room_id, found.get(room_id, 0)) for room_id in room_ids}

    def _raise(self, room_id: RoomId, head: int) -> int:
        head = max(head, self._heads.get(room_id, 0))
        self._heads[room_id] = head
        self._heads.move_to_end(room_id)
        if len(self._heads) > self._capacity:
            self._heads.popitem(last=False)
        return head
