"""Calls over HTTP: which ones there are (DESIGN.md section 4)."""

from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import PathParameter, SkipValidation

from parlour.platform.ids import RoomId
from parlour.platform.tokens import Principal
from parlour.video.events.payloads import CallView, ParticipantView, call_view, participant_view
from parlour.video.model import Call
from parlour.video.service.calls import Calls

_TAGS = ["calls"]

Caller = NamedDependency[SkipValidation[Principal]]
Video = NamedDependency[SkipValidation[Calls]]
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
    call = await video.of_room(principal, room_id)
    return RoomCall(call_view(call), _participants(call)) if call is not None else RoomCall(None, [])


@get("/calls", tags=_TAGS, operation_id="list_calls", summary="The calls of the caller's rooms")
async def list_calls(*, principal: Caller, video: Video) -> OwnCalls:
    """Every call that goes on or rings in a room that the caller is in."""
    return OwnCalls([CallInRoom(call_view(call), _participants(call)) for call in await video.mine(principal)])


def router(calls: Calls) -> Router:
    """Return the routes of calls under /api; every one needs a caller."""

    def video(principal: Caller) -> Calls:  # it asks for the caller so that the two are resolved one after the other
        return calls

    return Router(
        "/api",
        route_handlers=[get_room_call, list_calls],
        dependencies={"video": Provide(video, sync_to_thread=False)},
    )


def _participants(call: Call) -> list[ParticipantView]:
    return [participant_view(each) for each in call.participants.values()]
