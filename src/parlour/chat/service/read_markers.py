"""How far each member has read: moved forward only, and told to those who care."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from parlour.chat.ports import RoomStore
from parlour.chat.service.heads import Heads
from parlour.chat.service.membership import Memberships
from parlour.platform.ids import RoomId, UserId
from parlour.platform.permissions import Permission
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

SMALL_ROOM = 100
"""Members up to which a room is told who has read what."""

_REMEMBERED_ROOMS = 10_000
_SIZE_LIFETIME = 60.0  # seconds: whether a room counts as small may lag by this


class ReadMarkers:
    """Moves the caller's read marker of a room and tells `tell(room_id, user_id, seq, small, origin)`.

    `small` says whether the whole room is to hear of it, not only the user's other devices; `origin` is the device
    that moved it.
    """

    def __init__(
        self,
        store: RoomStore,
        memberships: Memberships,
        heads: Heads,
        rates: RateLimits,
        tell: Callable[[RoomId, UserId, int, bool, str | None], None],
    ) -> None:
        self._store = store
        self._memberships = memberships
        self._heads = heads
        self._rates = rates
        self._tell = tell
        self._small: OrderedDict[RoomId, tuple[float, bool]] = OrderedDict()

    async def mark(self, principal: Principal, room_id: RoomId, seq: int, origin: str | None = None) -> int:
        """Move the marker to `seq`, at most to the room's head and never back, and return where it is.

        Raises:
            RoomNotFound: the caller is not a member.
            RateLimited: too many.
        """
        membership = self._memberships.check(principal, room_id, Permission.READ)
        if membership is None:
            membership = await self._memberships.require(principal, room_id, Permission.READ)
        self._rates.check("read", principal.user_id)
        if seq <= membership.read:
            return membership.read
        head = (await self._heads.of((room_id,)))[room_id]
        mark = min(seq, head)
        if mark <= membership.read:
            return membership.read
        await self._memberships.mark_read(principal.user_id, room_id, mark)
        self._tell(room_id, principal.user_id, mark, await self._is_small(room_id), origin)
        return mark

    async def _is_small(self, room_id: RoomId) -> bool:
        now = asyncio.get_running_loop().time()
        until, small = self._small.get(room_id, (0.0, False))
        if until <= now:
            small = await self._store.count_members(room_id) <= SMALL_ROOM
            self._small[room_id] = (now + _SIZE_LIFETIME, small)
            self._small.move_to_end(room_id)
            if len(self._small) > _REMEMBERED_ROOMS:
                self._small.popitem(last=False)
        return small
