"""Every Socket.IO event of calls with its shapes, errors and an example: the source of docs/reference/events.md."""

from parlour.events.answers import Done
from parlour.events.catalogue import ClientEvent, Errors, ServerEvent
from parlour.platform.errors import Forbidden, RoomNotFound
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
from parlour.video.events import payloads as wire

_ROOM = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_CALL = "01983b22-7d10-7f3a-9c4e-5a1b2c3d4e5f"
_ANN = "01983b1c-0d3f-7a52-8f5e-1b0f6f0a8d11"
_BOB = "01983b1c-2f61-7c1e-9a40-3f6f2f9f4c02"
_FIRST = "01983b22-7d11-7001-8a2b-3c4d5e6f7a8b"
_SECOND = "01983b22-9e20-7002-b1c2-d3e4f5a6b7c8"
_AT = 1_764_018_000_000

_ENTRY: Errors = (Forbidden, AlreadyInCall, CallFull, RemovedFromCall)
_TAKING_PART: Errors = (CallNotFound, NotInCall)

_CALL_VIEW = {
    "id": _CALL,
    "room_id": _ROOM,
    "state": "active",
    "mode": "p2p",
    "media": "video",
    "started_by": _ANN,
    "started_at": _AT,
    "answered_at": _AT + 4_000,
}
_RINGING_VIEW = {**_CALL_VIEW, "state": "ringing", "answered_at": None}
_CALLER = {
    "id": _FIRST,
    "user_id": _ANN,
    "state": "connected",
    "joined_at": _AT,
    "audio": True,
    "video": True,
    "screen": False,
}
_CALLEE = {**_CALLER, "id": _SECOND, "user_id": _BOB, "joined_at": _AT + 4_000}
_ICE = [
    {"urls": ["stun:turn.example.org:3478"]},
    {
        "urls": ["turn:turn.example.org:3478?transport=udp"],
        "username": f"1764018900:{_ANN}",
        "credential": "Zm9yIHRoZSBleGFtcGxlIG9ubHk=",
    },
]
_DONE = {"ok": True}
_COMMAND = {"call_id": _CALL}
_DESCRIPTION = {"type": "offer", "sdp": "v=0\r\n…"}

CLIENT_EVENTS: tuple[ClientEvent, ...] = (
    ClientEvent(
        "call.start",
        "Call the other members of a room; this socket takes part from then on. In a direct room the other member's devices ring, "
        "in other rooms everybody's who is in no other call; a room with more than `PARLOUR_CALL_RING_MEMBERS` others rings nobody. "
        "Where the room has a call already, this joins it: of two who start at once both end up in the first's call. Whether it is "
        "answered, declined, missed or `busy` is told by `call.participant.joined` and `call.ended`.",
        wire.CallStart,
        wire.CallJoined,
        (RoomNotFound, *_ENTRY, NobodyToCall, TooManyCalls),
        {"room_id": _ROOM, "media": "video"},
        {
            "ok": True,
            "call": _RINGING_VIEW,
            "participant_id": _FIRST,
            "mode": "p2p",
            "ice_servers": _ICE,
            "participants": [_CALLER],
        },
    ),
    ClientEvent(
        "call.join",
        "Take part: answer a call that rings or join one that goes on. After a lost connection send it with the `participant_id` "
        "that you had, within `PARLOUR_CALL_GRACE_SECONDS` (15 s): you go on as the same participant and the peer connection as it "
        "is; where that one is gone you get a new id, and `call_not_found` where the call is over. Without `participant_id`, a user "
        "who takes part by another socket moves here, as a new participant. Repeated by the same socket it changes nothing and "
        "brings fresh TURN credentials, which an ICE restart needs.",
        wire.CallJoin,
        wire.CallJoined,
        (CallNotFound, *_ENTRY),
        _COMMAND,
        {
            "ok": True,
            "call": _CALL_VIEW,
            "participant_id": _SECOND,
            "mode": "p2p",
            "ice_servers": _ICE,
            "participants": [_CALLER, _CALLEE],
        },
    ),
    ClientEvent(
        "call.signal",
        "Hand a description (at most 65,536 characters) or a candidate (at most 4,096), one of the two, to another participant: "
        "relayed to that one alone, in the order sent, and not kept. In perfect negotiation the one whose participant id is "
        "greater, who joined later, is the polite one.",
        wire.CallSignal,
        Done,
        (*_TAKING_PART, ParticipantNotFound, ParticipantAway),
        {"call_id": _CALL, "to": _SECOND, "description": _DESCRIPTION},
        _DONE,
    ),
    ClientEvent(
        "call.leave",
        "Hang up. A caller whom nobody answered yet cancels the call by it; a call of a direct room ends with the first who hangs "
        "up, others with the last, or 15 s after one is left alone. For this socket alone; having left already is no error.",
        wire.CallCommand,
        Done,
        (),
        _COMMAND,
        _DONE,
    ),
    ClientEvent(
        "call.decline",
        "Stop the call's ringing at all of one's devices. When everybody who was rung has declined, the call ends.",
        wire.CallCommand,
        Done,
        (CallNotFound,),
        _COMMAND,
        _DONE,
    ),
    ClientEvent(
        "call.mute",
        "Tell the others what one sends from now on: `false` is muted, `true` is sent; what is left out stays. Everybody begins with "
        "sound, and with pictures where the call's `media` is `video`.",
        wire.CallMute,
        Done,
        _TAKING_PART,
        {"call_id": _CALL, "audio": False},
        _DONE,
    ),
    ClientEvent(
        "call.kick",
        "As a moderator or owner of the room, take a participant out of the call; its user cannot join this call again.",
        wire.CallKick,
        Done,
        (CallNotFound, Forbidden, ParticipantNotFound),
        {"call_id": _CALL, "participant_id": _SECOND},
        _DONE,
    ),
)

