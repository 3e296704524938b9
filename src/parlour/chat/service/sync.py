"""Catching up: the events that a client missed in each of its rooms, or the advice to fetch history instead."""

import asyncio
from collections.abc import Iterable, Mapping

import msgspec

from parlour.chat.errors import RoomNotFound
from parlour.chat.model import SYNC_GAP
from parlour.chat.ports import RoomLog
from parlour.chat.service.heads import Heads
from parlour.chat.service.membership import Memberships
from parlour.platform.errors import ErrorBody, Forbidden, InvalidRequest
from parlour.platform.ids import RoomId
from parlour.platform.permissions import Permission
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

MAX_ROOMS = 500
"""Rooms of one call."""

MAX_BYTES = 512 * 1024
"""Encoded events of one answer: half of what a socket's outbox may hold, so that an answer never closes its own socket."""

_ROOM_WEIGHT = 10  # events: what looking into a room costs besides its own
_UNIT = 100  # events of one unit of the rate


class RoomSync(msgspec.Struct, omit_defaults=True):
    """What a client missed in one room, whose last event is `head`.

    `events` are all those after the seq that it named, up to `head` and in order. With `reset` there are none: the gap is
    over `SYNC_GAP`, the answer is full, or the client holds a seq that the room never had; fetch the latest page of
    history instead. A room that the caller may not read has an `error`, and nothing in the other fields.
    """

    head: int
    events: list[msgspec.Raw]
    reset: bool
    error: ErrorBody | None = None


class Sync:
    """Answers `sync`.

    The head is read before the events, and the caller's socket has been in its rooms since before `ready`: what is
    appended meanwhile arrives live with a seq above `head`.
    """

    def __init__(self, log: RoomLog, memberships: Memberships, heads: Heads, rates: RateLimits) -> None:
        self._log = log
        self._memberships = memberships
        self._heads = heads
        self._rates = rates
        self._encode = msgspec.json.Encoder().encode
        self._reading: dict[tuple[RoomId, int, int], asyncio.Task[list[msgspec.Raw]]] = {}

    async def sync(self, principal: Principal, rooms: Mapping[RoomId, int]) -> dict[RoomId, RoomSync]:
        """Return, for each room, what lies past the seq that the client holds.

        Raises:
            InvalidRequest: more than `MAX_ROOMS`, or a negative seq.
            RateLimited, Unavailable: later.
        """
        if len(rooms) > MAX_ROOMS:
            raise InvalidRequest(
                f"At most {MAX_ROOMS} rooms can be synced at a time.", details={"field": "rooms", "limit": MAX_ROOMS}
            )
        if any(last < 0 for last in rooms.values()):
            raise InvalidRequest("A seq is never negative.", details={"field": "rooms"})
        self._rates.check("sync", principal.user_id, cost=1 + self._weight(rooms) // _UNIT)
        answer: dict[RoomId, RoomSync] = {}
        readable = await self._readable(principal, rooms, answer)
        heads = await self._heads.of(readable)
        if ahead := [room_id for room_id in readable if rooms[room_id] > heads[room_id]]:
            heads |= await self._heads.sure(ahead)
        left = MAX_BYTES
        # The shortest gaps first: they are the most rooms that a full answer can bring up to date.
        for room_id in sorted(readable, key=lambda each: heads[each] - rooms[each]):
            answer[room_id] = entry = await self._missed(room_id, rooms[room_id], heads[room_id], left)
            if entry.reset and 0 < heads[room_id] - rooms[room_id] <= SYNC_GAP:
                left = 0  # it did not fit: longer gaps would be read only to be thrown away
            left -= sum(map(len, entry.events))
        await self._readable(principal, readable, answer)  # who was removed meanwhile gets nothing that came after
        return answer

    async def _readable(
        self, principal: Principal, rooms: Iterable[RoomId], answer: dict[RoomId, RoomSync]
    ) -> list[RoomId]:
        """Return the rooms that the caller may read; why not the others goes into `answer`."""
        readable: list[RoomId] = []
        for room_id in rooms:
            try:
                if self._memberships.check(principal, room_id, Permission.READ) is None:
                    await self._memberships.require(principal, room_id, Permission.READ)
                readable.append(room_id)
            except (RoomNotFound, Forbidden) as error:
                answer[room_id] = RoomSync(0, [], False, error.body())
        return readable

    async def close(self) -> None:
        """End the reads that are under way."""
        reading = list(self._reading.values())
        for each in reading:
            each.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    def _weight(self, rooms: Mapping[RoomId, int]) -> int:
        """Return about how many events an answer takes to read, from the heads that are known without asking."""
        gaps = [(self._heads.get(room_id) or last) - last for room_id, last in rooms.items()]
        return sum(_ROOM_WEIGHT + gap for gap in gaps if 0 < gap <= SYNC_GAP)

    async def _missed(self, room_id: RoomId, last: int, head: int, budget: int) -> RoomSync:
        if last == head:
            return RoomSync(head, [], False)
        if last > head or head - last > SYNC_GAP or budget <= 0:
            return RoomSync(head, [], True)
        events = await self._events(room_id, last, head)
        if not events or sum(map(len, events)) > budget:
            return RoomSync(head, [], True)
        return RoomSync(head, events, False)

    async def _events(self, room_id: RoomId, last: int, head: int) -> list[msgspec.Raw]:
        """Return the events, encoded; those who come back at the same time and lack the same share one read."""
        key = (room_id, last, head)
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._read(room_id, last, head))
            reading.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(reading)

    async def _read(self, room_id: RoomId, last: int, head: int) -> list[msgspec.Raw]:
        found = await self._log.events(room_id, last, head, max_bytes=MAX_BYTES)
        return [msgspec.Raw(self._encode(event)) for event in found]

    def _done(self, key: tuple[RoomId, int, int], reading: asyncio.Task[list[msgspec.Raw]]) -> None:
        del self._reading[key]
        if not reading.cancelled():
            reading.exception()  # counts as seen: those who asked may all have gone
