"""Read markers on their way to the store: all that wait while some are being written are one write."""

import asyncio

from parlour.chat.ports import RoomStore
from parlour.chat.service.membership import Memberships
from parlour.platform.ids import RoomId, UserId


class MarkWriter:
    """Writes read markers in groups, and then has `memberships` know of them."""

    def __init__(self, store: RoomStore, memberships: Memberships) -> None:
        self._store = store
        self._memberships = memberships
        self._marks: dict[tuple[UserId, RoomId], tuple[int, bool]] = {}
        self._written: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    async def write(self, user_id: UserId, room_id: RoomId, seq: int, *, back: bool = False) -> None:
        """Move a member's read marker forward, with `back` to any place; returns when it is stored.

        All markers that wait while some are being written go into the next write, and of one member and room only the
        furthest since the last that went back. When it raises, the marker has not moved.

        Raises:
            Unavailable: the store is away.
        """
        loop = asyncio.get_running_loop()
        key = (user_id, room_id)
        waiting, went_back = self._marks.get(key, (0, False))
        self._marks[key] = (seq, True) if back else (max(seq, waiting), went_back)
        if self._written is None:
            self._written = loop.create_future()
            self._written.add_done_callback(_retrieve)  # those who wait may all have gone
        if self._writing is None:
            self._writing = loop.create_task(self._write())
        await asyncio.shield(self._written)

    async def close(self) -> None:
        """Finish what is being written."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        while (written := self._written) is not None:
            marks, self._marks, self._written = self._marks, {}, None
            try:
                await self._store.mark_read([(*key, seq, back) for key, (seq, back) in marks.items()])
            except Exception as error:
                written.set_exception(error)
                continue
            for (user_id, room_id), (seq, back) in marks.items():
                self._memberships.marked(user_id, room_id, seq, back=back)
            written.set_result(None)
        self._writing = None


def _retrieve(future: "asyncio.Future[None]") -> None:
    if not future.cancelled():
        future.exception()
