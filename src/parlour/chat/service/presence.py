"""Who is here: devices come, go idle and go; those who watch a user hear of changes only."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from parlour.chat.ports import PresenceStore
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import UserId
from parlour.platform.rates import RateLimits

MAX_WATCHED = 500
"""Users that one device may watch at a time."""

GRACE = 5.0
"""Seconds for which a device that went still counts: a page reload takes 1 to 2, a change of network 3 to 4."""

SETTLE = 0.1
"""Seconds over which the changes of a user are told as one."""

CALM = 1.0
"""Seconds after a user's change was told in which their next ones are told as one, however often they change."""


class Presence:
    """The presence of users, by device (a socket's id), as the devices of this node watch it.

    `tell(user_id, state)` is called with `online`, `idle` or `offline` once for each change of a watched user, after
    it has held for `SETTLE` seconds and `CALM` after the one told before; changes of users whom nobody watches cost two
    look-ups and call nothing. A device counts for `GRACE` seconds after it went, so that a reconnect is no change.
    There are at most two timers, however many devices.
    """

    def __init__(
        self,
        store: PresenceStore,
        rates: RateLimits,
        tell: Callable[[UserId, str], None],
        *,
        grace: float = GRACE,
        settle: float = SETTLE,
        calm: float = CALM,
    ) -> None:
        self._store = store
        self._rates = rates
        self._tell = tell
        self._grace = grace
        self._settle = settle
        self._calm = calm
        self._watched: dict[str, frozenset[UserId]] = {}
        self._watchers: dict[UserId, int] = {}
        self._changing: dict[UserId, str] = {}  # what those who watch were told last
        self._calm_until: dict[UserId, float] = {}
        self._leaving: deque[tuple[float, UserId, str]] = deque()
        store.on_change(self._changed)

    def arrive(self, user_id: UserId, device: str) -> None:
        """Count a device in, as active."""
        self._set(user_id, device, "active")

    def update(self, user_id: UserId, device: str, state: str) -> None:
        """Note that a device is `active` or `idle`.

        Raises:
            RateLimited: too many changes.
        """
        self._rates.check("presence", user_id)
        self._set(user_id, device, state)

    def leave(self, user_id: UserId, device: str) -> None:
        """Count a device out, and let it watch nobody any more."""
        self._unwatch(self._watched.pop(device, frozenset()))
        loop = asyncio.get_running_loop()
        self._leaving.append((loop.time() + self._grace, user_id, device))
        if len(self._leaving) == 1:
            loop.call_later(self._grace, self._expire)

    async def watch(self, user_id: UserId, device: str, watched: Sequence[UserId]) -> dict[UserId, str]:
        """Have `device` of `user_id` watch exactly `watched` from now on, and return their states; unknown ids are offline.

        Raises:
            InvalidRequest: more than `MAX_WATCHED`.
            RateLimited: too many calls.
        """
        if len(watched) > MAX_WATCHED:
            raise InvalidRequest(
                f"At most {MAX_WATCHED} users can be watched at a time.",
                details={"field": "user_ids", "limit": MAX_WATCHED},
            )
        self._rates.check("presence", user_id, 1 + len(watched) // 100)  # a channel is joined and one left for each
        wanted = frozenset(watched)
        for watched_id in wanted:
            self._watchers[watched_id] = self._watchers.get(watched_id, 0) + 1
        self._unwatch(self._watched.get(device, frozenset()))
        self._watched[device] = wanted
        await self._store.follow(wanted)
        # What is still settling is answered as it was, since the change is about to be told.
        return {**self._store.get(wanted), **{each: self._changing[each] for each in wanted & self._changing.keys()}}

    def watched_by(self, device: str) -> frozenset[UserId]:
        """Return whom a device watches."""
        return self._watched.get(device, frozenset())

    def _unwatch(self, user_ids: frozenset[UserId]) -> None:
        for user_id in user_ids:
            left = self._watchers[user_id] - 1
            if left:
                self._watchers[user_id] = left
            else:
                del self._watchers[user_id]
                self._store.unfollow((user_id,))

    def _set(self, user_id: UserId, device: str, state: str | None) -> None:
        if user_id not in self._watchers:
            self._store.set(user_id, device, state)
            return
        before = self._store.get((user_id,))[user_id]
        if self._store.set(user_id, device, state) != before:
            self._changed(user_id, before)

    def _changed(self, user_id: UserId, before: str) -> None:
        if user_id in self._watchers and user_id not in self._changing:
            if not self._changing:
                asyncio.get_running_loop().call_later(self._settle, self._flush)
            self._changing[user_id] = before

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._calm_until = {user_id: until for user_id, until in self._calm_until.items() if until > now}
        settled = self._changing.keys() - self._calm_until.keys()
        states = self._store.get(settled)
        for user_id in settled:
            if states[user_id] != self._changing.pop(user_id):
                self._calm_until[user_id] = now + self._calm
                self._tell(user_id, states[user_id])
        if self._changing:
            loop.call_later(self._settle, self._flush)

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        # A millisecond early is due as well: the loop's timers fire up to their resolution before their time.
        while self._leaving and self._leaving[0][0] <= now + 0.001:
            _, user_id, device = self._leaving.popleft()
            self._set(user_id, device, None)
        if self._leaving:
            loop.call_later(self._leaving[0][0] - now, self._expire)
