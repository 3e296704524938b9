"""Who is in which room: the cache that every permission check stands on."""

import asyncio
import weakref
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Sequence, Set
from itertools import count
from typing import TypeVar

from parlour.chat.errors import RoomNotFound
from parlour.chat.model import Membership, NotificationLevel, Room
from parlour.chat.ports import MembershipSource
from parlour.chat.service.batching import BatchLoader
from parlour.platform import metrics
from parlour.platform.errors import Forbidden
from parlour.platform.ids import RoomId, UserId
from parlour.platform.permissions import Permission, RoomRole, allowed
from parlour.platform.tokens import Principal

T = TypeVar("T")
MAX_ROUNDS = 10
"""Loads of a batch in a row that changes may make void."""

_LOOKS = 16
"""Users at whom is looked for one to forget: each load beyond the capacity makes so many steps and no more."""

Added = Callable[[UserId, Membership], None]
Removed = Callable[[UserId, RoomId], None]
Changed = Callable[[UserId | None, RoomId], None]


class Memberships:
    """A bounded cache: user -> room -> `Membership`.

    Users are loaded in batches. A change that this process made is in the cache from the moment its use case calls
    `added`, `removed` and so on, right after the commit and inside `change`; a load under way at that moment is
    repeated, so that it cannot bring back what was before. Changes of other processes come by `invalidate`, after which a user is
    loaded before anything is answered from the cache, and who listens hears of the rooms that came and went. All members of a room
    share one `Room`. What this returns is the cache's own: to be read, not changed.
    """

    def __init__(
        self,
        source: MembershipSource,
        *,
        capacity: int = 50_000,
        stays: Callable[[UserId], bool] = lambda _: False,
        outdate: Callable[[UserId], None] | None = None,
    ) -> None:
        """Remember some `capacity` users, those used last.

        Whoever `stays(user_id)` is remembered besides: those with a socket here, whose removal from a room would not be noticed else.
        `outdate(user_id)` is called at once when this process has changed something of a user, for a source that remembers.
        """
        self._source = source
        self._outdate = outdate
        self._hits, self._misses = (
            metrics.CACHE_LOOKUPS.labels("memberships", "process", outcome) for outcome in ("hit", "miss")
        )
        self._capacity = capacity
        self._stays = stays
        self._users: OrderedDict[UserId, dict[RoomId, Membership]] = OrderedDict()
        self._rooms: weakref.WeakValueDictionary[RoomId, Room] = weakref.WeakValueDictionary()
        self._loader: BatchLoader[UserId, dict[RoomId, Membership]] = BatchLoader(self._fetch)
        self._room_loader: BatchLoader[RoomId, Room] = BatchLoader(self._fetch_rooms)
        self._loading: set[UserId] = set()
        self._outdated: set[UserId] = set()  # of those being loaded, who changed meanwhile
        self._stale: set[UserId] = set()  # of those in the cache, who changed elsewhere
        self._room_changes = 0
        self._locks: weakref.WeakValueDictionary[RoomId, asyncio.Lock] = weakref.WeakValueDictionary()
        self._changes: set[asyncio.Task[object]] = set()
        self._added: list[Added] = []
        self._removed: list[Removed] = []
        self._parted: dict[
            UserId, set[RoomId]
        ] = {}  # from rooms whose log tells so, before it was read whether that still holds
        self._listeners: list[Changed] = []

    # Reading

    def get(self, user_id: UserId) -> dict[RoomId, Membership] | None:
        """Return a user's memberships, None where they are not in the cache."""
        rooms = self._users.get(user_id)
        if rooms is None or user_id in self._stale:
            self._misses.inc()
            return None
        self._hits.inc()
        self._users.move_to_end(user_id)
        return rooms

    async def load(self, user_id: UserId) -> dict[RoomId, Membership]:
        """Return a user's memberships, from the store where they are not in the cache.

        Raises:
            Unavailable: the store is away.
        """
        rooms = self.get(user_id)
        return rooms if rooms is not None else await self._loader.load(user_id) or {}

    async def load_many(self, user_ids: Sequence[UserId]) -> dict[UserId, dict[RoomId, Membership]]:
        """Return the memberships of many users."""
        found = {user_id: rooms for user_id in user_ids if (rooms := self.get(user_id)) is not None}
        found.update(await self._loader.load_many([user_id for user_id in user_ids if user_id not in found]))
        return found

    def check(self, principal: Principal, room_id: RoomId, permission: Permission) -> Membership | None:
        """Return the caller's membership where it permits `permission`; None where it is not in the cache: then `require`.

        Raises:
            RoomNotFound: the caller is not a member, whether or not there is such a room.
            Forbidden: the caller's roles do not permit it.
        """
        rooms = self.get(principal.user_id)
        return None if rooms is None else _permitted(principal, rooms, room_id, permission)

    async def require(self, principal: Principal, room_id: RoomId, permission: Permission) -> Membership:
        """Return the caller's membership where it permits `permission`.

        Raises:
            RoomNotFound: the caller is not a member, whether or not there is such a room.
            Forbidden: the caller's roles do not permit it.
            Unavailable: the store is away.
        """
        return _permitted(principal, await self.load(principal.user_id), room_id, permission)

    # Changes, told by the use cases that made them

    def on_added(self, listener: Added) -> None:
        """Call `listener(user_id, membership)` at once when somebody becomes a member."""
        self._added.append(listener)

    def on_removed(self, listener: Removed) -> None:
        """Call `listener(user_id, room_id)` at once when somebody is no longer a member."""
        self._removed.append(listener)

    def on_changed(self, listener: Changed) -> None:
        """Call `listener(user_id, room_id)` when this process has changed something of a membership, or, without a user, of a room."""
        self._listeners.append(listener)

    async def change(self, room_id: RoomId, work: Coroutine[object, object, T]) -> T:
        """Run `work`, which changes a room's members in the store and then tells this cache.

        Changes of one room run one after the other, so that the cache hears of them in the order of their commits. Once
        begun, `work` runs to its end even when the caller is cancelled: a commit that the cache never heard of would
        leave a removed member in the room.
        """
        lock = self._locks.setdefault(room_id, asyncio.Lock())

        async def run() -> T:
            async with lock:
                return await work

        task = asyncio.ensure_future(run())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)

    def added(self, user_id: UserId, membership: Membership) -> None:
        """Take in that a user is now a member."""
        self._changed(user_id)
        membership.room = self._shared(membership.room)
        rooms = self._users.get(user_id)
        if rooms is not None:
            rooms[membership.room.id] = membership
        for listener in self._added:
            listener(user_id, membership)
        self._tell(user_id, membership.room.id)

    def removed(self, user_id: UserId, room_id: RoomId) -> None:
        """Take in that a user is no longer a member."""
        self._changed(user_id)
        self._users.get(user_id, {}).pop(room_id, None)
        self._parted.get(user_id, set()).discard(room_id)
        for listener in self._removed:
            listener(user_id, room_id)
        self._tell(user_id, room_id)

    def role_changed(self, user_id: UserId, room_id: RoomId, role: str) -> None:
        """Take in a member's new role."""
        if (membership := self._changing(user_id, room_id)) is not None:
            membership.role = role
        self._tell(user_id, room_id)

    def notify_changed(self, user_id: UserId, room_id: RoomId, level: NotificationLevel) -> None:
        """Take in what a room notifies a member of."""
        if (membership := self._changing(user_id, room_id)) is not None:
            membership.notify = level
        self._tell(user_id, room_id)

    def marked(self, user_id: UserId, room_id: RoomId, seq: int, *, back: bool) -> None:
        """Take in where a member's read marker stands now; others are told of those only that went back."""
        membership = self._changing(user_id, room_id)
        if membership is not None and (back or seq > membership.read):
            membership.read = seq
        if back:
            self._tell(user_id, room_id)

    def room_updated(self, room: Room) -> None:
        """Take in a room's new name, topic and kind, for all its members."""
        self._take_room(room)
        self._tell(None, room.id)

    # Changes that another process made

    def invalidate(self, user_ids: Iterable[UserId] | None = None) -> set[UserId]:
        """Answer nothing more of users, or of all, before they are loaded anew; return those who are in the cache."""
        stale = self._users.keys() if user_ids is None else self._users.keys() & set(user_ids)
        self._stale |= stale
        self._outdated |= self._loading if user_ids is None else self._loading & set(user_ids)
        return set(stale)

    def left(self, user_id: UserId, room_id: RoomId) -> set[UserId]:
        """Take in that the log tells that a user left a room, who may be in it again by now.

        Return the user where they have to be loaded anew to know that: then they are told to be removed, or added again.
        """
        if self._users.get(user_id, {}).pop(room_id, None) is not None:
            self._parted.setdefault(user_id, set()).add(room_id)
        return self.invalidate([user_id])

    def distrust(self) -> set[UserId]:
        """Answer nothing more of anybody before they are loaded anew, but let what is being loaded count; return who is in the cache.

        For who does so again and again: loads that were made void each time would never end.
        """
        self._stale |= self._users.keys()
        return set(self._users)

    async def refresh_rooms(self, room_ids: Sequence[RoomId]) -> None:
        """Read the names, topics and kinds of rooms again.

        Raises:
            Unavailable: the store is away.
        """
        self._room_changes += 1  # one that nobody here is in yet may be on its way as it was
        await self._room_loader.load_many([room_id for room_id in room_ids if room_id in self._rooms])

    async def close(self) -> None:
        """Finish what is being changed."""
        await asyncio.gather(*self._changes, return_exceptions=True)

    # The cache

    async def _fetch(self, user_ids: Sequence[UserId]) -> dict[UserId, dict[RoomId, Membership]]:
        loaded = {
            user_id: rooms
            for user_id in user_ids
            if (rooms := self._users.get(user_id)) is not None and user_id not in self._stale
        }
        self._loading = {user_id for user_id in user_ids if user_id not in loaded}
        try:
            for attempt in count(1):
                if not self._loading:
                    break
                self._outdated.clear()
                room_changes = self._room_changes
                found = await self._source.memberships(self._loading)
                if self._room_changes != room_changes and attempt < MAX_ROUNDS:
                    continue
                for user_id in self._loading - self._outdated:
                    loaded[user_id] = self._remember(user_id, found.get(user_id, []))
                self._loading &= self._outdated
                if (
                    attempt >= MAX_ROUNDS
                ):  # who changes all the time holds up nobody: it was so a moment ago, and is not remembered
                    loaded |= {
                        user_id: {each.room.id: each for each in found.get(user_id, [])} for user_id in self._loading
                    }
                    break
        finally:
            self._loading = set()
        return loaded

    async def _fetch_rooms(self, room_ids: Sequence[RoomId]) -> dict[RoomId, Room]:
        found = {}
        for room_id in room_ids:
            if (room := await self._source.room(room_id)) is not None:
                self._take_room(room)
                found[room_id] = room
        return found

    def _remember(self, user_id: UserId, memberships: Sequence[Membership]) -> dict[RoomId, Membership]:
        for membership in memberships:
            membership.room = self._shared(membership.room)
        before = self._users.get(user_id)
        rooms = self._users[user_id] = {membership.room.id: membership for membership in memberships}
        self._users.move_to_end(user_id)
        self._stale.discard(user_id)
        if len(self._users) > self._capacity:
            self._forget_one()
        parted = self._parted.pop(user_id, set())
        if before is not None:
            self._tell_difference(user_id, before.keys(), parted - before.keys(), rooms)
        return rooms

    def _forget_one(self) -> None:
        """Forget whoever was not used for longest; where all of some stay, nobody this time."""
        for _ in range(_LOOKS):
            user_id, rooms = self._users.popitem(last=False)
            if not self._stays(user_id):
                self._stale.discard(user_id)
                self._parted.pop(user_id, None)
                return
            self._users[user_id] = rooms

    def _tell_difference(
        self, user_id: UserId, before: Set[RoomId], parted: Set[RoomId], rooms: dict[RoomId, Membership]
    ) -> None:
        for room_id in (before | parted) - rooms.keys():
            for left in self._removed:
                left(user_id, room_id)
        for room_id in rooms.keys() - before:
            for came in self._added:
                came(user_id, rooms[room_id])

    def _take_room(self, room: Room) -> None:
        self._room_changes += 1
        known = self._rooms.get(room.id)
        if known is not None:
            known.name, known.topic, known.kind = room.name, room.topic, room.kind

    def _tell(self, user_id: UserId | None, room_id: RoomId) -> None:
        for listener in self._listeners:
            listener(user_id, room_id)

    def _shared(self, room: Room) -> Room:
        return self._rooms.setdefault(room.id, room)

    def _changing(self, user_id: UserId, room_id: RoomId) -> Membership | None:
        self._changed(user_id)
        return self._users.get(user_id, {}).get(room_id)

    def _changed(self, user_id: UserId) -> None:
        if self._outdate is not None:
            self._outdate(user_id)
        if user_id in self._loading:
            self._outdated.add(user_id)


def _permitted(
    principal: Principal, rooms: dict[RoomId, Membership], room_id: RoomId, permission: Permission
) -> Membership:
    membership = rooms.get(room_id)
    if membership is None:
        raise RoomNotFound
    if not allowed(principal.role, permission, RoomRole(membership.role)):
        raise Forbidden
    return membership