SERVER_EVENTS: tuple[ServerEvent, ...] = (
    ServerEvent(
        "call.ringing",
        "The user is called: to all of their devices, and to one that connects while it rings (it may get this twice). Ring until "
        "`call.ringing.stopped` or `call.ended` names the call, or until this device joins it by `call.join` or by its own "
        "`call.start`. Drop at `ready` what rang before: what still rings is told again after it.",
        wire.CallRinging,
        {"call": _RINGING_VIEW},
    ),
    ServerEvent(
        "call.ringing.stopped",
        "Stop ringing: the user answered or declined on another device (`answered_elsewhere`, `declined_elsewhere`; not sent to that "
        "device), others answered and no place is left (`answered`), or the user is in the room no more (`removed`).",
        wire.CallRingingStopped,
        {"call_id": _CALL, "room_id": _ROOM, "reason": "answered_elsewhere"},
    ),
    ServerEvent(
        "call.participant.joined",
        "Somebody takes part; to the other participants.",
        wire.ParticipantChanged,
        {"call_id": _CALL, "participant": _CALLEE},
    ),
    ServerEvent(
        "call.participant.updated",
        "A participant sends something else now, lost its connection (`reconnecting`) or is back (`connected`).",
        wire.ParticipantChanged,
        {"call_id": _CALL, "participant": {**_CALLEE, "state": "reconnecting"}},
    ),
    ServerEvent(
        "call.participant.left",
        "A participant is in the call no more: `left`, `lost` (its connection, for too long), `moved` (its user joined by another "
        "socket), `kicked`, `removed` (from the room) or `revoked` (its session). To the others, and to its own socket unless it "
        "left by itself.",
        wire.ParticipantLeft,
        {"call_id": _CALL, "participant_id": _SECOND, "user_id": _BOB, "reason": "left"},
    ),
    ServerEvent(
        "call.signal",
        "What the participant `from` sent to this one by `call.signal`.",
        wire.CallSignalled,
        {"call_id": _CALL, "from": _FIRST, "description": _DESCRIPTION},
    ),
    ServerEvent(
        "call.ended",
        "The call is over, to who took part till the end and to the devices that ring: `hangup`, `lost` (connections), `declined`, "
        "`busy` (who was called is in another call), `missed` (nobody answered in time) or `cancelled` (by the caller). `duration_ms` "
        "counts from the answer, `missed` says that it was neither answered nor declined. The log of the room has the same.",
        wire.CallEnded,
        {"call_id": _CALL, "room_id": _ROOM, "reason": "hangup", "duration_ms": 180_000, "missed": False},
    ),
)
