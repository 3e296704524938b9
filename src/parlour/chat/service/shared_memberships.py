"""Memberships that nodes share: read from Redis where another node has read them, from the store where there is any doubt."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence

from parlour.chat.model import Member, Membership, Room
from parlour.chat.ports import MembershipSource
from parlour.platform.clock import Clock
from parlour.platform.ids import RoomId, UserId
from parlour.platform.redis import RedisEngine
from parlour.platform.shared_values import SharedValues

LIFETIME = 30.0
"""Seconds for which memberships are in Redis: for so long, too, the outbox may wait for another process where one dies."""

MANY_DOUBTS = 10_000
"""Users or rooms in doubt, past which all are."""

MembershipValues = SharedValues[list[Membership]]


def membership_values(redis: RedisEngine, clock: Clock) -> MembershipValues:
    """Return the memberships in Redis, by user id; each value bears the ids of its rooms as tags."""
    return SharedValues(redis, "memberships", list[Membership], clock=clock, ttl=LIFETIME)


class SharedMemberships:
    """A `MembershipSource` before another one, with its guarantee: nothing that is read is older than a change told of on the bus.

    Who tells of a change has it deleted from Redis before, and a lease keeps it from coming back (`SharedValues`). Where that could not
    be, or nobody can know, who hears `doubt`s: until whatever Redis held is gone by itself, the store is asked instead. So it is, too,
    while `trusted()` says that changes cannot be heard.
    """

    def __init__(
        self,
        source: MembershipSource,
        values: MembershipValues,
        clock: Clock,
        *,
        trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._source = source
        self._values = values
        self._now = clock.monotonic
        self._trusted = trusted
        self._doubts: OrderedDict[str, float] = OrderedDict()  # by user id or room id, until when
        self._doubted = -math.inf  # until when everything is in doubt
        self._outdated: set[UserId] = set()  # who is yet to be deleted
        self._deleting: set[UserId] = set()
        self._deleter: asyncio.Task[None] | None = None

    async def room(self, room_id: RoomId) -> Room | None:
        """See `MembershipSource`: always from the store."""
        return await self._source.room(room_id)

    async def members(self, room_id: RoomId, *, after: str = "", limit: int = 100) -> list[Member]:
        """See `MembershipSource`: always from the store."""
        return await self._source.members(room_id, after=after, limit=limit)

    async def memberships(self, user_ids: Iterable[UserId]) -> dict[UserId, list[Membership]]:
        """See `MembershipSource`."""
        wanted = list(dict.fromkeys(user_ids))
        read = await self._values.read([user_id for user_id in wanted if not self._is_doubtful(user_id)])
        found = {
            UserId(user_id): rooms
            for user_id, (rooms, _) in read.found.items()
            if not (self._doubts and any(self._is_doubted(each.room.id) for each in rooms))
            and not self._is_doubtful(user_id)
        }
        missing = [user_id for user_id in wanted if user_id not in found]
        if missing:
            begun = self._now()
            loaded = await self._source.memberships(missing)
            found |= loaded
            kept: dict[str, list[Membership]] = {
                user_id: loaded.get(user_id, []) for user_id in missing if not self._is_doubtful(user_id)
            }
            tags: dict[str, list[str]] = {user_id: [each.room.id for each in rooms] for user_id, rooms in kept.items()}
            await self._values.fill(read, kept, begun, tags)
        return found

    def outdate(self, user_id: UserId) -> None:
        """Take in that this process changed something of a user's memberships: from now on not from Redis, and soon not in it."""
        self._outdated.add(user_id)
        if self._deleter is None:
            self._deleter = asyncio.get_running_loop().create_task(self._delete())

    def doubt(self, user_ids: Collection[UserId], room_ids: Collection[RoomId]) -> None:
        """Read from the store what is of these until Redis cannot hold anything of before any more."""
        until = self._now() + self._values.outlives
        for each in (*user_ids, *room_ids):
            self._doubts[each] = until
            self._doubts.move_to_end(each)
        while self._doubts and next(iter(self._doubts.values())) <= self._now():
            self._doubts.popitem(last=False)
        if len(self._doubts) > MANY_DOUBTS:
            self._doubts.clear()
            self.doubt_all()

    def doubt_all(self) -> None:
        """Do so with everything: changes may not have been heard."""
        self._doubted = self._now() + self._values.outlives

    async def close(self) -> None:
        """Finish deleting."""
        if self._deleter is not None:
            await self._deleter

    async def _delete(self) -> None:
        try:
            while self._outdated:
                self._deleting, self._outdated = self._outdated, set()
                if not await self._values.delete(self._deleting, repeatable=False):
                    self.doubt(self._deleting, ())
                self._deleting = set()
        finally:
            self._deleter = None

    def _is_doubtful(self, user_id: str) -> bool:
        return (
            not self._trusted()
            or self._now() < self._doubted
            or user_id in self._outdated
            or user_id in self._deleting
            or self._is_doubted(user_id)
        )

    def _is_doubted(self, key: str) -> bool:
        return self._doubts.get(key, -math.inf) > self._now()


async def make_void(values: MembershipValues | None, users: Sequence[UserId], rooms: Sequence[RoomId]) -> bool:
    """Take out of Redis what is of these, before others are told that it changed; False where some may be left."""
    if values is None:
        return False
    deleted, voided = await asyncio.gather(values.delete(users, repeatable=False), values.void(rooms))
    return deleted and voided
