"""How far each member has read: moved forward by reading, back on purpose only, and told to those who care."""

from collections.abc import Callable

from parlour.chat.model import Membership
from parlour.chat.ports import RoomLog
from parlour.chat.service.heads import Heads
from parlour.chat.service.mark_writer import MarkWriter
from parlour.chat.service.membership import Memberships
from parlour.platform.cache import Cache
from parlour.platform.ids import RoomId, UserId
from parlour.platform.permissions import Permission
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

SMALL_ROOM = 100
"""Members up to which a room is told who has read what."""


class ReadMarkers:
    """Moves the caller's read marker of a room and tells `tell(room_id, user_id, seq, small, origin)`.

    `small` says whether the whole room is to hear of it, not only the user's other devices; `origin` is the device
    that moved it. Back it is told to the user's own devices by `tell_unread(room_id, user_id, seq, head, mentions)`, with the
    mentions past it and up to the head.
    """

    def __init__(
        self,
        *,
        log: RoomLog,
        sizes: Cache[int],
        memberships: Memberships,
        marks: MarkWriter,
        heads: Heads,
        rates: RateLimits,
        tell: Callable[[RoomId, UserId, int, bool, str | None], None],
        tell_unread: Callable[[RoomId, UserId, int, int, int], None],
    ) -> None:
        self._log = log
        self._sizes = sizes
        self._memberships = memberships
        self._marks = marks
        self._heads = heads
        self._rates = rates
        self._tell = tell
        self._tell_unread = tell_unread

    async def mark(
        self, principal: Principal, room_id: RoomId, seq: int, origin: str | None = None, *, was: int | None = None
    ) -> int:
        """Move the marker to `seq`, at most to the room's head and never back, and return where it is.

        `was` is where the device knew the marker to be. Past where it is, the device has not heard yet that it was moved back:
        then nothing is moved.

        Raises:
            RoomNotFound: the caller is not a member.
            RateLimited: too many.
        """
        membership = await self._membership(principal, room_id)
        if seq <= membership.read or (was is not None and was > membership.read):
            return membership.read
        head = await self._head(room_id, seq)
        mark = min(seq, head)
        if mark <= membership.read:
            return membership.read
        await self._marks.write(principal.user_id, room_id, mark)
        small = await self._sizes.get(room_id) <= SMALL_ROOM
        self._tell(room_id, principal.user_id, mark, small, origin)
        return mark

    async def mark_unread(self, principal: Principal, room_id: RoomId, seq: int) -> int:
        """Move the marker to `seq`, at most to the room's head, also back, and return where it is.

        Raises:
            RoomNotFound: the caller is not a member.
            RateLimited: too many.
        """
        await self._membership(principal, room_id)
        head = await self._head(room_id, seq)
        mark = min(seq, head)
        await self._marks.write(principal.user_id, room_id, mark, back=True)
        (mentions,) = await self._log.mentions([(principal.user_id, room_id, mark)])
        self._tell_unread(room_id, principal.user_id, mark, head, mentions)
        return mark

    async def _head(self, room_id: RoomId, seq: int) -> int:
        head = (await self._heads.of((room_id,)))[room_id]
        return head if seq <= head else (await self._heads.sure((room_id,)))[room_id]

    async def _membership(self, principal: Principal, room_id: RoomId) -> Membership:
        membership = self._memberships.check(principal, room_id, Permission.READ)
        if membership is None:
            membership = await self._memberships.require(principal, room_id, Permission.READ)
        self._rates.check("read", principal.user_id)
        return membership
