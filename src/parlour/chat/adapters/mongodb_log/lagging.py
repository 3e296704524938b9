"""Heads that are written some time after the events: each room's once in a while, however many events it has."""

import asyncio
import logging
from collections import OrderedDict
from itertools import islice

from parlour.chat.adapters.mongodb_log.engine import Engine
from parlour.chat.adapters.mongodb_log.views import write_heads
from parlour.chat.model import Tail
from parlour.platform.errors import Unavailable
from parlour.platform.ids import RoomId

logger = logging.getLogger(__name__)

LAG = 3.0
"""Seconds for which a head may lag behind: of how many events of its room, whoever reads where it ends counts them."""

FAR = 200
"""Events for which a head may."""

LOOK_EVERY = 0.5

CLOSING = 5.0
"""Seconds that all of them may take at the end."""

AT_ONCE, SHARE = 10, 20
"""Heads that are written in one call, so that it holds up no append for long; a twentieth of what waits, where that is more."""

BREATH = 0.02
"""Seconds between two calls, for the same reason."""


class LaggingHeads:
    """The heads that this process has yet to write.

    Nothing depends on them but how much has to be read to find where a room ends: after a crash they lag until their room's next
    event. At most as many as there are rooms in `LAG` seconds; while the engine is away, nothing is appended that would add to them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: OrderedDict[RoomId, tuple[float, int]] = (
            OrderedDict()
        )  # since when and which seq, the oldest first
        self._tails: dict[RoomId, Tail] = {}
        self._far: dict[RoomId, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, room_id: RoomId, tail: Tail) -> None:
        """Have a head written soon."""
        loop = asyncio.get_running_loop()
        _, first = self._waiting.setdefault(room_id, (loop.time(), tail.seq))
        self._tails[room_id] = tail
        if tail.seq - first >= FAR:
            self._far[room_id] = None
        if self._task is None and not self._closed:
            self._task = loop.create_task(self._run())

    def forget(self, room_id: RoomId) -> None:
        """Note that a later head of the room has been written."""
        self._waiting.pop(room_id, None)
        self._tails.pop(room_id, None)
        self._far.pop(room_id, None)

    async def close(self) -> None:
        """Write all of them, unless the engine is away."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        try:
            async with asyncio.timeout(CLOSING):
                while self._waiting:
                    await self._write(list(islice(self._waiting, FAR)))
        except (Unavailable, TimeoutError):
            logger.warning("the heads of rooms could not be written", extra={"rooms": len(self._waiting)})

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(LOOK_EVERY)
            try:
                while due := self._due(loop.time() - LAG):
                    await self._write(due)
                    await asyncio.sleep(BREATH)
            except Unavailable:
                continue
        self._task = None

    def _due(self, since: float) -> list[RoomId]:
        most = max(AT_ONCE, len(self._waiting) // SHARE)
        due = list(islice(self._far, most))
        for room_id, (began, _) in self._waiting.items():
            if began > since or len(due) >= most:
                break
            if room_id not in self._far:
                due.append(room_id)
        return due

    async def _write(self, rooms: list[RoomId]) -> None:
        tails = {room_id: self._tails[room_id] for room_id in rooms}
        await write_heads(self._engine, tails)
        for room_id, tail in tails.items():
            if self._tails.get(room_id) is tail:
                self.forget(room_id)
            elif room_id in self._waiting:  # it has gone on meanwhile
                self._waiting[room_id] = (asyncio.get_running_loop().time(), tail.seq + 1)
                self._waiting.move_to_end(room_id)
                self._far.pop(room_id, None)
