"""Doubles of what the message use cases stand on: in memory, obedient to the ports, and open to a look inside."""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from parlour.chat.errors import RoomNotFound
from parlour.chat.model import (
    Appended,
    EventType,
    Membership,
    Message,
    NewEvent,
    NotificationLevel,
    Room,
    RoomEvent,
    RoomKind,
    Tail,
)
from parlour.chat.ports import Pending
from parlour.platform.contracts import Profile
from parlour.platform.errors import Forbidden, Unavailable
from parlour.platform.ids import ClientId, EventId, RoomId, SessionId, UserId, uuid4, uuid7
from parlour.platform.permissions import Permission, Role, RoomRole, allowed
from parlour.platform.tokens import Principal


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: int = 1_764_018_000_000) -> None:
        self.wall = now
        self.mono = 1000.0

    def now(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def advance(self, seconds: float) -> None:
        self.wall += int(seconds * 1000)
        self.mono += seconds


def a_client_id() -> ClientId:
    return ClientId(uuid4())


def a_principal(name: str = "ann", role: Role = Role.MEMBER) -> Principal:
    return Principal(UserId(uuid7()), SessionId(uuid7()), name, role, 2_000_000_000)


def a_room(kind: RoomKind = RoomKind.PRIVATE, name: str = "lunch") -> Room:
    return Room(RoomId(uuid4()), name, kind, UserId("creator"), 1)


class FakeMemberships:
    """The memberships of everybody, and the writer of their markers; `unloaded` are those of whom nothing is in memory."""

    def __init__(self) -> None:
        self.of: dict[UserId, dict[RoomId, Membership]] = {}
        self.unloaded: set[UserId] = set()
        self.loads: list[UserId] = []
        self.marks: list[tuple[UserId, RoomId, int]] = []

    def add(
        self, user: Principal | Profile, room: Room, role: str = "member", read: int = 0, peer: UserId | None = None
    ) -> Membership:
        user_id = user.user_id if isinstance(user, Principal) else user.id
        membership = Membership(room, role, 1, read, NotificationLevel.ALL, peer)
        self.of.setdefault(user_id, {})[room.id] = membership
        return membership

    def get(self, user_id: UserId) -> dict[RoomId, Membership] | None:
        return None if user_id in self.unloaded else self.of.get(user_id, {})

    async def load(self, user_id: UserId) -> dict[RoomId, Membership]:
        self.loads.append(user_id)
        self.unloaded.discard(user_id)
        return self.of.get(user_id, {})

    async def load_many(self, user_ids: Sequence[UserId]) -> dict[UserId, dict[RoomId, Membership]]:
        return {user_id: await self.load(user_id) for user_id in user_ids}

    def check(self, principal: Principal, room_id: RoomId, permission: Permission) -> Membership | None:
        rooms = self.get(principal.user_id)
        if rooms is None:
            return None
        if room_id not in rooms:
            raise RoomNotFound
        if not allowed(principal.role, permission, RoomRole(rooms[room_id].role)):
            raise Forbidden
        return rooms[room_id]

    async def require(self, principal: Principal, room_id: RoomId, permission: Permission) -> Membership:
        await self.load(principal.user_id)
        membership = self.check(principal, room_id, permission)
        assert membership is not None
        return membership

    async def write(self, user_id: UserId, room_id: RoomId, seq: int, *, back: bool = False) -> None:
        assert back or seq > self.of[user_id][room_id].read
        self.marks.append((user_id, room_id, seq))
        self.of[user_id][room_id].read = seq


class CountedRooms:
    """A room store whose rooms all have `members`; it knows nothing else, and counts how often it was asked."""

    def __init__(self) -> None:
        self.members = 2
        self.asked = 0

    async def count_members(self, _room_id: RoomId) -> int:
        self.asked += 1
        return self.members


class FakeHeads:
    """Heads that tests set."""

    def __init__(self) -> None:
        self.at: dict[RoomId, int] = {}
        self.times: dict[RoomId, int] = {}
        self.ahead: dict[RoomId, int] = {}
        """What the log alone knows."""

    def get(self, room_id: RoomId) -> int | None:
        return self.at.get(room_id)

    async def of(self, room_ids: Iterable[RoomId]) -> dict[RoomId, int]:
        return {room_id: self.at.get(room_id, 0) for room_id in room_ids}

    async def sure(self, room_ids: Sequence[RoomId]) -> dict[RoomId, int]:
        return await self.of(room_ids) | {each: self.ahead[each] for each in room_ids if each in self.ahead}

    async def tails(self, room_ids: Iterable[RoomId]) -> dict[RoomId, Tail]:
        heads = await self.of(room_ids)
        return {room_id: Tail(head, self.times.get(room_id, 0)) for room_id, head in heads.items()}


class FakeLog:
    """A log whose messages and events tests put in place; it counts the calls."""

    def __init__(self) -> None:
        self.messages: dict[tuple[RoomId, EventId], Message] = {}
        self.log: dict[RoomId, list[RoomEvent]] = {}
        self.finds = 0
        self.mention_counts: dict[tuple[UserId, RoomId, int], int] = {}
        self.mention_calls: list[Sequence[tuple[UserId, RoomId, int]]] = []

    def put(self, room: Room, sender: Principal, text: str = "hello") -> Message:
        seq = len(self.messages) + 1
        message = Message(EventId(uuid7()), room.id, seq, sender.user_id, a_client_id(), 1, text, seq)
        self.messages[room.id, message.id] = message
        return message

    def fill(self, room: Room, count: int, text: str = "hello") -> None:
        self.log[room.id] = [an_event(room.id, seq, text) for seq in range(1, count + 1)]

    async def message(self, room_id: RoomId, message_id: EventId, *, reactors: bool = True) -> Message | None:
        return self.messages.get((room_id, message_id))

    async def pinned(self, room_id: RoomId) -> list[Message]:
        return [each for (room, _), each in self.messages.items() if room == room_id and each.pinned_at is not None]

    async def events(self, room_id: RoomId, after: int, upto: int, max_bytes: int | None = None) -> list[RoomEvent]:
        found = [event for event in self.log.get(room_id, []) if after < event.seq <= upto]
        size = sum(len(msgspec.json.encode(event.data)) for event in found)
        return found if max_bytes is None or size <= max_bytes else []

    async def find(self, room_id: RoomId, sender_id: UserId, client_id: ClientId) -> RoomEvent | None:
        self.finds += 1
        key = (sender_id, client_id)
        return next((each for each in self.log.get(room_id, []) if (each.sender_id, each.client_id) == key), None)

    async def mentions(self, wanted: Sequence[tuple[UserId, RoomId, int]]) -> list[int]:
        self.mention_calls.append(wanted)
        return [self.mention_counts.get(each, 0) for each in wanted]


def an_event(room_id: RoomId, seq: int, text: str = "hello") -> RoomEvent:
    return RoomEvent(
        room_id, seq, EventId(uuid7()), EventType.MESSAGE_CREATED, UserId("someone"), a_client_id(), 1, {"text": text}
    )


class FakeBroker:
    """Gives each command the next place of its room, once."""

    def __init__(self) -> None:
        self.commands: list[NewEvent] = []
        self._heads: dict[RoomId, int] = {}
        self._done: dict[tuple[str, str, str], RoomEvent] = {}

    def submit(self, command: NewEvent) -> Pending:
        answer: Pending = asyncio.get_running_loop().create_future()
        answer.set_result(self._append(command))
        return answer

    def _append(self, command: NewEvent) -> Appended:
        self.commands.append(command)
        key = (command.room_id, command.sender_id, command.client_id)
        if key in self._done:
            return Appended(self._done[key], repeated=True)
        seq = self._heads[command.room_id] = self._heads.get(command.room_id, 0) + 1
        event = RoomEvent(
            command.room_id,
            seq,
            EventId(uuid7()),
            command.type,
            command.sender_id,
            command.client_id,
            1,
            command.data,
        )
        self._done[key] = event
        return Appended(event)


class FakeDirectory:
    """Profiles by name; while it is `away` only those of the users `met` are known."""

    def __init__(self, *profiles: Profile) -> None:
        self.away = False
        self.met: set[UserId] = set()
        self.all = {profile.id: profile for profile in profiles}
        self.calls: list[list[UserId]] = []

    async def profiles(self, user_ids: Iterable[UserId]) -> dict[UserId, Profile]:
        wanted = list(user_ids)
        self.calls.append(wanted)
        return {each: self.all[each] for each in wanted if each in self.all}

    async def by_usernames(self, usernames: Iterable[str]) -> dict[str, Profile]:
        if self.away:
            raise Unavailable(retry_after=1)
        names = set(usernames)
        return {profile.username: profile for profile in self.all.values() if profile.username in names}

    def remembered(self, usernames: Iterable[str]) -> dict[str, Profile]:
        names = set(usernames)
        return {self.all[each].username: self.all[each] for each in self.met if self.all[each].username in names}


def a_profile(name: str) -> Profile:
    return Profile(UserId(uuid7()), name, name.title(), "member")
