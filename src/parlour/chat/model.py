"""The values of chat: rooms, members, the events of a room's log, and the message view that is their fold."""

from enum import StrEnum
from typing import Any

import msgspec

from parlour.platform.ids import ClientId, EventId, RoomId, UserId

MAX_TEXT = 8_000
"""Characters of one message."""

SYNC_GAP = 500
"""Events; a client further behind than this fetches history instead of replaying."""

MAX_PINS = 100
"""Pinned messages of one room."""

MAX_NAME = 80
"""Characters of a room's name."""

MAX_TOPIC = 500
"""Characters of a room's topic."""


class RoomKind(StrEnum):
    """Who may find and join a room."""

    PUBLIC = "public"
    PRIVATE = "private"
    DIRECT = "direct"


class NotificationLevel(StrEnum):
    """What of a room is worth a notification to one member."""

    ALL = "all"
    MENTIONS = "mentions"
    NONE = "none"


class EventType(StrEnum):
    """What can happen in a room. The shape of `data` stands beside each."""

    MESSAGE_CREATED = "message.created"  # {text, reply_to?: event id, mentions?: [user id], mentions_room?: true}
    MESSAGE_EDITED = "message.edited"  # {message_id, text, mentions?, mentions_room?}
    MESSAGE_DELETED = "message.deleted"  # {message_id}
    REACTION_ADDED = "reaction.added"  # {message_id, emoji}
    REACTION_REMOVED = "reaction.removed"  # {message_id, emoji}
    MESSAGE_PINNED = "message.pinned"  # {message_id}
    MESSAGE_UNPINNED = "message.unpinned"  # {message_id}
    MEMBER_JOINED = "member.joined"  # {user_id, role}; sender_id is who did it
    MEMBER_LEFT = "member.left"  # {user_id}; sender_id is who did it
    ROOM_UPDATED = "room.updated"  # {name?, topic?, kind?, roles?: {user id: role}}
    CALL_STARTED = "call.started"  # {call_id, media}; sender_id is the caller
    CALL_ENDED = "call.ended"  # {call_id, media, reason, duration_ms, missed, user_ids: [user id]}; from the caller


AMONG_MESSAGES = (
    EventType.MEMBER_JOINED,
    EventType.MEMBER_LEFT,
    EventType.ROOM_UPDATED,
    EventType.CALL_STARTED,
    EventType.CALL_ENDED,
)
"""What is shown in its place among the messages; every other event makes or changes one."""


class NewEvent(msgspec.Struct):
    """An event before it has its place: a command to the room log. `client_id` makes it repeatable."""

    room_id: RoomId
    type: EventType
    sender_id: UserId
    client_id: ClientId
    data: dict[str, Any]
    received: float = 0.0
    """Monotonic seconds at which this node received it; measures latency, is never stored."""


class RoomEvent(msgspec.Struct):
    """One entry of a room's log. `seq` counts from 1 without gaps, `at` in ms UTC."""

    room_id: RoomId
    seq: int
    id: EventId
    type: EventType
    sender_id: UserId
    client_id: ClientId
    at: int
    data: dict[str, Any]


class Appended(msgspec.Struct):
    """What became of a command: the event it is in the log, `repeated` where it was there before."""

    event: RoomEvent
    repeated: bool = False


class Tail(msgspec.Struct, frozen=True):
    """Where a room's log ends: its last seq, and when that event happened (ms UTC); 0 and 0 without events."""

    seq: int = 0
    at: int = 0


class Message(msgspec.Struct, omit_defaults=True):
    """A message as it is now: the fold of the events that concern it. `version` is the seq of the last one applied."""

    id: EventId
    room_id: RoomId
    seq: int
    sender_id: UserId
    client_id: ClientId
    at: int
    text: str
    version: int
    reply_to: EventId | None = None
    mentions: list[UserId] = []
    mentions_room: bool = False
    edited_at: int | None = None
    deleted_at: int | None = None
    pinned_at: int | None = None
    pinned_by: UserId | None = None
    reactions: dict[str, list[UserId]] = {}


class RoomView(msgspec.Struct):
    """What a client shows of a room: the messages it holds, by id, as they were at `head`, the seq of the last event applied.

    A view may be partial (a page of history). A message may be newer than `head`; its `version` says how far it is.
    """

    head: int = 0
    messages: dict[EventId, Message] = {}


class Room(msgspec.Struct, omit_defaults=True, weakref=True):
    """A room. `topic` may be empty; a direct room's name is empty: clients show the other member."""

    id: RoomId
    name: str
    kind: RoomKind
    created_by: UserId
    created_at: int
    topic: str = ""


class Member(msgspec.Struct):
    """A user in a room."""

    user_id: UserId
    role: str
    joined_at: int


class Membership(msgspec.Struct):
    """A room from the point of view of one member: what `ready` and every permission check need, without the log.

    `peer` is the other member of a direct room, None in other rooms (and where the other account is gone). `invited`: somebody
    else put the member there, so that it does not count among the rooms that the member chose.
    """

    room: Room
    role: str
    joined_at: int
    read: int
    notify: NotificationLevel
    peer: UserId | None = None
    invited: bool = False


class Departure(msgspec.Struct):
    """A member went; `successor` is who became owner in place of the last one, None where an owner was left or nobody could."""

    successor: UserId | None = None


class SearchHit(msgspec.Struct):
    """A message that matched. `highlights` are [start, end) offsets in characters of `message.text`; larger `score` is better."""

    message: Message
    score: float
    highlights: list[tuple[int, int]]
