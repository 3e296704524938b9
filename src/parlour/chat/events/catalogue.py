"""Every Socket.IO event of chat with its shapes, errors and an example: the source of docs/reference/events.md."""

from typing import Any

from parlour.chat.errors import (
    Busy,
    InvalidEmoji,
    InvalidText,
    MessageDeleted,
    MessageNotFound,
    NotYours,
    RoomNotFound,
    TokenMismatch,
    TooManyPins,
    TooManyReactions,
    TooManySockets,
)
from parlour.chat.events import payloads as wire
from parlour.chat.model import RoomEvent
from parlour.chat.service.ready import ReadyState
from parlour.events.answers import Done
from parlour.events.catalogue import ClientEvent, Errors, ServerEvent
from parlour.platform.errors import Forbidden
from parlour.platform.tokens import SessionEnded, TokenExpired, TokenInvalid

_COMMAND: Errors = (RoomNotFound, Forbidden, SessionEnded, Busy)
_ROOM = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_USER = "01983b1c-0d3f-7a52-8f5e-1b0f6f0a8d11"
_OTHER = "01983b1c-2f61-7c1e-9a40-3f6f2f9f4c02"
_EVENT = "01983b20-5a10-7b3c-8d2e-6c1a0b9d7e33"
_CLIENT = "9b2f1c64-5e0b-4f6a-8a5e-2d1b7c3e4f50"
_SESSION = "01983b1c-1111-7222-8333-444455556666"
_EPOCH = "1d0f4c1e-7a5b-4c0d-9e21-3b8a6f2c5d47"
_AT = 1_764_018_000_000


def _command(**values: Any) -> dict[str, Any]:
    return {"room_id": _ROOM, "client_id": _CLIENT, **values}


_PLACED = {"ok": True, "id": _EVENT, "seq": 42, "at": _AT}
_DONE = {"ok": True}

CLIENT_EVENTS: tuple[ClientEvent, ...] = (
    ClientEvent(
        "message.send",
        "Send a message. `text` has 1 to 8,000 characters (code points), is not blank and is kept exactly as "
        "given. `@name` mentions a member, `@room` or `@all` everybody, outside code; at most 50 names count.",
        wire.MessageSend,
        wire.Placed,
        (*_COMMAND, InvalidText, MessageNotFound),
        _command(text="Lunch, @bob?"),
        _PLACED,
    ),
    ClientEvent(
        "message.edit",
        "Replace the text of one's own message; nobody edits other people's. The mentions become those of the new"
        " text.",
        wire.MessageEdit,
        wire.Placed,
        (*_COMMAND, InvalidText, MessageNotFound, MessageDeleted, NotYours),
        _command(id=_EVENT, text="Lunch at one, @bob?"),
        _PLACED,
    ),
    ClientEvent(
        "message.delete",
        "Delete one's own message, or any as a moderator. Its text leaves the log for good; deleting twice is no "
        "error.",
        wire.MessageCommand,
        wire.Placed,
        (*_COMMAND, MessageNotFound, NotYours),
        _command(id=_EVENT),
        _PLACED,
    ),
    ClientEvent(
        "message.pin",
        "Pin a message for the whole room; at most 100 are pinned.",
        wire.MessageCommand,
        wire.Placed,
        (*_COMMAND, MessageNotFound, MessageDeleted, TooManyPins),
        _command(id=_EVENT),
        _PLACED,
    ),
    ClientEvent(
        "message.unpin",
        "Unpin a message.",
        wire.MessageCommand,
        wire.Placed,
        (*_COMMAND, MessageNotFound),
        _command(id=_EVENT),
        _PLACED,
    ),
    ClientEvent(
        "reaction.add",
        "React to a message with one emoji or a `:shortcode:`, of at most 64 bytes; a message takes 50 different ones.",
        wire.Reaction,
        wire.Placed,
        (*_COMMAND, InvalidEmoji, MessageNotFound, MessageDeleted, TooManyReactions),
        _command(id=_EVENT, emoji="👍"),
        _PLACED,
    ),
    ClientEvent(
        "reaction.remove",
        "Take one's own reaction back.",
        wire.Reaction,
        wire.Placed,
        (*_COMMAND, InvalidEmoji, MessageNotFound),
        _command(id=_EVENT, emoji="👍"),
        _PLACED,
    ),
    ClientEvent(
        "sync",
        "Catch up: for each room (at most 500) the events after the seq that the client holds. `reset: true`, "
        "with no events, where the gap is over 500, the answer is full (512 KiB of events; short gaps come first)"
        " or the seq lies above the head: fetch `GET /api/rooms/{id}/messages` then. A room that the caller may "
        "not read has an `error`, and no events.",
        wire.SyncRequest,
        wire.Synced,
        (),
        {"rooms": {_ROOM: 41}},
        {
            "ok": True,
            "rooms": {
                _ROOM: {
                    "head": 42,
                    "events": [
                        {
                            "room_id": _ROOM,
                            "seq": 42,
                            "id": _EVENT,
                            "type": "message.created",
                            "sender_id": _USER,
                            "client_id": _CLIENT,
                            "at": _AT,
                            "data": {"text": "Lunch?"},
                        }
                    ],
                    "reset": False,
                }
            },
        },
    ),
    ClientEvent(
        "read",
        "Move one's read marker, at most to the room's head and not back. The user's other sockets get `read`, "
        "and so does a room of up to 100 members. With `unread` the marker moves to `seq` wherever it was, and all of the user's "
        "sockets get `read`, nobody else. Name the marker that you know in `was`: what was read before such a move then undoes "
        "nothing.",
        wire.ReadMark,
        wire.ReadPlaced,
        (RoomNotFound, Forbidden),
        {"room_id": _ROOM, "seq": 42, "was": 40},
        {"ok": True, "read": 42},
    ),
    ClientEvent(
        "typing",
        "Say that one is typing; it ends by itself after 6 s unless repeated (about every 3 s), and with the "
        "message. The others are told of a beginning at most every 2 s, and in rooms of more than 200 members not at "
        "all. Send it volatile, no acknowledgement is needed.",
        wire.TypingNotice,
        Done,
        (RoomNotFound, Forbidden),
        {"room_id": _ROOM, "on": True},
        _DONE,
    ),
    ClientEvent(
        "presence.watch",
        "Name the users (at most 500) whose presence this socket wants to hear of, in place of those named "
        "before. The acknowledgement has their states, `presence` events the changes after it.",
        wire.PresenceWatch,
        wire.PresenceStates,
        (),
        {"user_ids": [_OTHER]},
        {"ok": True, "presence": {_OTHER: "online"}},
    ),
    ClientEvent(
        "presence.update",
        "Say whether the person in front of this device is there. A user is `online` while one device is active, "
        "`idle` when all are idle, and `offline` 5 s after the last one went. Those who watch hear of it within a tenth "
        "of a second, and of a user who changes all the time once a second.",
        wire.PresenceUpdate,
        Done,
        (),
        {"state": "idle"},
        _DONE,
    ),
    ClientEvent(
        "auth.renew",
        "Hand over a fresh access token of the same session, so that the socket outlives the one it has.",
        wire.AuthRenew,
        Done,
        (TokenInvalid, TokenExpired, SessionEnded, TokenMismatch),
        {"token": "eyJhbGciOiJFZERTQSIsImtpZCI6IjEifQ.…"},
        _DONE,
    ),
)

