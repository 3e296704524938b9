"""Rooms: create, look at, change and browse them."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from parlour.chat.errors import DirectRoom, InvalidName, RoomNotFound, TooManyRooms, UnknownUser
from parlour.chat.model import (
    MAX_NAME,
    MAX_TOPIC,
    Membership,
    NotificationLevel,
    Room,
    RoomKind,
)
from parlour.chat.ports import Directory, RoomStore
from parlour.chat.service.membership import Memberships
from parlour.chat.service.outbox import OutboxRelay
from parlour.platform.clock import Clock
from parlour.platform.contracts import Profile
from parlour.platform.errors import Forbidden, InvalidRequest
from parlour.platform.ids import RoomId, UserId, is_uuid, uuid4
from parlour.platform.permissions import Permission, Role, RoomRole, allowed
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

MAX_FIRST_MEMBERS = 500
"""Members that a room can be created with, besides its creator."""

INVITED_SHARE = 4
"""How many times as many rooms others may put a user into as the user may create and join."""

MAX_QUERY = 100
"""Characters of a query for public rooms."""


class PublicRoom(msgspec.Struct):
    """A room that anybody may join: how many members it has, and whether the caller is one."""

    room: Room
    member_count: int
    joined: bool


class Rooms:
    """The rooms of the server, as the caller may see and change them.

    What is returned is committed; the log is told at once, and waited for up to a second. A private or direct room does
    not exist for who is not in it: `RoomNotFound`. All raise `RateLimited` and `Unavailable` besides what each names.
    """

    def __init__(
        self,
        store: RoomStore,
        *,
        memberships: Memberships,
        directory: Directory,
        outbox: OutboxRelay,
        rates: RateLimits,
        clock: Clock,
        max_rooms: int = 1_000,
    ) -> None:
        """Let a user be in at most `max_rooms` rooms of their own choice; calls at the same moment may overstep it by their number."""
        self._store = store
        self._memberships = memberships
        self._directory = directory
        self._outbox = outbox
        self._rates = rates
        self._clock = clock
        self._max_rooms = max_rooms

    async def create(
        self,
        principal: Principal,
        kind: RoomKind,
        name: str = "",
        topic: str = "",
        member_ids: Sequence[UserId] = (),
    ) -> tuple[Membership, bool]:
        """Create a room with the caller as its owner, and return the caller's membership and True.

        A direct room has no name, no topic and no owner; `member_ids` is the one other member, or nobody: a room for
        one's own notes. Where these two have a direct room already, that one is returned, with False.

        Raises:
            Forbidden: the caller may not create such a room.
            InvalidName, InvalidRequest: name, topic or number of members.
            UnknownUser: some of `member_ids` do not exist or are disabled.
            TooManyRooms: the caller or one of the members is at the limit.
        """
        direct = kind is RoomKind.DIRECT
        if not allowed(principal.role, Permission.START_DIRECT if direct else Permission.CREATE_ROOM):
            raise Forbidden
        self._rates.check("room", principal.user_id)
        others = [user_id for user_id in dict.fromkeys(member_ids) if user_id != principal.user_id]
        if len(others) > (1 if direct else MAX_FIRST_MEMBERS):
            limit = "one other member" if direct else f"at most {MAX_FIRST_MEMBERS} first members"
            raise InvalidRequest(f"A {kind.value} room takes {limit}.", details={"field": "members"})
        self.check_inviting(principal, len(others))
        profiles = await existing(self._directory, others)
        owner = RoomRole.MEMBER if direct else RoomRole.OWNER
        roles = {
            principal.user_id: owner.value,
            **{user_id: first_role(profiles[user_id]).value for user_id in others},
        }
        room = Room(RoomId(uuid4()), "", kind, principal.user_id, self._clock.now())
        if not direct:
            room.name, room.topic = checked_name(name), checked_topic(topic)
            await self.check_room_for(principal.user_id, list(roles))
        created = await self._memberships.change(room.id, self._create(principal.user_id, room, roles))
        await self._outbox.settle(room_id=room.id)
        return created

    async def _create(self, user_id: UserId, room: Room, roles: dict[UserId, str]) -> tuple[Membership, bool]:
        room, created = await self._store.create(room, roles)
        if not created:
            mine = (await self._memberships.load(user_id)).get(room.id)
            mine = mine or await self._store.membership(room.id, user_id)
            if mine is None:
                raise RoomNotFound
            return mine, False
        made = {
            member_id: Membership(
                room,
                role,
                room.created_at,
                len(roles),
                NotificationLevel.ALL,
                _peer(room, roles, member_id),
                member_id != user_id,
            )
            for member_id, role in roles.items()
        }
        for member_id, membership in made.items():
            self._memberships.added(member_id, membership)
        self._outbox.wake()
        return made[user_id], True

    async def get(self, principal: Principal, room_id: RoomId) -> tuple[Room, Membership | None, int]:
        """Return a room, the caller's membership of it, and its number of members.

        Raises:
            RoomNotFound: the caller is not in it, and it is not public or the caller may not browse.
        """
        self._rates.check("list", principal.user_id)
        membership = (await self._memberships.load(principal.user_id)).get(room_id)
        room = membership.room if membership is not None else await self.public(principal, room_id)
        return room, membership, await self._store.count_members(room_id)

    async def count(self, room_id: RoomId) -> int:
        """Return how many members a room has."""
        return await self._store.count_members(room_id)

    async def public(self, principal: Principal, room_id: RoomId) -> Room:
        """Return a public room that the caller is not in.

        Raises:
            RoomNotFound: it is not public, or the caller may not browse.
        """
        room = await self._store.room(room_id) if is_uuid(room_id) else None
        if room is None or room.kind is not RoomKind.PUBLIC or not allowed(principal.role, Permission.BROWSE_ROOMS):
            raise RoomNotFound
        return room

    async def update(
        self,
        principal: Principal,
        room_id: RoomId,
        *,
        name: str | None = None,
        topic: str | None = None,
        kind: RoomKind | None = None,
    ) -> Membership:
        """Change what is given, and return the caller's membership; opening a private room opens its history too.

        Raises:
            RoomNotFound, Forbidden: the caller may not.
            DirectRoom: direct rooms stay as they are.
            InvalidName, InvalidRequest: a value is not one.
        """
        membership = await self._memberships.require(principal, room_id, Permission.READ)
        self._rates.check("room", principal.user_id)
        if membership.room.kind is RoomKind.DIRECT:
            raise DirectRoom
        await self._memberships.require(principal, room_id, Permission.UPDATE_ROOM)
        if kind is RoomKind.DIRECT:
            raise InvalidRequest("A room cannot become a direct one.", details={"field": "kind"})
        changes: dict[str, str] = {}
        if name is not None:
            changes["name"] = checked_name(name)
        if topic is not None:
            changes["topic"] = checked_topic(topic)
        if kind is not None:
            changes["kind"] = kind.value
        if changes:
            await self._memberships.change(room_id, self._update(principal.user_id, room_id, changes))
            await self._outbox.settle(room_id=room_id)
        return membership

    async def _update(self, user_id: UserId, room_id: RoomId, changes: dict[str, str]) -> None:
        room = await self._store.update(room_id, user_id, changes)
        if room is None:
            raise RoomNotFound
        self._memberships.room_updated(room)
        self._outbox.wake()

    async def browse(
        self, principal: Principal, query: str = "", after: tuple[str, str] | None = None, limit: int = 50
    ) -> list[PublicRoom]:
        """Return public rooms by name, those after the (name, id) `after`; `query` is part of their name or topic.

        Raises:
            Forbidden: the caller may not browse.
            InvalidRequest: the query is over `MAX_QUERY` characters.
        """
        if not allowed(principal.role, Permission.BROWSE_ROOMS):
            raise Forbidden
        self._rates.check("directory", principal.user_id)
        query = unicodedata.normalize("NFC", query).strip()
        if len(query) > MAX_QUERY:
            raise InvalidRequest(f"`q` has at most {MAX_QUERY} characters.", details={"field": "q"})
        if _has_controls(query):
            return []
        mine = await self._memberships.load(principal.user_id)
        found = await self._store.public_rooms(query=query, after=after, limit=limit)
        return [PublicRoom(room, size, room.id in mine) for room, size in found]

    async def check_room_for(self, by: UserId, user_ids: Sequence[UserId]) -> None:
        """Refuse that `by` puts users, perhaps themself, into one more room.

        The rooms that one created or joined are counted apart from those that others put one into, so that nobody can use up
        what somebody else may create and join. Direct rooms are not counted: nobody can leave them.

        Raises:
            TooManyRooms: some of them are at the limit.
        """
        loaded = await self._memberships.load_many(user_ids)
        for users, invited, limit in (
            ([user_id for user_id in user_ids if user_id == by], False, self._max_rooms),
            ([user_id for user_id in user_ids if user_id != by], True, self._max_rooms * INVITED_SHARE),
        ):
            full = [user_id for user_id in users if _counted(loaded.get(user_id, {}), invited) >= limit]
            if full:
                raise TooManyRooms(details={"limit": limit, "user_ids": full})

    def check_inviting(self, principal: Principal, users: int) -> None:
        """Count the users whom the caller puts into a room.

        Raises:
            RateLimited: too many of late.
        """
        if users:
            self._rates.check("invite", principal.user_id, users)


def _counted(rooms: Mapping[RoomId, Membership], invited: bool) -> int:
    return sum(each.invited is invited and each.room.kind is not RoomKind.DIRECT for each in rooms.values())


async def existing(directory: Directory, user_ids: Sequence[UserId]) -> dict[UserId, Profile]:
    """Return the profiles of users.

    Raises:
        UnknownUser: some of them do not exist or are disabled.
    """
    known = [user_id for user_id in user_ids if is_uuid(user_id)]
    profiles = await directory.profiles(known) if known else {}
    missing = [user_id for user_id in user_ids if user_id not in profiles or profiles[user_id].disabled]
    if missing:
        raise UnknownUser(details={"user_ids": [user_id[:36] for user_id in missing]})
    return profiles


def _peer(room: Room, user_ids: Iterable[UserId], user_id: UserId) -> UserId | None:
    if room.kind is not RoomKind.DIRECT:
        return None
    return next((each for each in user_ids if each != user_id), None)


def first_role(profile: Profile) -> RoomRole:
    """Return what somebody is in a room that others put them into: a guest of the server is a guest there too."""
    return RoomRole.GUEST if profile.role == Role.GUEST.value else RoomRole.MEMBER


def checked_name(name: str) -> str:
    """Return a room's name, trimmed and composed (NFC).

    Raises:
        InvalidName: nothing is left, it is over `MAX_NAME` characters or holds control characters.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= MAX_NAME or _has_controls(name):
        raise InvalidName(details={"field": "name", "limit": MAX_NAME})
    return name


def checked_topic(topic: str) -> str:
    """Return a room's topic, trimmed and composed (NFC); it may be empty.

    Raises:
        InvalidRequest: it is over `MAX_TOPIC` characters or holds control characters.
    """
    topic = unicodedata.normalize("NFC", topic).strip()
    if len(topic) > MAX_TOPIC or _has_controls(topic):
        raise InvalidRequest(
            f"A topic has at most {MAX_TOPIC} characters and no line breaks.",
            details={"field": "topic", "limit": MAX_TOPIC},
        )
    return topic


def _has_controls(text: str) -> bool:
    # Cc: line breaks, NUL and the like; Cs: half of a pair, which no database takes.
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
