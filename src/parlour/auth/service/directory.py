"""The directory: who is on this server, remembered for a while because every message and every room asks."""

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from parlour.auth.model import User
from parlour.auth.names import display_key, username_key
from parlour.auth.ports import AccountStore
from parlour.auth.service.accounts import profile_of
from parlour.platform.bus import Bus
from parlour.platform.clock import Clock
from parlour.platform.contracts import USER_CHANGED, Profile, UserChanged
from parlour.platform.errors import Forbidden, InvalidRequest
from parlour.platform.ids import UserId, is_uuid
from parlour.platform.permissions import Permission, allowed
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

MAX_PAGE = 100


class Page(msgspec.Struct, frozen=True):
    """A page of the directory by username; `cursor` asks for the next, None is the last."""

    users: list[Profile]
    cursor: str | None


class Directory:
    """Profiles by id, by username and by prefix.

    The first two are remembered for `ttl` seconds, at most `size` of them, and forgotten when the bus tells of a change. Usernames
    never change, and names that nobody has are not remembered, so that a new user is found at once.
    """

    def __init__(
        self, store: AccountStore, bus: Bus, clock: Clock, rates: RateLimits, *, ttl: float = 60.0, size: int = 20_000
    ) -> None:
        self._store = store
        self._clock = clock
        self._rates = rates
        self._ttl = ttl
        self._size = size
        self._profiles: OrderedDict[UserId, tuple[float, Profile]] = OrderedDict()
        self._ids: OrderedDict[str, UserId] = OrderedDict()
        self._changes = 0
        self._changed = msgspec.json.Decoder(UserChanged)
        self.unsubscribe = bus.subscribe(USER_CHANGED, self._forget)

    async def profiles(self, user_ids: Iterable[UserId], *, anew: bool = False) -> dict[UserId, Profile]:
        """Return the profiles of those that exist; `anew`: as they are now, whatever is remembered."""
        wanted = set(user_ids)
        found = (
            {}
            if anew
            else {user_id: profile for user_id in wanted if (profile := self._remembered(user_id)) is not None}
        )
        missing = wanted - found.keys()
        if missing:
            seen = self._changes
            found.update((user.id, self._remember(user, seen)) for user in await self._store.users(missing))
        return found

    async def by_usernames(self, usernames: Iterable[str]) -> dict[str, Profile]:
        """Return the profiles of those that exist, by lower-cased username as it was asked for."""
        keys = {name.lower(): username_key(name) for name in usernames}
        found: dict[str, Profile] = {}
        for key in set(keys.values()):
            user_id = self._ids.get(key)
            profile = self._remembered(user_id) if user_id else None
            if profile is not None:
                found[key] = profile
        missing = set(keys.values()) - found.keys()
        if missing:
            seen = self._changes
            for user in await self._store.users_by_name(missing):
                found[username_key(user.username)] = self._remember(user, seen)
        return {name: found[key] for name, key in keys.items() if key in found}

    def remembered(self, usernames: Iterable[str]) -> dict[str, Profile]:
        """Return the profiles of those that are remembered, however long ago they were read, by lower-cased username."""
        found: dict[str, Profile] = {}
        for name in usernames:
            user_id = self._ids.get(username_key(name))
            if user_id is not None and (entry := self._profiles.get(user_id)) is not None:
                found[name.lower()] = entry[1]
        return found

    async def named(self, principal: Principal, user_ids: Iterable[UserId]) -> Page:
        """Return the profiles of those that exist, in the order asked for: who has an id has met its user.

        Raises:
            InvalidRequest: more than `MAX_PAGE`.
            RateLimited: too many of this user.
        """
        wanted = list(dict.fromkeys(user_ids))
        if len(wanted) > MAX_PAGE:
            raise InvalidRequest(f"At most {MAX_PAGE} users at a time.", details={"field": "ids", "limit": MAX_PAGE})
        self._rates.check("directory", principal.user_id)
        found = await self.profiles(user_id for user_id in wanted if is_uuid(user_id))
        return Page([found[user_id] for user_id in wanted if user_id in found], None)

    async def search(self, principal: Principal, query: str = "", cursor: str | None = None, limit: int = 20) -> Page:
        """Return those whose username or display name begins with `query`, disabled ones only to those who manage users.

        Raises:
            Forbidden: the caller's role has no directory.
            RateLimited: too many of this user.
        """
        if not allowed(principal.role, Permission.SEARCH_DIRECTORY):
            raise Forbidden
        self._rates.check("directory", principal.user_id)
        limit = max(1, min(limit, MAX_PAGE))
        manages = allowed(principal.role, Permission.MANAGE_USERS)
        prefix = display_key(query.strip().removeprefix("@"))
        users = await self._store.search(
            prefix, after=username_key(cursor or ""), limit=limit + 1, include_disabled=manages
        )
        more = username_key(users[limit - 1].username) if len(users) > limit else None
        return Page([profile_of(user) for user in users[:limit]], more)

    def _remembered(self, user_id: UserId) -> Profile | None:
        entry = self._profiles.get(user_id)
        if entry is None or entry[0] < self._clock.monotonic():
            return None
        return entry[1]

    def _remember(self, user: User, seen: int) -> Profile:
        profile = profile_of(user)
        if seen == self._changes:  # else the row may be older than a change that was told while it was fetched
            self._profiles[user.id] = (self._clock.monotonic() + self._ttl, profile)
            self._profiles.move_to_end(user.id)
            self._ids[username_key(user.username)] = user.id
            if len(self._profiles) > self._size:
                self._profiles.popitem(last=False)
            if len(self._ids) > self._size:
                self._ids.popitem(last=False)
        return profile

    def _forget(self, payload: bytes) -> None:
        self._changes += 1
        self._profiles.pop(self._changed.decode(payload).user_id, None)
