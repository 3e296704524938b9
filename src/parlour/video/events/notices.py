"""What live sockets are told of calls."""

from collections.abc import Callable, Iterable

import msgspec

from parlour.platform.ids import UserId
from parlour.realtime import Namespace
from parlour.video.events import payloads as wire
from parlour.video.model import (
    Call,
    EndReason,
    IceCandidate,
    LeaveReason,
    Participant,
    ParticipantId,
    SessionDescription,
    SilenceReason,
)

_OWN_DOING = {LeaveReason.LEFT, LeaveReason.LOST}


class SocketNotices:
    """The `Notices` of a namespace: participants are reached by their sockets, those who are called by the channel of the user."""

    def __init__(self, namespace: Namespace, user_channel: Callable[[UserId], str]) -> None:
        """Emit on `namespace`, where `user_channel` names the room that all sockets of a user are in."""
        self._namespace = namespace
        self._user_channel = user_channel

    def ringing(self, call: Call, user_id: UserId, socket_id: str | None = None) -> None:
        """Have all devices of a user ring, or one socket that has just connected."""
        channel = self._user_channel(user_id) if socket_id is None else socket_id
        self._namespace.to(channel).emit("call.ringing", wire.CallRinging(wire.call_view(call)))

    def silenced(self, call: Call, user_id: UserId, reason: SilenceReason, but: str | None = None) -> None:
        """Have the devices of a user stop ringing, except the socket `but`."""
        devices = self._namespace.to(self._user_channel(user_id))
        if but is not None:
            devices = devices.except_(but)
        devices.emit("call.ringing.stopped", wire.CallRingingStopped(call.id, call.room_id, reason))

    def joined(self, call: Call, participant: Participant) -> None:
        """Tell the other participants that somebody joined."""
        changed = wire.ParticipantChanged(call.id, wire.participant_view(participant))
        self._tell(_sockets(call, but=participant.socket_id), "call.participant.joined", changed)

    def updated(self, call: Call, participant: Participant, but: str | None = None) -> None:
        """Tell the participants, except the socket `but`, what one of them is now."""
        changed = wire.ParticipantChanged(call.id, wire.participant_view(participant))
        self._tell(_sockets(call, but=but), "call.participant.updated", changed)

    def left(self, call: Call, participant: Participant, reason: LeaveReason) -> None:
        """Tell the remaining participants that one has gone, and its own socket where that was not its own doing."""
        told = _sockets(call)
        if participant.socket_id is not None and reason not in _OWN_DOING:
            told.append(participant.socket_id)
        left = wire.ParticipantLeft(call.id, participant.id, participant.user_id, reason)
        self._tell(told, "call.participant.left", left)

    def signal(
        self,
        call: Call,
        sender: ParticipantId,
        to: str,
        *,
        description: SessionDescription | None,
        candidate: IceCandidate | None,
    ) -> None:
        """Hand what one participant has to say about the connection to the socket `to` alone."""
        signalled = wire.CallSignalled(call.id, sender, description, candidate)
        self._namespace.to(to).emit("call.signal", signalled)

    def ended(self, call: Call, reason: EndReason) -> None:
        """Tell the participants and every device that still rings."""
        ended = wire.CallEnded(call.id, call.room_id, reason, call.duration_ms, call.missed)
        self._tell([*_sockets(call), *map(self._user_channel, call.ringing)], "call.ended", ended)

    def _tell(self, channels: Iterable[str], event: str, payload: msgspec.Struct) -> None:
        channels = tuple(channels)
        if channels:  # none would be everybody
            self._namespace.to(*channels).emit(event, payload)


def _sockets(call: Call, but: str | None = None) -> list[str]:
    sockets = (participant.socket_id for participant in call.participants.values())
    return [socket_id for socket_id in sockets if socket_id is not None and socket_id != but]
