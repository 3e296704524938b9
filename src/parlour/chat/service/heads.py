"""The last seq of every room that somebody asked about, current without asking the log again."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from parlour.chat.model import Appended, NewEvent, RoomEvent
from parlour.chat.ports import RoomLog
from parlour.chat.service.batching import BatchLoader
from parlour.platform.errors import ParlourError
from parlour.platform.ids import RoomId

Work = Callable[[Sequence[NewEvent]], Awaitable[Sequence[Appended | ParlourError]]]


class Heads:
    """A bounded cache of heads, moved forward by every event that is committed.

    A head is never below that of an event which `committed` was told of before, since a head that was read from the log
    meanwhile only counts where it is higher. It holds for the rooms whose commands this process works: `follow`.
    """

    def __init__(self, log: RoomLog, *, capacity: int = 100_000) -> None:
        """Remember at most `capacity` rooms, about 200 bytes each."""
        self._log = log
        self._capacity = capacity
        self._heads: OrderedDict[RoomId, int] = OrderedDict()
        self._forgotten = 0
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

    def follow(self, work: Work) -> Work:
        """Return `work` for a `Broker`, which also moves the heads of its rooms, before anybody is answered.

        A repeat moves them too: its event may have been written by an attempt that seemed to fail. Where `work` raises, what
        it wrote is unknown, and so are the heads of its rooms.
        """

        async def followed(batch: Sequence[NewEvent]) -> Sequence[Appended | ParlourError]:
            try:
                answers = await work(batch)
            except BaseException:
                self._forget(command.room_id for command in batch)
                raise
            self._forget(
                command.room_id
                for command, answer in zip(batch, answers, strict=True)
                if not isinstance(answer, Appended)
            )
            self.committed([answer.event for answer in answers if isinstance(answer, Appended)])
            return answers

        return followed

    def _forget(self, room_ids: Iterable[RoomId]) -> None:
        for room_id in room_ids:
            self._forgotten += 1
            self._heads.pop(room_id, None)

    async def _fetch(self, room_ids: Sequence[RoomId]) -> dict[RoomId, int]:
        while True:
            forgotten = self._forgotten
            found = await self._log.heads(room_ids)
            if self._forgotten == forgotten:
                break
        return {room_id: self._raise(room_id, found.get(room_id, 0)) for room_id in room_ids}

    def _raise(self, room_id: RoomId, head: int) -> int:
        head = max(head, self._heads.get(room_id, 0))
        self._heads[room_id] = head
        self._heads.move_to_end(room_id)
        if len(self._heads) > self._capacity:
            self._heads.popitem(last=False)
        return head
