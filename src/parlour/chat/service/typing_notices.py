"""Who is typing where: short-lived notices that end by themselves."""

import asyncio
from collections import deque
from collections.abc import Callable

from parlour.chat.service.membership import Memberships
from parlour.platform.ids import RoomId, UserId
from parlour.platform.permissions import Permission
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

EXPIRY = 6.0
"""Seconds after which a notice that was not renewed ends; clients renew about every 3."""

REPEAT = 2.0
"""Seconds within which a renewal is not told again."""


class TypingNotices:
    """The notices of this node's members; `tell(room_id, user_id, on)` is called when one begins, goes on and ends.

    A notice ends when its author says so, sends the message, or after `EXPIRY` seconds (one timer for all). It is
    soft state: volatile on the wire, gone with the process, and then ended by the client's own clock.
    """

    def __init__(
        self,
        memberships: Memberships,
        rates: RateLimits,
        tell: Callable[[RoomId, UserId, bool], None],
        *,
        expiry: float = EXPIRY,
        repeat: float = REPEAT,
    ) -> None:
        self._memberships = memberships
        self._rates = rates
        self._tell = tell
        self._expiry = expiry
        self._repeat = repeat
        self._typing: dict[tuple[RoomId, UserId], tuple[float, float]] = {}  # when it ends, when it was last told
        self._ends: deque[tuple[float, tuple[RoomId, UserId]]] = deque()

    async def set(self, principal: Principal, room_id: RoomId, on: bool) -> None:
        """Begin, renew or end the caller's notice in a room.

        Raises:
            RoomNotFound, Forbidden: the caller may not send there.
            RateLimited: too many.
        """
        if self._memberships.check(principal, room_id, Permission.SEND) is None:
            await self._memberships.require(principal, room_id, Permission.SEND)
        self._rates.check("typing", principal.user_id)
        key = (room_id, principal.user_id)
        if not on:
            self._end(key)
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        _, told = self._typing.get(key, (0.0, 0.0))
        repeated = key in self._typing and now - told < self._repeat
        self._typing[key] = (now + self._expiry, told if repeated else now)
        self._ends.append((now + self._expiry, key))
        if len(self._ends) == 1:
            loop.call_later(self._expiry, self._expire)
        if not repeated:
            self._tell(room_id, principal.user_id, True)

    def sent(self, room_id: RoomId, user_id: UserId) -> None:
        """End a notice without telling: the message that arrives says it."""
        self._typing.pop((room_id, user_id), None)

    def _end(self, key: tuple[RoomId, UserId]) -> None:
        if self._typing.pop(key, None) is not None:
            self._tell(*key, False)

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time() + 0.001  # the loop's timers fire up to their resolution before their time
        while self._ends and self._ends[0][0] <= now:
            _, key = self._ends.popleft()
            if self._typing.get(key, (now + 1, 0.0))[0] <= now:
                self._end(key)
        if self._ends:
            loop.call_later(self._ends[0][0] - now, self._expire)
