"""Who is typing where: short-lived notices that end by themselves."""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from parlour.chat.service.membership import Memberships
from parlour.platform.cache import Cache
from parlour.platform.ids import RoomId, UserId
from parlour.platform.permissions import Permission
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

EXPIRY = 6.0
"""Seconds after which a notice that was not renewed ends; clients renew about every 3."""

REPEAT = 2.0
"""Seconds in which a member's beginning or renewal is told to a room once, however often they begin and end."""

LARGEST_ROOM = 200
"""Members past which a room is not told who types: each notice costs as many deliveries."""

_Key = tuple[RoomId, UserId]


class _Notice(msgspec.Struct):
    """Of one member in one room: when it ends, when it was last told, whether the others see it, whether it waits to be told."""

    ends: float
    told: float
    shown: bool = False
    waits: bool = False


class TypingNotices:
    """The notices of this node's members; `tell(room_id, user_id, on)` is called when one begins, goes on and ends.

    A notice ends when its author says so, sends the message, or after `EXPIRY` seconds (one timer for all). One that begins
    again within `REPEAT` is told when that is over, if it still goes on; so a room hears of a member at most one beginning and
    one end in that time. Rooms of more than `LARGEST_ROOM` members hear of none. It is soft state: volatile on the wire, gone
    with the process, and then ended by the client's own clock.
    """

    def __init__(
        self,
        memberships: Memberships,
        sizes: Cache[int],
        rates: RateLimits,
        tell: Callable[[RoomId, UserId, bool], None],
        *,
        expiry: float = EXPIRY,
        repeat: float = REPEAT,
    ) -> None:
        """Take an `expiry` longer than two `repeat`, both in seconds: what ended is forgotten by then."""
        self._memberships = memberships
        self._sizes = sizes
        self._rates = rates
        self._tell = tell
        self._expiry = expiry
        self._repeat = repeat
        self._notices: dict[_Key, _Notice] = {}
        self._ends: deque[tuple[float, _Key]] = deque()

    async def set(self, principal: Principal, room_id: RoomId, on: bool) -> None:
        """Begin, renew or end the caller's notice in a room.

        Raises:
            RoomNotFound, Forbidden: the caller may not send there.
            RateLimited: too many.
        """
        if self._memberships.check(principal, room_id, Permission.SEND) is None:
            await self._memberships.require(principal, room_id, Permission.SEND)
        self._rates.check("typing", principal.user_id)
        if await self._sizes.get(room_id) > LARGEST_ROOM:
            return
        key = (room_id, principal.user_id)
        if on:
            self._go_on(key)
        else:
            self._end(key)

    def sent(self, room_id: RoomId, user_id: UserId) -> None:
        """End a notice without telling: the message that arrives says it."""
        notice = self._notices.get((room_id, user_id))
        if notice is not None:
            notice.ends, notice.shown = 0.0, False

    def _go_on(self, key: _Key) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        notice = self._notices.get(key)
        if notice is None:
            notice = self._notices[key] = _Notice(now, now - self._repeat)
        notice.ends = now + self._expiry
        self._ends.append((notice.ends, key))
        if len(self._ends) == 1:
            loop.call_later(self._expiry, self._expire)
        due = notice.told + self._repeat
        if due <= now:
            self._show(key, notice)
        elif not (notice.shown or notice.waits):
            notice.waits = True
            loop.call_later(due - now, self._show_late, key, notice)

    def _show(self, key: _Key, notice: _Notice) -> None:
        notice.told, notice.shown = asyncio.get_running_loop().time(), True
        self._tell(*key, True)

    def _show_late(self, key: _Key, notice: _Notice) -> None:
        notice.waits = False
        if notice.ends > asyncio.get_running_loop().time():
            self._show(key, notice)

    def _end(self, key: _Key) -> None:
        notice = self._notices.get(key)
        if notice is None:
            return
        shown, notice.ends, notice.shown = notice.shown, 0.0, False
        if shown:
            self._tell(*key, False)

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time() + 0.001  # the loop's timers fire up to their resolution before their time
        while self._ends and self._ends[0][0] <= now:
            _, key = self._ends.popleft()
            notice = self._notices.get(key)
            if notice is not None and notice.ends <= now:
                self._end(key)
                if notice.told + self._repeat <= now:
                    del self._notices[key]
        if self._ends:
            loop.call_later(self._ends[0][0] - now, self._expire)
