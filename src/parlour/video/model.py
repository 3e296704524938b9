"""The values of video: calls and who takes part, and the rules that need nothing but them."""

from enum import StrEnum
from typing import Annotated, Literal, NewType

import msgspec
from msgspec import Meta

from parlour.platform.ids import RoomId, SessionId, UserId

CallId = NewType("CallId", str)
ParticipantId = NewType("ParticipantId", str)

PEERS = 2
"""Participants of a call that goes from peer to peer."""


MAX_SDP = 65_536
"""Characters of a session description; Chromium's for one-to-one video has about 6,000."""

MAX_CANDIDATE = 4_096
"""Characters of a candidate."""


class Media(StrEnum):
    """What a call was started for; anybody may send the other, too."""

    AUDIO = "audio"
    VIDEO = "video"


class Mode(StrEnum):
    """What carries a call's media."""

    P2P = "p2p"


class CallState(StrEnum):
    """`ringing`: only the caller is in it; `active`: somebody answered."""

    RINGING = "ringing"
    ACTIVE = "active"


class EndReason(StrEnum):
    """Why a call ended."""

    HANGUP = "hangup"  # who took part left
    LOST = "lost"  # who took part lost their connection and did not come back in time
    DECLINED = "declined"  # everybody who was called declined
    BUSY = "busy"  # everybody who was called is in another call
    MISSED = "missed"  # nobody answered in time
    CANCELLED = "cancelled"  # the caller left before anybody answered


class LeaveReason(StrEnum):
    """Why a participant is in a call no more."""

    LEFT = "left"  # by itself
    LOST = "lost"  # its connection, and did not come back in time
    MOVED = "moved"  # the same user joined by another socket
    KICKED = "kicked"  # by a moderator
    REMOVED = "removed"  # from the room
    REVOKED = "revoked"  # the session ended


class SilenceReason(StrEnum):
    """Why a device stops ringing for a call that goes on, or that ended by its user's own doing."""

    ANSWERED_ELSEWHERE = "answered_elsewhere"  # by the same user
    DECLINED_ELSEWHERE = "declined_elsewhere"  # by the same user
    ANSWERED = "answered"  # by somebody else, and no place is left
    REMOVED = "removed"  # the user, from the room


class Participant(msgspec.Struct):
    """One socket of one user in a call. `socket_id` is None while its connection is lost.

    `audio`, `video` and `screen` tell what it sends at the moment: a muted microphone is `audio=False`. Times in ms UTC.
    """

    id: ParticipantId
    user_id: UserId
    session_id: SessionId
    socket_id: str | None
    joined_at: int
    audio: bool = True
    video: bool = False
    screen: bool = False


class Call(msgspec.Struct):
    """A call that lives, or that has ended and is yet to be told to the log. Times in ms UTC.

    `ringing` are the users whose devices ring, `took_part` those who were ever in it in the order of joining, the caller
    first, and `kicked` those who may not come back. A `private` call is one of a direct room: it ends when one of the two hangs up.
    """

    id: CallId
    room_id: RoomId
    private: bool
    media: Media
    started_by: UserId
    started_at: int
    mode: Mode = Mode.P2P
    participants: dict[ParticipantId, Participant] = {}
    ringing: set[UserId] = set()
    took_part: list[UserId] = []
    kicked: set[UserId] = set()
    answered_at: int | None = None
    ended_at: int | None = None
    end_reason: EndReason | None = None

    @property
    def state(self) -> CallState:
        """Whether somebody answered."""
        return CallState.RINGING if self.answered_at is None else CallState.ACTIVE

    @property
    def duration_ms(self) -> int:
        """From the answer to the end; 0 for a call that nobody answered or that goes on."""
        return 0 if self.answered_at is None or self.ended_at is None else max(0, self.ended_at - self.answered_at)

    @property
    def missed(self) -> bool:
        """Whether it ended unanswered without being declined: whoever was called may want to call back."""
        return self.ended_at is not None and self.answered_at is None and self.end_reason is not EndReason.DECLINED

    def of_user(self, user_id: UserId) -> Participant | None:
        """Return the participant that a user is."""
        return next((each for each in self.participants.values() if each.user_id == user_id), None)

    def full_for(self, user_id: UserId) -> bool:
        """Tell whether a user finds no place; who is in it already takes none."""
        return len(self.participants) >= PEERS and self.of_user(user_id) is None

    def end_after(self, reason: LeaveReason) -> EndReason | None:
        """Return why the call ends now that a participant has gone by `reason`; None where it goes on.

        Unanswered, it ends with its caller. A private one needs both. Any other may wait for somebody to join who is left alone.
        """
        if reason is LeaveReason.MOVED:
            return None
        if self.answered_at is None:
            return None if self.participants else EndReason.CANCELLED
        if self.participants and not self.private:
            return None
        return EndReason.LOST if reason is LeaveReason.LOST else EndReason.HANGUP


class CallRoom(msgspec.Struct, frozen=True):
    """What a call needs to know of a room."""

    id: RoomId
    direct: bool


class SessionDescription(msgspec.Struct):
    """An `RTCSessionDescriptionInit`; `sdp` is empty in a rollback."""

    type: Literal["offer", "answer", "pranswer", "rollback"]
    sdp: Annotated[str, Meta(max_length=MAX_SDP)] = ""


class IceCandidate(msgspec.Struct, omit_defaults=True):
    """An `RTCIceCandidateInit`, as `RTCIceCandidate.toJSON()` makes it: its names are the browser's. An empty `candidate` ends them."""

    candidate: Annotated[str, Meta(max_length=MAX_CANDIDATE)]
    sdpMid: Annotated[str, Meta(max_length=256)] | None = None  # noqa: N815 - the browser's name
    sdpMLineIndex: Annotated[int, Meta(ge=0, le=65_535)] | None = None  # noqa: N815 - the browser's name
    usernameFragment: Annotated[str, Meta(max_length=256)] | None = None  # noqa: N815 - the browser's name


class IceServer(msgspec.Struct, omit_defaults=True):
    """An `RTCIceServer` as browsers take it."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None
