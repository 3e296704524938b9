"""Calls with everything around them in memory: rooms that tests fill, sockets that remember what they were told."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from parlour.platform.errors import Forbidden, RoomNotFound, Unavailable
from parlour.platform.ids import RoomId, SessionId, UserId, uuid4, uuid7
from parlour.platform.permissions import Permission, Role, RoomRole, allowed
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal
from parlour.video.adapters.memory import MemoryCallStore
from parlour.video.ice import IceServers
from parlour.video.model import (
    Call,
    CallRoom,
    EndReason,
    IceCandidate,
    LeaveReason,
    Media,
    Participant,
    ParticipantId,
    SessionDescription,
    SilenceReason,
)
from parlour.video.service.calls import Calls, Joined
from parlour.video.service.journal import Journal
from parlour.video.service.live import CallLimits, LiveCalls

START = 1_764_018_000_000


class LoopClock:
    """The time of the running loop, which in tests jumps."""

    def now(self) -> int:
        return START + round(asyncio.get_running_loop().time() * 1000)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class FakeRooms:
    """Rooms by id, with the role of each member."""

    def __init__(self) -> None:
        self.members: dict[RoomId, dict[UserId, RoomRole]] = {}
        self.direct: set[RoomId] = set()
        self.before_answer: Callable[[], None] = lambda: None
        """Called while `others` is being answered."""

    def add(self, *people: Principal, direct: bool = False, role: RoomRole = RoomRole.MEMBER) -> RoomId:
        room_id = RoomId(uuid4())
        self.members[room_id] = {person.user_id: role for person in people}
        if direct:
            self.direct.add(room_id)
        return room_id

    async def require(self, principal: Principal, room_id: RoomId, permission: Permission) -> CallRoom:
        role = self.members.get(room_id, {}).get(principal.user_id)
        if role is None:
            raise RoomNotFound
        if not allowed(principal.role, permission, role):
            raise Forbidden
        return CallRoom(room_id, room_id in self.direct)

    def permits(self, principal: Principal, room_id: RoomId, permission: Permission) -> bool:
        role = self.members.get(room_id, {}).get(principal.user_id)
        return role is not None and allowed(principal.role, permission, role)

    async def others(self, room_id: RoomId, user_id: UserId, limit: int) -> list[UserId]:
        await asyncio.sleep(0)
        self.before_answer()
        return [each for each in self.members[room_id] if each != user_id][:limit]

    async def of_user(self, user_id: UserId) -> Sequence[RoomId]:
        return [room_id for room_id, members in self.members.items() if user_id in members]


class Told(NamedTuple):
    """One notice: what, of which call, and the rest in the order of the port."""

    what: str
    call: Call
    about: Any = None
    reason: Any = None


class FakeNotices:
    """Remembers what was told, in order."""

    def __init__(self) -> None:
        self.all: list[Told] = []

    def ringing(self, call: Call, user_id: UserId, socket_id: str | None = None) -> None:
        self.all.append(Told("ringing", call, user_id, socket_id))

    def silenced(self, call: Call, user_id: UserId, reason: SilenceReason, but: str | None = None) -> None:
        self.all.append(Told("silenced", call, user_id, reason))

    def joined(self, call: Call, participant: Participant) -> None:
        self.all.append(Told("joined", call, participant.user_id))

    def updated(self, call: Call, participant: Participant, but: str | None = None) -> None:
        self.all.append(Told("updated", call, participant.user_id, participant.socket_id))

    def left(self, call: Call, participant: Participant, reason: LeaveReason) -> None:
        self.all.append(Told("left", call, participant.user_id, reason))

    def signal(
        self,
        call: Call,
        sender: ParticipantId,
        to: str,
        *,
        description: SessionDescription | None,
        candidate: IceCandidate | None,
    ) -> None:
        self.all.append(Told("signal", call, to, description or candidate))

    def ended(self, call: Call, reason: EndReason) -> None:
        self.all.append(Told("ended", call, None, reason))

    def named(self, what: str) -> list[Told]:
        return [told for told in self.all if told.what == what]


class FakeCallLog:
    """Remembers what it was told; fails as often as it is asked to."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.ends: dict[str, tuple[EndReason | None, int, bool]] = {}
        self.failures = 0
        self.refusal: Exception | None = None

    async def started(self, call: Call) -> None:
        self._tell("started", call)

    async def ended(self, call: Call) -> None:
        self._tell("ended", call)
        self.ends[call.id] = (call.end_reason, call.duration_ms, call.missed)

    def _tell(self, what: str, call: Call) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable(retry_after=1)
        if self.refusal is not None:
            raise self.refusal
        self.told.append((what, call.id))


class World:
    """The service, and people to use it."""

    def __init__(
        self,
        *,
        limits: CallLimits | None = None,
        store: MemoryCallStore | None = None,
        rates: dict[str, str] | None = None,
    ) -> None:
        self.clock = LoopClock()
        self.rooms = FakeRooms()
        self.notices = FakeNotices()
        self.log = FakeCallLog()
        self.store = store or MemoryCallStore()
        self.journal = Journal(self.store, self.log)
        limits = limits or CallLimits()
        self.live = LiveCalls(self.notices, self.journal, self.clock, limits)
        self.calls = Calls(
            self.live,
            rooms=self.rooms,
            notices=self.notices,
            ice=IceServers(self.clock, turn=["turn:turn.example.org"], secret="0123456789abcdef"),
            rates=RateLimits(self.clock, rates),
            limits=limits,
        )
        self.sockets = 0

    def phone(self, name: str, role: Role = Role.MEMBER) -> "Phone":
        """Give somebody new a device."""
        user = Principal(UserId(uuid7()), SessionId(uuid7()), name, role, 2_000_000_000)
        return Phone(self, user)

    @property
    def told(self) -> list[Told]:
        return self.notices.all


class Phone:
    """One socket of one user."""

    def __init__(self, world: World, user: Principal) -> None:
        world.sockets += 1
        self.world = world
        self.user = user
        self.id = f"socket-{world.sockets}"

    def another(self, *, session: bool = False) -> "Phone":
        """Give the same user another device, of another session if asked."""
        user = self.user
        if session:
            user = Principal(user.user_id, SessionId(uuid7()), user.username, user.role, user.expires_at)
        return Phone(self.world, user)

    async def start(self, room_id: RoomId, media: Media = Media.VIDEO) -> Joined:
        return await self.world.calls.start(self.user, self.id, room_id, media)

    async def join(self, call: Call, participant_id: ParticipantId | None = None) -> Joined:
        return await self.world.calls.join(self.user, self.id, call.id, participant_id)

    async def leave(self, call: Call) -> None:
        await self.world.calls.leave(self.user, self.id, call.id)

    async def decline(self, call: Call) -> None:
        await self.world.calls.decline(self.user, self.id, call.id)

    async def mute(self, call: Call, **sends: bool) -> None:
        await self.world.calls.mute(self.user, self.id, call.id, **sends)

    async def kick(self, call: Call, participant_id: ParticipantId) -> None:
        await self.world.calls.kick(self.user, call.id, participant_id)

    async def signal(self, call: Call, to: ParticipantId, kind: str = "candidate") -> None:
        said: dict[str, Any] = {"candidate": IceCandidate("candidate:1")}
        if kind != "candidate":
            said = {"description": SessionDescription(kind, "v=0")}
        await self.world.calls.signal(self.user, self.id, call.id, to, **said)

    def drop(self) -> None:
        """Lose the connection."""
        self.world.live.socket_gone(self.id)
