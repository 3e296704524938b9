"""The shapes of chat's Socket.IO events: what clients send, what acknowledgements hold, what the server sends.

Unknown fields are ignored, so that a newer client may talk to an older server. Integers stay within 2**53 - 1, which
JavaScript can hold.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from parlour.chat.service.ready import RoomSummary
from parlour.chat.service.sync import RoomSync
from parlour.platform.errors import ErrorBody
from parlour.platform.ids import ClientId, EventId, RoomId, UserId

Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
WatchedId = Annotated[UserId, Meta(max_length=36)]


class MessageSend(msgspec.Struct):
    """A message for a room; `reply_to` is the id of another message of it."""

    room_id: RoomId
    client_id: ClientId
    text: str
    reply_to: EventId | None = None


class MessageEdit(msgspec.Struct):
    """A new text for one's own message `id`."""

    room_id: RoomId
    client_id: ClientId
    id: EventId
    text: str


class MessageCommand(msgspec.Struct):
    """Something to be done to the message `id`."""

    room_id: RoomId
    client_id: ClientId
    id: EventId


class Reaction(msgspec.Struct):
    """One's own reaction to the message `id`: one emoji or a `:shortcode:`."""

    room_id: RoomId
    client_id: ClientId
    id: EventId
    emoji: str


class SyncRequest(msgspec.Struct):
    """The seq of the last event that the client holds, by room."""

    rooms: dict[RoomId, Seq]


class ReadMark(msgspec.Struct):
    """The caller has read the room up to `seq`, or with `unread` marks it as unread past `seq`.

    `was` is the marker that this device knows of: where the marker was moved back since, the reading is of before and moves nothing.
    """

    room_id: RoomId
    seq: Seq
    unread: bool = False
    was: Seq | None = None


class ReadPlaced(msgspec.Struct):
    """Where the caller's read marker is."""

    read: int
    ok: Literal[True] = True


class TypingNotice(msgspec.Struct):
    """The caller begins or goes on (`on`), or stops typing."""

    room_id: RoomId
    on: bool


class PresenceWatch(msgspec.Struct):
    """The users whose presence this socket wants to hear of; replaces those of the call before."""

    user_ids: list[WatchedId]


class PresenceUpdate(msgspec.Struct):
    """Whether the person in front of this device is there."""

    state: Literal["active", "idle"]


class AuthRenew(msgspec.Struct):
    """A fresh access token of the same session."""

    token: str


class Placed(msgspec.Struct):
    """The command is durable: the event's id, its place in the room and its time (ms UTC)."""

    id: EventId
    seq: int
    at: int
    ok: Literal[True] = True


class Synced(msgspec.Struct):
    """What was missed, by room."""

    rooms: dict[RoomId, RoomSync]
    ok: Literal[True] = True


class PresenceStates(msgspec.Struct):
    """`online`, `idle` or `offline` by user id."""

    presence: dict[UserId, str]
    ok: Literal[True] = True


class Unread(msgspec.Struct):
    """What lies past a marker that was moved on purpose: the room's head, and the mentions up to it."""

    head: int
    mentions: int


class ReadMoved(msgspec.Struct, omit_defaults=True):
    """A member has read a room up to `seq`; with `unread` the user has marked it as unread past `seq`, which may be back."""

    room_id: RoomId
    user_id: UserId
    seq: int
    unread: Unread | None = None


class TypingChanged(msgspec.Struct):
    """A member is typing, or stopped."""

    room_id: RoomId
    user_id: UserId
    on: bool


class PresenceChanged(msgspec.Struct):
    """A watched user is now `online`, `idle` or `offline`."""

    user_id: UserId
    state: str


class RoomAdded(msgspec.Struct):
    """The user is now a member of `room`."""

    room: RoomSummary


class RoomRemoved(msgspec.Struct):
    """The user is no longer a member of the room."""

    room_id: RoomId


class AuthExpiring(msgspec.Struct):
    """The access token of this socket ends in `in` seconds."""

    seconds: int = msgspec.field(name="in")


class SocketDisplaced(msgspec.Struct):
    """Why this socket is closed while its session goes on."""

    error: ErrorBody


class SessionClosed(msgspec.Struct):
    """Why the session, and with it this socket, ends."""

    reason: str
