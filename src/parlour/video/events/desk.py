"""What can be asked of calls, by name, with a checked payload: by sockets, and by routes that look something up."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import msgspec

from parlour.events.answers import DONE, Done
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import RoomId
from parlour.platform.tokens import Principal
from parlour.video.events import payloads as wire
from parlour.video.model import Call
from parlour.video.service.calls import Calls, Joined

OF_ROOM: Final = "calls.of_room"
MINE: Final = "calls.mine"


class OfRoom(msgspec.Struct):
    """Which call a room has."""

    room_id: RoomId


class Mine(msgspec.Struct):
    """Which calls the caller's rooms have."""


class CallsFound(msgspec.Struct):
    """Calls as they are at the moment."""

    calls: list[Call]


class Asker(NamedTuple):
    """Who asks, and by which socket; "" is none."""

    principal: Principal
    socket_id: str = ""


async def _start(calls: Calls, asker: Asker, payload: wire.CallStart) -> wire.CallJoined:
    return _joined(await calls.start(*asker, payload.room_id, payload.media))


async def _join(calls: Calls, asker: Asker, payload: wire.CallJoin) -> wire.CallJoined:
    return _joined(await calls.join(*asker, payload.call_id, payload.participant_id))


def _joined(joined: Joined) -> wire.CallJoined:
    call = joined.call
    return wire.CallJoined(
        call=wire.call_view(call),
        participant_id=joined.participant.id,
        mode=call.mode,
        ice_servers=joined.ice_servers,
        participants=[wire.participant_view(each) for each in call.participants.values()],
    )


async def _signal(calls: Calls, asker: Asker, payload: wire.CallSignal) -> Done:
    description, candidate = payload.description, payload.candidate
    if (description is None) == (candidate is None):
        raise InvalidRequest("Send either a description or a candidate.", details={"field": "description"})
    await calls.signal(*asker, payload.call_id, payload.to, description=description, candidate=candidate)
    return DONE


async def _leave(calls: Calls, asker: Asker, payload: wire.CallCommand) -> Done:
    await calls.leave(*asker, payload.call_id)
    return DONE


async def _decline(calls: Calls, asker: Asker, payload: wire.CallCommand) -> Done:
    await calls.decline(*asker, payload.call_id)
    return DONE


async def _mute(calls: Calls, asker: Asker, payload: wire.CallMute) -> Done:
    await calls.mute(*asker, payload.call_id, audio=payload.audio, video=payload.video, screen=payload.screen)
    return DONE


async def _kick(calls: Calls, asker: Asker, payload: wire.CallKick) -> Done:
    await calls.kick(asker.principal, payload.call_id, payload.participant_id)
    return DONE


async def _of_room(calls: Calls, asker: Asker, payload: OfRoom) -> CallsFound:
    call = await calls.of_room(asker.principal, payload.room_id)
    return CallsFound([] if call is None else [call])


async def _mine(calls: Calls, asker: Asker, _payload: Mine) -> CallsFound:
    return CallsFound(await calls.mine(asker.principal))


_Do = Callable[[Calls, Asker, Any], Awaitable[msgspec.Struct]]

EVENTS: Final[dict[str, tuple[type[msgspec.Struct], _Do]]] = {
    "call.start": (wire.CallStart, _start),
    "call.join": (wire.CallJoin, _join),
    "call.signal": (wire.CallSignal, _signal),
    "call.leave": (wire.CallCommand, _leave),
    "call.decline": (wire.CallCommand, _decline),
    "call.mute": (wire.CallMute, _mute),
    "call.kick": (wire.CallKick, _kick),
}
"""What sockets ask: the shape of its payload, and what is done."""

_LOOK_UPS: Final[dict[str, tuple[type[msgspec.Struct], _Do]]] = {OF_ROOM: (OfRoom, _of_room), MINE: (Mine, _mine)}


async def do(calls: Calls, name: str, asker: Asker, payload: msgspec.Struct) -> msgspec.Struct:
    """Do what is asked by `name`, with a payload of its shape, and return what is acknowledged; raises as the use cases do."""
    _, work = EVENTS.get(name) or _LOOK_UPS[name]
    return await work(calls, asker, payload)


def payload_of(name: str, encoded: bytes) -> msgspec.Struct:
    """Return the payload that another node put into JSON.

    Raises:
        InvalidRequest: there is no such name, as where that node runs another version, or the payload has another shape.
    """
    known = EVENTS.get(name) or _LOOK_UPS.get(name)
    if known is None:
        raise InvalidRequest(f"{name[:64]} is not known here.")
    try:
        return msgspec.json.decode(encoded, type=known[0])
    except msgspec.DecodeError as error:
        raise InvalidRequest(str(error)) from error
