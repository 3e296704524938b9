"""What happens to live calls: they ring, people come and go, connections are lost and found, and they end."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from parlour.platform import metrics
from parlour.platform.clock import Clock
from parlour.platform.ids import RoomId, SessionId, UserId, uuid7
from parlour.platform.tokens import Principal
from parlour.video.model import (
    PEERS,
    Call,
    CallId,
    CallRoom,
    CallState,
    EndReason,
    LeaveReason,
    Media,
    Participant,
    ParticipantId,
    SilenceReason,
)
from parlour.video.ports import Notices
from parlour.video.service.deadlines import Deadlines
from parlour.video.service.journal import Journal
from parlour.video.service.registry import Registry

logger = logging.getLogger(__name__)


class CallLimits(msgspec.Struct, frozen=True):
    """How many and how long: seconds that a call rings, seconds that a lost connection or someone left alone may take.

    `busy_seconds` pass before a call ends whose callees are all in other calls: what acknowledges it has to come first.
    """

    max_calls: int = 5_000
    ring_members: int = 50
    ring_seconds: float = 45.0
    grace_seconds: float = 15.0
    busy_seconds: float = 0.0


class LiveCalls:
    """The calls of this process and what becomes of them; it decides who is told what, and asks nobody's permission.

    Nothing here waits, so each step finds and leaves every call in order.
    """

    def __init__(self, notices: Notices, journal: Journal, clock: Clock, limits: CallLimits) -> None:
        self._notices = notices
        self._journal = journal
        self._clock = clock
        self._limits = limits
        self._deadlines = Deadlines()
        self._set_up: dict[CallId, float] = {}  # of answered calls, since when their media is being negotiated
        self.registry = Registry()
        self.retired = False

    # Beginning

    def full(self) -> bool:
        """Tell whether the process carries as many calls as it may."""
        return len(self.registry) >= self._limits.max_calls

    def open(self, room: CallRoom, principal: Principal, socket_id: str, media: Media) -> tuple[Call, Participant]:
        """Begin a call with its caller in it."""
        call = Call(
            id=CallId(uuid7()),
            room_id=room.id,
            private=room.direct,
            media=media,
            started_by=principal.user_id,
            started_at=self._clock.now(),
        )
        self.registry.add(call)
        caller = self._enter(call, principal, socket_id)
        self._miss_after(call, self._limits.ring_seconds)
        self._journal.changed(call)
        metrics.CALLS.set(len(self.registry))
        metrics.CALLS_STARTED.labels(media).inc()
        logger.info("call started", extra=_about(call))
        return call, caller

    def ring(self, call: Call, user_ids: Sequence[UserId]) -> bool:
        """Ring the users who are in no other call; False where that is none of them. More than `ring_members` are not rung at all."""
        if len(user_ids) > self._limits.ring_members:
            return True
        free = [user_id for user_id in user_ids if self.registry.of_user(user_id) is None]
        self.registry.ring(call, free)
        for user_id in free:
            self._notices.ringing(call, user_id)
        return bool(free)

    def ring_again(self) -> None:
        """Ring at all devices of everybody who is called: of those that connected while nobody carried the calls, some did not hear."""
        for call in self.registry:
            for user_id in call.ringing:
                self._notices.ringing(call, user_id)

    def _miss_after(self, call: Call, seconds: float) -> None:
        self._deadlines.set((call.id, "ring"), seconds, lambda: self.end(call, EndReason.MISSED))

    # Coming

    def enter(self, call: Call, principal: Principal, socket_id: str) -> Participant:
        """Let somebody in who is not in it: their other devices stop ringing, and all others once no place is left."""
        participant = self._enter(call, principal, socket_id)
        self._deadlines.clear((call.id, "alone"))
        self.silence(call, principal.user_id, SilenceReason.ANSWERED_ELSEWHERE, but=socket_id)
        if call.state is CallState.RINGING and principal.user_id != call.started_by:
            self._answered(call)
        if len(call.participants) >= PEERS:
            for user_id in tuple(call.ringing):
                self.silence(call, user_id, SilenceReason.ANSWERED)
        self._notices.joined(call, participant)
        self._journal.changed(call)
        return participant

    def move(self, call: Call, participant: Participant, principal: Principal, socket_id: str) -> Participant:
        """Let a user who is in it go on from another socket, as a new participant: the connection has to be made anew."""
        self.depart(call, participant, LeaveReason.MOVED)
        return self.enter(call, principal, socket_id)

    def resume(self, call: Call, participant: Participant, socket_id: str) -> None:
        """Give a participant whose connection was lost its new socket: it goes on as the one it was."""
        self.registry.attach(call, participant, socket_id)
        self._deadlines.clear((call.id, participant.id))
        self._notices.updated(call, participant, but=socket_id)
        self._journal.changed(call)

    def change(self, call: Call, participant: Participant, sends: Mapping[str, bool], but: str) -> None:
        """Take in what a participant sends from now on (`audio`, `video`, `screen`), told to all but the socket `but`."""
        for name, on in sends.items():
            setattr(participant, name, on)
        self._notices.updated(call, participant, but=but)
        self._journal.changed(call)

    def _enter(self, call: Call, principal: Principal, socket_id: str) -> Participant:
        participant = Participant(
            ParticipantId(uuid7()),
            principal.user_id,
            principal.session_id,
            socket_id,
            self._clock.now(),
            video=call.media is Media.VIDEO,
        )
        self.registry.enter(call, participant)
        return participant

    def _answered(self, call: Call) -> None:
        self._deadlines.clear((call.id, "ring"))
        call.answered_at = self._clock.now()
        self._set_up[call.id] = self._clock.monotonic()
        metrics.CALL_ANSWER_SECONDS.observe(max(0, call.answered_at - call.started_at) / 1000)

    def negotiated(self, call: Call) -> None:
        """Take in that an answer in SDP was relayed: from here on media can flow."""
        since = self._set_up.pop(call.id, None)
        if since is not None:
            metrics.CALL_SETUP_SECONDS.observe(self._clock.monotonic() - since)

    # Going

    def depart(self, call: Call, participant: Participant, reason: LeaveReason) -> None:
        """Take a participant out, and end the call where it does not go on without them."""
        self.registry.leave(call, participant.id)
        self._deadlines.clear((call.id, participant.id))
        self._notices.left(call, participant, reason)
        ending = call.end_after(reason)
        if ending is not None:
            self.end(call, ending)
            return
        if len(call.participants) == 1 and call.state is CallState.ACTIVE:
            self._leave_alone(call)
        self._journal.changed(call)

    def silence(self, call: Call, user_id: UserId, reason: SilenceReason, but: str | None = None) -> bool:
        """Have a user's devices, except the socket `but`, stop ringing; False where they did not ring."""
        rang = self.registry.silence(call, user_id)
        if rang:
            self._notices.silenced(call, user_id, reason, but)
        return rang

    def end(self, call: Call, reason: EndReason) -> None:
        """End a call, for everybody."""
        call.ended_at = self._clock.now()
        call.end_reason = reason
        self.registry.remove(call)
        self._set_up.pop(call.id, None)
        for key in ("ring", "alone", *call.participants):
            self._deadlines.clear((call.id, key))
        self._notices.ended(call, reason)
        self._journal.changed(call)
        metrics.CALLS.set(len(self.registry))
        metrics.CALLS_ENDED.labels(reason).inc()
        logger.info("call ended", extra=_about(call) | {"reason": reason.value, "duration_ms": call.duration_ms})

    def _leave_alone(self, call: Call) -> None:
        seconds = self._limits.grace_seconds
        self._deadlines.set((call.id, "alone"), seconds, lambda: self.end(call, EndReason.HANGUP))

    # What happens to sockets, sessions and members

    def socket_ready(self, user_id: UserId, socket_id: str) -> None:
        """Ring at a device that has just connected for the calls that ring its user."""
        for call in self.registry.ringing(user_id):
            self._notices.ringing(call, user_id, socket_id)

    def socket_gone(self, socket_id: str) -> None:
        """Give who took part by a socket that is gone some time to come back."""
        found = self.registry.of_socket(socket_id)
        if found is not None:
            call, participant = found
            self.registry.attach(call, participant, None)
            self._await_return(call, participant)
            self._notices.updated(call, participant)
            self._journal.changed(call)

    def sessions_ended(self, user_id: UserId, session_ids: Collection[SessionId] | None = None) -> None:
        """Take a user out of the call that they take part in by one of these sessions; None: any, and nothing rings them either."""
        if session_ids is None:
            for ringing in self.registry.ringing(user_id):
                self._call_off(ringing, user_id)
        call = self.registry.of_user(user_id)
        participant = call.of_user(user_id) if call is not None else None
        if call and participant and (session_ids is None or participant.session_id in session_ids):
            self.depart(call, participant, LeaveReason.REVOKED)

    def member_removed(self, user_id: UserId, room_id: RoomId) -> None:
        """Take a user who is in the room no more out of its call."""
        call = self.registry.of_room(room_id)
        if call is None:
            return
        self._call_off(call, user_id)
        participant = call.of_user(user_id)
        if participant is not None:
            self.depart(call, participant, LeaveReason.REMOVED)

    def _call_off(self, call: Call, user_id: UserId) -> None:
        """Ring somebody no more who may not answer; the call ends where nobody is left who might."""
        if self.silence(call, user_id, SilenceReason.REMOVED) and not call.ringing and call.state is CallState.RINGING:
            self.end(call, EndReason.MISSED)

    def _await_return(self, call: Call, participant: Participant) -> None:
        self._deadlines.set(
            (call.id, participant.id),
            self._limits.grace_seconds,
            lambda: self.depart(call, participant, LeaveReason.LOST),
        )

    # The process

    def restore(self, calls: Iterable[Call]) -> None:
        """Take up what an earlier process left: everybody may come back as after a lost connection, and what rang rings on."""
        for call in calls:
            if call.ended_at is not None:
                self._journal.changed(call)
                continue
            for participant in call.participants.values():
                participant.socket_id = None
                self._await_return(call, participant)
            self.registry.add(call)
            if call.state is CallState.RINGING:
                rung = (self._clock.now() - call.started_at) / 1000
                self._miss_after(call, max(self._limits.ring_seconds - rung, 0))
            elif len(call.participants) == 1:
                self._leave_alone(call)
        metrics.CALLS.set(len(self.registry))

    def pause(self) -> None:
        """Let no deadline come any more: a process that is about to end takes nobody out of a call for losing their connection."""
        self._deadlines.stop()

    def retire(self) -> None:
        """Be over: another process carries the calls from now on. Whoever waited for something before changing a call looks first."""
        self.pause()
        self.retired = True


def _about(call: Call) -> dict[str, str]:
    return {"call_id": call.id, "room_id": call.room_id, "media": call.media.value}
