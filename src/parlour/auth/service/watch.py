"""What other processes did to the store: `parlour admin` revokes, disables and rotates while the server runs."""

import math

from parlour.auth.model import MINUTE, SECOND
from parlour.auth.ports import SessionStore
from parlour.auth.service.accounts import Accounts
from parlour.auth.service.keys import KeyRing
from parlour.auth.service.sessions import Sessions
from parlour.auth.service.throttle import LoginThrottle
from parlour.platform.clock import Clock
from parlour.platform.ids import UserId
from parlour.platform.looks import Looks
from parlour.platform.supervision import keep_looking

_OVERLAP = 15 * SECOND
"""How far back each look goes: a change carries the time at which it began to be written, which may be that long before it was."""

_LOAD_KEYS_EVERY = 2.0
_TIDY_EVERY = 3600.0
"""Seconds of the clock that never goes back."""


class Watch:
    """Looks for changes every `interval` seconds (two indexed queries), for keys every 2 s, and tidies up every hour."""

    def __init__(
        self,
        *,
        store: SessionStore,
        sessions: Sessions,
        accounts: Accounts,
        keys: KeyRing,
        throttle: LoginThrottle,
        clock: Clock,
        interval: float = 0.5,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._accounts = accounts
        self._keys = keys
        self._throttle = throttle
        self._clock = clock
        self._interval = interval
        self._looks = Looks(clock, _OVERLAP)
        self._keys_at = clock.monotonic()
        self._tidied_at = -math.inf
        self._told: dict[UserId, int] = {}

    async def run(self) -> None:
        """Look until cancelled, whatever happens: without it the revocations of other processes would wait for a restart."""
        await keep_looking(
            self.look,
            self._interval,
            away="the accounts database does not answer; revocations by other processes wait for it",
            failed="looking for changes of accounts failed",
        )

    async def look(self) -> None:
        """Tell of what changed since the last look, and load new keys."""
        look = self._looks.begin()
        now, tick = look.at, look.tick
        changes = await self._store.changes(look.since)
        await self._sessions.tell(changes.ended)
        await self._sessions.recall_missing()
        for user in changes.users:
            if self._told.get(user.id) != user.updated_at:
                self._told[user.id] = user.updated_at
                await self._accounts.tell(user)
        self._looks.done(look)
        if tick - self._keys_at >= _LOAD_KEYS_EVERY:
            await self._keys.load()
            self._keys_at = tick
        if tick - self._tidied_at >= _TIDY_EVERY:
            await self._tidy(now)
            self._tidied_at = tick

    async def _tidy(self, now: int) -> None:
        await self._sessions.purge(now - 10 * MINUTE)
        await self._throttle.purge()
        self._told = {user_id: at for user_id, at in self._told.items() if at >= now - 10 * MINUTE}