_PROFILE = {"id": _USER, "username": "ann", "display_name": "Ann", "role": "member"}
_SUMMARY = {
    "id": _ROOM,
    "name": "lunch",
    "kind": "public",
    "topic": "",
    "role": "member",
    "notify": "mentions",
    "created_at": _AT,
    "joined_at": _AT,
    "head": 42,
    "last_at": _AT,
    "read": 40,
    "unread": 2,
    "mentions": 1,
}

SERVER_EVENTS: tuple[ServerEvent, ...] = (
    ServerEvent(
        "ready",
        "Once after connecting; an `event` may come before it. Every event above a room's `head` arrives live; for those up to it that the "
        "client lacks, `sync`. `unread` is `head - read`, `mentions` the unread messages that mention the user or"
        " the room; a direct room has `peer`, the other member. Another `epoch` than that of an earlier `ready`: a backup was put in "
        "place of the data; forget every seq that you hold, and fetch history instead.",
        ReadyState,
        {"user": _PROFILE, "session_id": _SESSION, "server_time": _AT, "epoch": _EPOCH, "rooms": [_SUMMARY]},
    ),
    ServerEvent(
        "event",
        "An event of a room's log, live and in the order of `seq`, to every socket of every member, the sending "
        "socket included. A gap in `seq` means that something was missed: `sync`; drop one at or below the last `seq` "
        "that you hold, as `sync` or history may have been faster. `data` by `type` is listed "
        "under [Events of the log](#events-of-the-log).",
        RoomEvent,
        {
            "room_id": _ROOM,
            "seq": 42,
            "id": _EVENT,
            "type": "message.created",
            "sender_id": _USER,
            "client_id": _CLIENT,
            "at": _AT,
            "data": {"text": "Lunch, @bob?", "mentions": [_OTHER]},
        },
    ),
    ServerEvent(
        "read",
        "A read marker moved: one's own on another device, or another member's in a room of up to 100 (volatile). "
        "With `unread` it was moved on purpose, back as well: `mentions` are those past `seq` and up to `head`.",
        wire.ReadMoved,
        {"room_id": _ROOM, "user_id": _OTHER, "seq": 42},
    ),
    ServerEvent(
        "typing",
        "Another member is typing or stopped; volatile, and not told in rooms of more than 200 members. Drop it "
        "after 6 s without a renewal, or when a message of theirs arrives.",
        wire.TypingChanged,
        {"room_id": _ROOM, "user_id": _OTHER, "on": True},
    ),
    ServerEvent(
        "presence",
        "The presence of a watched user changed.",
        wire.PresenceChanged,
        {"user_id": _OTHER, "state": "offline"},
    ),
    ServerEvent("room.added", "The user is a member of one more room.", wire.RoomAdded, {"room": _SUMMARY}),
    ServerEvent(
        "room.removed",
        "The user is no longer a member; nothing of the room arrives after this.",
        wire.RoomRemoved,
        {"room_id": _ROOM},
    ),
    ServerEvent(
        "auth.expiring",
        "The socket's access token ends in `in` seconds: refresh and send `auth.renew`, or the socket is closed "
        "when it ends.",
        wire.AuthExpiring,
        {"in": 60},
    ),
    ServerEvent(
        "socket.displaced",
        "The user has opened as many newer sockets as one user may have, and the oldest, this one, makes room. The session "
        "goes on. The connection is closed next; stock clients do not come back by themselves then, and should not.",
        wire.SocketDisplaced,
        {"error": {"code": "too_many_sockets", "message": TooManySockets().message, "details": {"limit": 50}}},
    ),
    ServerEvent(
        "session.revoked",
        "The session ended: `logout`, `revoked`, `password_changed`, `token_reused`, `user_disabled` or "
        "`role_changed`. The connection is closed next.",
        wire.SessionClosed,
        {"reason": "logout"},
    ),
)
