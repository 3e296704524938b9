"""Who is in a room: join, leave, invite, remove, and what a member may do there."""

from collections.abc import Coroutine
from typing import TypeVar

import msgspec

from parlour.chat.errors import DirectRoom, MemberNotFound, RoomFull, RoomNotFound
from parlour.chat.model import Member, Membership, RoomKind
from parlour.chat.ports import Directory, RoomStore
from parlour.chat.service.heads import Heads
from parlour.chat.service.membership import Memberships
from parlour.chat.service.outbox import OutboxRelay
from parlour.chat.service.rooms import Rooms, existing, first_role
from parlour.platform.clock import Clock
from parlour.platform.contracts import Profile
from parlour.platform.errors import Forbidden
from parlour.platform.ids import RoomId, UserId
from parlour.platform.permissions import Permission, RoomRole, allowed
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

T = TypeVar("T")
_STAFF = (RoomRole.OWNER, RoomRole.MODERATOR)


class ListedMember(msgspec.Struct, omit_defaults=True):
    """A member as others see them; `user` is absent where the account is gone. `joined_at` in ms UTC."""

    user_id: UserId
    role: str
    joined_at: int
    user: Profile | None = None


class RoomMembers:
    """The members of rooms.

    Live sockets follow at once and the log is told at once, and waited for up to a second. Direct rooms have the members
    that they were created with: `DirectRoom`. All raise `RoomNotFound` where the caller is not a member, `RateLimited` and
    `Unavailable`, besides what each names.
    """

    def __init__(
        self,
        store: RoomStore,
        *,
        rooms: Rooms,
        memberships: Memberships,
        heads: Heads,
        directory: Directory,
        outbox: OutboxRelay,
        rates: RateLimits,
        clock: Clock,
        max_members: int = 10_000,
    ) -> None:
        """Let a room have at most `max_members`; calls at the same moment may overstep it by their number."""
        self._store = store
        self._rooms = rooms
        self._memberships = memberships
        self._heads = heads
        self._directory = directory
        self._outbox = outbox
        self._rates = rates
        self._clock = clock
        self._max_members = max_members

    async def join(self, principal: Principal, room_id: RoomId) -> Membership:
        """Join a public room, and return the membership; who is in it already stays what they are.

        Raises:
            RoomNotFound: it is not public, or the caller may not browse.
            RemovedFromRoom: somebody removed the caller from it.
            RoomFull, TooManyRooms: a limit.
        """
        mine = (await self._memberships.load(principal.user_id)).get(room_id)
        if mine is not None:
            return mine
        await self._rooms.public(principal, room_id)
        if not allowed(principal.role, Permission.JOIN_PUBLIC_ROOM):
            raise Forbidden
        self._rates.check("membership", principal.user_id)
        return await self._admit(room_id, principal.user_id, RoomRole.MEMBER, principal.user_id)

    async def leave(self, principal: Principal, room_id: RoomId) -> None:
        """Leave a room; after the last owner the longest-standing moderator or member owns it."""
        await self._changeable(principal, room_id, Permission.READ)
        if not await self._change(room_id, self._remove(room_id, principal.user_id, principal.user_id)):
            raise RoomNotFound

    async def page(
        self, principal: Principal, room_id: RoomId, *, after: str = "", limit: int = 100
    ) -> list[ListedMember]:
        """Return members by user id, those after the user id `after`."""
        await self._memberships.require(principal, room_id, Permission.READ)
        self._rates.check("list", principal.user_id)
        members = await self._store.members(room_id, after=after, limit=limit)
        profiles = await self._directory.profiles([member.user_id for member in members]) if members else {}
        return [_listed(member, profiles.get(member.user_id)) for member in members]

    async def add(
        self, principal: Principal, room_id: RoomId, user_id: UserId, role: RoomRole | None = None
    ) -> tuple[ListedMember, bool]:
        """Put a user into the room, as a member unless `role` says more; one who is in it stays what they are (False).

        Raises:
            Forbidden: the caller may not invite, or not name owners and moderators.
            UnknownUser: there is no such user, or a disabled one.
            RemovedFromRoom: the user was removed from it; who may remove members may also add them again.
            RoomFull, TooManyRooms: a limit.
        """
        mine = await self._changeable(principal, room_id, Permission.INVITE)
        if role in _STAFF:
            _require(principal, mine, Permission.CHANGE_ROOM_ROLES)
        profile = (await existing(self._directory, [user_id]))[user_id]
        present = await self._store.membership(room_id, user_id)
        if present is not None:
            return _seen(user_id, present, profile), False
        self._rooms.check_inviting(principal, 1)
        added = await self._admit(
            room_id,
            user_id,
            role or first_role(profile),
            principal.user_id,
            pardon=allowed(principal.role, Permission.REMOVE_MEMBER, RoomRole(mine.role)),
        )
        return _seen(user_id, added, profile), True

    async def remove(self, principal: Principal, room_id: RoomId, user_id: UserId) -> None:
        """Remove a member, who stays out until somebody who may remove members adds them again; oneself is leaving.

        Who may not name owners and moderators may not remove them either.

        Raises:
            Forbidden: the caller may not.
            MemberNotFound: the user is no member.
        """
        if user_id == principal.user_id:
            await self.leave(principal, room_id)
            return
        mine = await self._changeable(principal, room_id, Permission.REMOVE_MEMBER)
        theirs = await self._store.membership(room_id, user_id)
        if theirs is None:
            raise MemberNotFound
        if RoomRole(theirs.role) in _STAFF:
            _require(principal, mine, Permission.CHANGE_ROOM_ROLES)
        if not await self._change(room_id, self._remove(room_id, user_id, principal.user_id)):
            raise MemberNotFound

    async def set_role(self, principal: Principal, room_id: RoomId, user_id: UserId, role: RoomRole) -> None:
        """Change what a member may do in the room.

        Raises:
            Forbidden: the caller may not.
            MemberNotFound: the user is no member.
            LastOwner: nobody else owns the room.
        """
        await self._changeable(principal, room_id, Permission.CHANGE_ROOM_ROLES)
        if not await self._change(room_id, self._set_role(room_id, user_id, role, principal.user_id)):
            raise MemberNotFound

    async def _change(self, room_id: RoomId, work: Coroutine[object, object, T]) -> T:
        outcome = await self._memberships.change(room_id, work)
        await self._outbox.settle(room_id=room_id)
        return outcome

    async def _changeable(self, principal: Principal, room_id: RoomId, permission: Permission) -> Membership:
        membership = await self._memberships.require(principal, room_id, Permission.READ)
        self._rates.check("membership", principal.user_id)
        if membership.room.kind is RoomKind.DIRECT:
            raise DirectRoom
        _require(principal, membership, permission)
        return membership

    async def _admit(
        self, room_id: RoomId, user_id: UserId, role: RoomRole, by: UserId, *, pardon: bool = False
    ) -> Membership:
        await self._rooms.check_room_for(by, [user_id])
        if await self._store.count_members(room_id) >= self._max_members:
            raise RoomFull(details={"limit": self._max_members})
        return await self._change(room_id, self._add(room_id, user_id, role, by, pardon=pardon))

    async def _add(self, room_id: RoomId, user_id: UserId, role: RoomRole, by: UserId, *, pardon: bool) -> Membership:
        # What was said before one joined is read, and so is the joining itself, which comes next in the log.
        read = (await self._heads.of((room_id,)))[room_id] + 1
        added = await self._store.add_member(
            room_id, user_id, role.value, by, at=self._clock.now(), read=read, pardon=pardon
        )
        if added is None:
            present = await self._store.membership(room_id, user_id)
            if present is None:
                raise RoomNotFound
            return present
        self._memberships.added(user_id, added)
        self._outbox.wake()
        return added

    async def _remove(self, room_id: RoomId, user_id: UserId, by: UserId) -> bool:
        departure = await self._store.remove_member(room_id, user_id, by)
        if departure is None:
            return False
        self._memberships.removed(user_id, room_id)
        if departure.successor is not None:
            self._memberships.role_changed(departure.successor, room_id, RoomRole.OWNER.value)
        self._outbox.wake()
        return True

    async def _set_role(self, room_id: RoomId, user_id: UserId, role: RoomRole, by: UserId) -> bool:
        changed = await self._store.set_role(room_id, user_id, role.value, by)
        if changed:
            self._memberships.role_changed(user_id, room_id, role.value)
            self._outbox.wake()
        return changed


def _require(principal: Principal, membership: Membership, permission: Permission) -> None:
    if not allowed(principal.role, permission, RoomRole(membership.role)):
        raise Forbidden


def _listed(member: Member, profile: Profile | None) -> ListedMember:
    return ListedMember(member.user_id, member.role, member.joined_at, profile)


def _seen(user_id: UserId, membership: Membership, profile: Profile) -> ListedMember:
    return ListedMember(user_id, membership.role, membership.joined_at, profile)
