"""The directory of a process without the auth service: asked over HTTP, and remembered for a while."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from parlour.platform.bus import Bus
from parlour.platform.cache import Cache
from parlour.platform.clock import Clock
from parlour.platform.contracts import (
    LONGEST_NAME,
    MOST_ASKED,
    PROFILES_PATH,
    USER_CHANGED,
    USERNAMES_PATH,
    Profile,
    Profiles,
    ProfilesWanted,
    UserChanged,
    UsernamesWanted,
)
from parlour.platform.errors import Unavailable
from parlour.platform.ids import UserId, is_uuid
from parlour.platform.redis import RedisEngine
from parlour.platform.services import ServiceClient

LIFETIME: Final = 60.0
"""Seconds for which a profile is remembered, and by which it may be out of date where the bus has lost the news."""

LONGEST_LOOK_UP: Final = 1.0
"""Seconds for which names are waited for: somebody waits to send a message, who is better served by a mention less."""


class HttpDirectory:
    """`ports.Directory` over the auth service.

    Profiles by id, and the ids of names, which never change hands, are remembered in this process and in Redis. Once the bus has told
    of a change, nothing older is returned to who asks then. Names that nobody has are not remembered, so that a new user is found
    at once. What is remembered is there while the auth service is away; for the rest `Unavailable` is raised, as it is for names that
    take too long; the question goes on without who asked, so that its failure counts and its answer is remembered.
    """

    def __init__(
        self,
        auth: ServiceClient,
        bus: Bus,
        clock: Clock,
        redis: RedisEngine | None = None,
        *,
        lifetime: float = LIFETIME,
        size: int = 20_000,
        longest_look_up: float = LONGEST_LOOK_UP,
    ) -> None:
        """Remember at most `size` users, and as many names, for `lifetime` seconds; wait `longest_look_up` seconds for names."""
        self._auth = auth
        self._longest_look_up = longest_look_up
        self._profiles: Cache[Profile] = Cache(
            "profiles",
            self._load_profiles,
            Profile,
            bus=bus,
            clock=clock,
            redis=redis,
            ttl=lifetime,
            shared_ttl=lifetime,
            size=size,
        )
        self._ids: Cache[UserId] = Cache(
            "usernames",
            self._load_ids,
            UserId,
            bus=bus,
            clock=clock,
            redis=redis,
            ttl=lifetime,
            shared_ttl=lifetime,
            size=size,
        )
        self._changed = msgspec.json.Decoder(UserChanged)
        self._unsubscribe: Callable[[], None] = bus.subscribe(USER_CHANGED, self._forget)

    async def profiles(self, user_ids: Iterable[UserId]) -> dict[UserId, Profile]:
        """See Directory."""
        found = await self._profiles.get_many(user_id for user_id in user_ids if is_uuid(user_id))
        return {UserId(user_id): profile for user_id, profile in found.items()}

    async def by_usernames(self, usernames: Iterable[str]) -> dict[str, Profile]:
        """See Directory."""
        lowered = (name.lower() for name in usernames)
        try:
            async with asyncio.timeout(self._longest_look_up):
                ids = await self._ids.get_many(name for name in lowered if _fits(name))
                found = await self.profiles(ids.values())
        except TimeoutError as error:
            raise Unavailable(retry_after=1) from error
        return {name: found[user_id] for name, user_id in ids.items() if user_id in found}

    def remembered(self, usernames: Iterable[str]) -> dict[str, Profile]:
        """See Directory."""
        found: dict[str, Profile] = {}
        for name in (name.lower() for name in usernames):
            user_id = self._ids.peek(name)
            if user_id is not None and (profile := self._profiles.peek(user_id)) is not None:
                found[name] = profile
        return found

    async def close(self) -> None:
        """Stop listening, and what is being asked."""
        self._unsubscribe()
        await self._profiles.close()
        await self._ids.close()

    async def _load_profiles(self, user_ids: Sequence[str]) -> dict[str, Profile]:
        loaded: dict[str, Profile] = {}
        for some in _parts(user_ids):
            wanted = ProfilesWanted([UserId(user_id) for user_id in some])
            loaded |= (await self._auth.call(PROFILES_PATH, wanted, Profiles, repeatable=True)).profiles
        return loaded

    async def _load_ids(self, names: Sequence[str]) -> dict[str, UserId]:
        loaded: dict[str, UserId] = {}
        for some in _parts(names):
            answer = await self._auth.call(USERNAMES_PATH, UsernamesWanted(list(some)), Profiles, repeatable=True)
            loaded |= {name: profile.id for name, profile in answer.profiles.items()}
        return loaded

    def _forget(self, payload: bytes) -> None:
        self._profiles.forget(self._changed.decode(payload).user_id)


def _fits(name: str) -> bool:
    """Tell whether a name can stand in a question; JSON takes no half of a surrogate pair, and no username has one."""
    return len(name) <= LONGEST_NAME and name == name.encode("utf-8", "ignore").decode()


def _parts(wanted: Sequence[str]) -> Iterator[Sequence[str]]:
    return (wanted[start : start + MOST_ASKED] for start in range(0, len(wanted), MOST_ASKED))
