"""Calls over HTTP: which ones there are (DESIGN.md section 4)."""

from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import PathParameter, SkipValidation

from parlour.platform.ids import RoomId
from parlour.platform.tokens import Principal
from parlour.video.events.carried import Carried
from parlour.video.events.desk import MINE, OF_ROOM, Asker, CallsFound, Mine, OfRoom
from parlour.video.events.payloads import CallView, ParticipantView, call_view, participant_view
from parlour.video.model import Call

_TAGS = ["calls"]

Caller = NamedDependency[SkipValidation[Principal]]
Video = NamedDependency[SkipValidation[Carried]]
RoomPath = Annotated[RoomId, PathParameter(description="The room's id, a UUID.")]


class RoomCall(msgspec.Struct):
    """The call of a room with who takes part, null where there is none."""

    call: CallView | None
    participants: list[ParticipantView]


class CallInRoom(msgspec.Struct):
    """A call, and who takes part in the order of joining."""

    call: CallView
    participants: list[ParticipantView]


class OwnCalls(msgspec.Struct):
    """The calls of the caller's rooms, the oldest first."""

    calls: list[CallInRoom]


@get("/rooms/{room_id:str}/call", tags=_TAGS, operation_id="get_room_call", summary="The call of a room")
async def get_room_call(*, principal: Caller, video: Video, room_id: RoomPath) -> RoomCall:
    """The call that goes on or rings in a room that the caller is in. Errors: `room_not_found`."""
    for call in await _ask(video, OF_ROOM, principal, OfRoom(room_id)):
        return RoomCall(call_view(call), _participants(call))
    return RoomCall(None, [])


@get("/calls", tags=_TAGS, operation_id="list_calls", summary="The calls of the caller's rooms")
async def list_calls(*, principal: Caller, video: Video) -> OwnCalls:
    """Every call that goes on or rings in a room that the caller is in."""
    calls = await _ask(video, MINE, principal, Mine())
    return OwnCalls([CallInRoom(call_view(call), _participants(call)) for call in calls])


def router(carried: Carried) -> Router:
    """Return the routes of calls under /api; every one needs a caller."""

    def video(principal: Caller) -> Carried:  # it asks for the caller so that the two are resolved one after the other
        return carried

    return Router(
        "/api",
        route_handlers=[get_room_call, list_calls],
        dependencies={"video": Provide(video, sync_to_thread=False)},
    )


async def _ask(carried: Carried, name: str, principal: Principal, payload: msgspec.Struct) -> list[Call]:
    answer = await carried.ask(name, Asker(principal), payload)
    if isinstance(answer, CallsFound):
        return answer.calls
    return msgspec.json.decode(msgspec.json.encode(answer), type=CallsFound).calls  # of another node


def _participants(call: Call) -> list[ParticipantView]:
    return [participant_view(each) for each in call.participants.values()]
