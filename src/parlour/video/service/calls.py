"""What people do with calls: start, join, leave, decline, mute, kick, and negotiate with each other."""

import asyncio
from collections.abc import Collection

import msgspec

from parlour.platform.errors import RoomNotFound, Unavailable
from parlour.platform.ids import RoomId, UserId
from parlour.platform.metrics import CALL_SIGNALS
from parlour.platform.permissions import Permission
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal
from parlour.video.errors import (
    AlreadyInCall,
    CallFull,
    CallNotFound,
    NobodyToCall,
    NotInCall,
    ParticipantAway,
    ParticipantNotFound,
    RemovedFromCall,
    TooManyCalls,
)
from parlour.video.ice import IceServers
from parlour.video.model import (
    PEERS,
    Call,
    CallId,
    CallState,
    EndReason,
    IceCandidate,
    IceServer,
    LeaveReason,
    Media,
    Participant,
    ParticipantId,
    SessionDescription,
    SilenceReason,
)
from parlour.video.ports import Notices, Rooms
from parlour.video.service.live import CallLimits, LiveCalls


class Joined(msgspec.Struct):
    """A call that the caller takes part in, as whom, and the ICE servers with fresh credentials."""

    call: Call
    participant: Participant
    ice_servers: list[IceServer]


class Calls:
    """The use cases of calls.

    A call of a room that the caller is not in does not exist: `CallNotFound`. Who takes part is one socket of one user, so
    that `leave`, `mute` and `signal` are for that socket alone, `NotInCall` for others. All raise `RateLimited` and `Unavailable`,
    besides what each names.
    """

    def __init__(
        self,
        live: LiveCalls,
        *,
        rooms: Rooms,
        notices: Notices,
        ice: IceServers,
        rates: RateLimits,
        limits: CallLimits,
    ) -> None:
        self._live = live
        self._calls = live.registry
        self._rooms = rooms
        self._notices = notices
        self._ice = ice
        self._rates = rates
        self._limits = limits

    async def start(self, principal: Principal, socket_id: str, room_id: RoomId, media: Media) -> Joined:
        """Call the other members of a room, or join the call that it has: of two who start at once both end up in the first's.

        A call whose callees are all in other calls is ended as `busy` right after this returns.

        Raises:
            RoomNotFound, Forbidden: the caller may not.
            NobodyToCall: the room has no other member.
            AlreadyInCall: the caller takes part in another call.
            CallFull, RemovedFromCall: the room's call takes the caller no more.
            TooManyCalls: the process carries as many as it may.
        """
        self._rates.check("call", principal.user_id)
        room = await self._rooms.require(principal, room_id, Permission.START_CALL)
        others: list[UserId] = []
        if self._calls.of_room(room_id) is None:
            others = await self._rooms.others(room_id, principal.user_id, self._limits.ring_members + 1)
            if not self._rooms.permits(principal, room_id, Permission.START_CALL):
                raise RoomNotFound
        self._carried()
        present = self._calls.of_room(room_id)
        if present is not None:
            return self._joined(present, self._let_in(present, principal, socket_id))
        if not others:
            raise NobodyToCall
        self._free(principal)
        if self._live.full():
            raise TooManyCalls(retry_after=30)
        call, caller = self._live.open(room, principal, socket_id, media)
        if not self._live.ring(call, others):
            # The caller is told once it knows the call, which is when this turn of the loop has acknowledged it, or another node has.
            loop = asyncio.get_running_loop()
            if self._limits.busy_seconds:
                loop.call_later(self._limits.busy_seconds, self._busy, call)
            else:
                loop.call_soon(self._busy, call)
        return self._joined(call, caller)

    def _busy(self, call: Call) -> None:
        if self._calls.get(call.id) is call and call.state is CallState.RINGING:
            self._live.end(call, EndReason.BUSY)

    async def join(
        self, principal: Principal, socket_id: str, call_id: CallId, participant_id: ParticipantId | None = None
    ) -> Joined:
        """Take part: answer a call that rings, join one that goes on, come back after a lost connection, or move to this device.

        With `participant_id`, the one that the caller was by a connection that it lost, it goes on as that one. Without, a user who is
        in the call by another socket moves here. Repeated by the same socket it changes nothing and gives fresh credentials.

        Raises:
            CallNotFound, Forbidden: there is no such call, or the caller's role does not permit it.
            AlreadyInCall, CallFull, RemovedFromCall: as they say.
        """
        self._rates.check("call_join", principal.user_id)
        await self._require(principal, call_id, Permission.JOIN_CALL)
        call = self._known(call_id)  # it may have ended meanwhile
        return self._joined(call, self._let_in(call, principal, socket_id, participant_id))

    def _let_in(
        self, call: Call, principal: Principal, socket_id: str, participant_id: ParticipantId | None = None
    ) -> Participant:
        mine = call.of_user(principal.user_id)
        if mine is None:
            if principal.user_id in call.kicked:
                raise RemovedFromCall
            if call.full_for(principal.user_id):
                raise CallFull(details={"limit": PEERS})
            self._free(principal)
            return self._live.enter(call, principal, socket_id)
        if mine.socket_id == socket_id:
            return mine
        if mine.id == participant_id:
            self._live.resume(call, mine, socket_id)
            return mine
        return self._live.move(call, mine, principal, socket_id)

    def _free(self, principal: Principal) -> None:
        """Take the caller out of a call whose connection they lost.

        Raises:
            AlreadyInCall: they take part in one.
        """
        other = self._calls.of_user(principal.user_id)
        participant = other.of_user(principal.user_id) if other is not None else None
        if other is not None and participant is not None:
            if participant.socket_id is not None:
                raise AlreadyInCall(details={"call_id": other.id})
            self._live.depart(other, participant, LeaveReason.LEFT)

    def _joined(self, call: Call, participant: Participant) -> Joined:
        return Joined(call, participant, self._ice.of(participant.user_id))

    async def leave(self, principal: Principal, socket_id: str, call_id: CallId) -> None:
        """Hang up; a caller whom nobody answered yet cancels the call. Having left already is no error."""
        found = self._calls.of_socket(socket_id)
        if found is not None and found[0].id == call_id:
            self._live.depart(*found, LeaveReason.LEFT)

    async def decline(self, principal: Principal, socket_id: str, call_id: CallId) -> None:
        """Stop the call's ringing at all of the caller's devices; it ends where nobody is left who might answer.

        What does not ring is declined already.

        Raises:
            CallNotFound: there is no such call.
        """
        self._rates.check("call_join", principal.user_id)
        await self._require(principal, call_id, Permission.READ)
        call = self._known(call_id)
        rang = self._live.silence(call, principal.user_id, SilenceReason.DECLINED_ELSEWHERE, but=socket_id)
        if rang and not call.ringing and call.state is CallState.RINGING:
            self._live.end(call, EndReason.DECLINED)

    async def mute(
        self,
        principal: Principal,
        socket_id: str,
        call_id: CallId,
        *,
        audio: bool | None = None,
        video: bool | None = None,
        screen: bool | None = None,
    ) -> None:
        """Tell the others what the caller sends from now on; what is None stays as it is.

        Raises:
            CallNotFound, NotInCall: the socket does not take part.
        """
        self._rates.check("call_join", principal.user_id)
        call, participant = self._taking_part(principal, socket_id, call_id)
        wanted = {"audio": audio, "video": video, "screen": screen}
        changes = {name: on for name, on in wanted.items() if on is not None and getattr(participant, name) is not on}
        if changes:
            self._live.change(call, participant, changes, but=socket_id)

    async def kick(self, principal: Principal, call_id: CallId, participant_id: ParticipantId) -> None:
        """Take a participant out of the call, whose user cannot come back to it. The caller need not take part.

        Raises:
            CallNotFound, Forbidden: the caller may not.
            ParticipantNotFound: nobody of that id takes part.
        """
        self._rates.check("call_join", principal.user_id)
        await self._require(principal, call_id, Permission.REMOVE_FROM_CALL)
        call = self._known(call_id)
        participant = call.participants.get(participant_id)
        if participant is None:
            raise ParticipantNotFound
        call.kicked.add(participant.user_id)
        self._live.depart(call, participant, LeaveReason.KICKED)

    async def signal(
        self,
        principal: Principal,
        socket_id: str,
        call_id: CallId,
        to: ParticipantId,
        *,
        description: SessionDescription | None = None,
        candidate: IceCandidate | None = None,
    ) -> None:
        """Relay a description or a candidate to one other participant, and to nobody else.

        Raises:
            CallNotFound, NotInCall: the socket does not take part.
            ParticipantNotFound: nobody of that id takes part.
            ParticipantAway: its connection is lost; nothing is kept for it.
        """
        self._rates.check("call_signal", principal.user_id)
        call, sender = self._taking_part(principal, socket_id, call_id)
        target = call.participants.get(to)
        if target is None or target is sender:
            raise ParticipantNotFound
        if target.socket_id is None:
            raise ParticipantAway
        self._notices.signal(call, sender.id, target.socket_id, description=description, candidate=candidate)
        CALL_SIGNALS.labels("candidate" if description is None else "description").inc()
        if description is not None and description.type == "answer":
            self._live.negotiated(call)

    async def of_room(self, principal: Principal, room_id: RoomId) -> Call | None:
        """Return the call of a room.

        Raises:
            RoomNotFound: the caller is not a member.
        """
        self._rates.check("list", principal.user_id)
        await self._rooms.require(principal, room_id, Permission.READ)
        self._carried()
        return self._calls.of_room(room_id)

    async def mine(self, principal: Principal) -> list[Call]:
        """Return the calls of the caller's rooms, the oldest first."""
        self._rates.check("list", principal.user_id)
        room_ids = await self._rooms.of_user(principal.user_id)
        self._carried()
        calls = [call for room_id in room_ids if (call := self._calls.of_room(room_id)) is not None]
        return sorted(calls, key=lambda call: call.id)

    async def recheck(self, user_ids: Collection[UserId] | None = None) -> None:
        """Take out of calls, and have stop ringing, who of these users (None: all) is in the room no more.

        Raises:
            Unavailable: the store is away; whom it was asked of before has been dealt with.
        """
        for user_id in self._calls.users() if user_ids is None else user_ids:
            if self._rooms_of(user_id):
                present = set(await self._rooms.of_user(user_id))
                self._carried()
                for room_id in self._rooms_of(user_id) - present:
                    self._live.member_removed(user_id, room_id)

    def _rooms_of(self, user_id: UserId) -> set[RoomId]:
        """Return the rooms by whose calls a user is concerned."""
        call = self._calls.of_user(user_id)
        calls = [*self._calls.ringing(user_id), *([] if call is None else [call])]
        return {each.room_id for each in calls}

    async def _require(self, principal: Principal, call_id: CallId, permission: Permission) -> None:
        call = self._known(call_id)
        try:
            await self._rooms.require(principal, call.room_id, permission)
        except RoomNotFound:
            raise CallNotFound from None
        self._carried()

    def _carried(self) -> None:
        """Raise `Unavailable` where the calls are another process's by now, which would know nothing of what is done here."""
        if self._live.retired:
            raise Unavailable(retry_after=1)

    def _known(self, call_id: CallId) -> Call:
        call = self._calls.get(call_id)
        if call is None:
            raise CallNotFound
        return call

    def _taking_part(self, principal: Principal, socket_id: str, call_id: CallId) -> tuple[Call, Participant]:
        found = self._calls.of_socket(socket_id)
        if found is not None and found[0].id == call_id:
            return found
        call = self._known(call_id)
        raise NotInCall if self._rooms.permits(principal, call.room_id, Permission.READ) else CallNotFound
