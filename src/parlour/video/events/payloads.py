"""The shapes of calls on the wire: what clients send, what acknowledgements hold, what the server sends.

Unknown fields are ignored. `description`, `candidate` and `ice_servers` are what browsers take and make, in their own spelling.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from parlour.platform.ids import RoomId, UserId
from parlour.video.model import (
    Call,
    CallId,
    CallState,
    EndReason,
    IceCandidate,
    IceServer,
    LeaveReason,
    Media,
    Mode,
    Participant,
    ParticipantId,
    SessionDescription,
    SilenceReason,
)

AnId = Meta(max_length=36)


class CallStart(msgspec.Struct):
    """Call the members of a room, with sound alone or with pictures, too."""

    room_id: Annotated[RoomId, AnId]
    media: Media


class CallJoin(msgspec.Struct):
    """Take part; `participant_id` is who one was by a connection that was lost."""

    call_id: Annotated[CallId, AnId]
    participant_id: Annotated[ParticipantId, AnId] | None = None


class CallCommand(msgspec.Struct):
    """Something to be done to a call."""

    call_id: Annotated[CallId, AnId]


class CallMute(msgspec.Struct):
    """What one sends from now on: `false` is muted; what is left out stays as it is."""

    call_id: Annotated[CallId, AnId]
    audio: bool | None = None
    video: bool | None = None
    screen: bool | None = None


class CallKick(msgspec.Struct):
    """Who is to be taken out of a call."""

    call_id: Annotated[CallId, AnId]
    participant_id: Annotated[ParticipantId, AnId]


class CallSignal(msgspec.Struct):
    """A description or a candidate, one of the two, for the participant `to`."""

    call_id: Annotated[CallId, AnId]
    to: Annotated[ParticipantId, AnId]
    description: SessionDescription | None = None
    candidate: IceCandidate | None = None


class CallView(msgspec.Struct):
    """A call as clients see it; `answered_at` is null while it rings. Times in ms UTC."""

    id: CallId
    room_id: RoomId
    state: CallState
    mode: Mode
    media: Media
    started_by: UserId
    started_at: int
    answered_at: int | None


class ParticipantView(msgspec.Struct):
    """Who takes part; `audio`, `video` and `screen` tell what they send. `reconnecting`: its connection is lost, it may come back."""

    id: ParticipantId
    user_id: UserId
    state: Literal["connected", "reconnecting"]
    joined_at: int
    audio: bool
    video: bool
    screen: bool


class CallJoined(msgspec.Struct):
    """The caller takes part as `participant_id`; `participants` are all of the call, in the order of joining."""

    call: CallView
    participant_id: ParticipantId
    mode: Mode
    ice_servers: list[IceServer]
    participants: list[ParticipantView]
    ok: Literal[True] = True


class CallRinging(msgspec.Struct):
    """The user is called."""

    call: CallView


class CallRingingStopped(msgspec.Struct):
    """This device shall stop ringing, though the call may go on."""

    call_id: CallId
    room_id: RoomId
    reason: SilenceReason


class ParticipantChanged(msgspec.Struct):
    """Somebody joined, or is not what they were."""

    call_id: CallId
    participant: ParticipantView


class ParticipantLeft(msgspec.Struct):
    """Somebody is in the call no more."""

    call_id: CallId
    participant_id: ParticipantId
    user_id: UserId
    reason: LeaveReason


class CallSignalled(msgspec.Struct, omit_defaults=True):
    """A description or a candidate from the participant `from`."""

    call_id: CallId
    sender: ParticipantId = msgspec.field(name="from")
    description: SessionDescription | None = None
    candidate: IceCandidate | None = None


class CallEnded(msgspec.Struct):
    """The call is over. `duration_ms` counts from the answer; `missed` as in the log."""

    call_id: CallId
    room_id: RoomId
    reason: EndReason
    duration_ms: int
    missed: bool


def call_view(call: Call) -> CallView:
    """Return a call as clients see it."""
    return CallView(
        id=call.id,
        room_id=call.room_id,
        state=call.state,
        mode=call.mode,
        media=call.media,
        started_by=call.started_by,
        started_at=call.started_at,
        answered_at=call.answered_at,
    )


def participant_view(participant: Participant) -> ParticipantView:
    """Return a participant as clients see it."""
    return ParticipantView(
        id=participant.id,
        user_id=participant.user_id,
        state="reconnecting" if participant.socket_id is None else "connected",
        joined_at=participant.joined_at,
        audio=participant.audio,
        video=participant.video,
        screen=participant.screen,
    )
