"""The routes of what a member keeps of a room: read marker, draft, notification level."""

from typing import Annotated

import msgspec
from litestar import get, put
from litestar.params import JSONBody

from parlour.chat.http.parameters import Millisecond, RoomPath, Seq
from parlour.chat.http.services import Caller, Chat
from parlour.chat.model import MAX_TEXT, NotificationLevel
from parlour.chat.service.drafts import Draft

_TAGS = ["own view of a room"]


class ReadUpTo(msgspec.Struct):
    """The caller has read the room up to `seq`, or with `unread` marks it as unread past `seq`."""

    seq: Seq
    unread: bool = False


class ReadMarker(msgspec.Struct):
    """Where the caller's read marker is."""

    read: int


class DraftText(msgspec.Struct):
    """An unsent text, empty to remove it; `at` (ms UTC) is when it was changed on the device, by default now."""

    text: Annotated[str, msgspec.Meta(max_length=4 * MAX_TEXT)]
    at: Millisecond | None = None


class AllDrafts(msgspec.Struct):
    """The caller's drafts, the one changed last first."""

    drafts: list[Draft]


class Notifications(msgspec.Struct):
    """What of the room is worth a notification: `all`, `mentions` or `none`."""

    level: NotificationLevel


@put("/rooms/{room_id:str}/read", tags=_TAGS, operation_id="mark_read", summary="Move the read marker")
async def mark_read(*, principal: Caller, chat: Chat, room_id: RoomPath, data: JSONBody[ReadUpTo]) -> ReadMarker:
    """At most to the room's head, and back only with `unread`. Errors: `room_not_found`."""
    if data.unread:
        return ReadMarker(await chat.read_markers.mark_unread(principal, room_id, data.seq))
    return ReadMarker(await chat.read_markers.mark(principal, room_id, data.seq))


@get("/drafts", tags=_TAGS, operation_id="list_drafts", summary="All drafts")
async def list_drafts(*, principal: Caller, chat: Chat) -> AllDrafts:
    """Drafts of the rooms that the caller is in, from all devices."""
    return AllDrafts(await chat.drafts.all(principal))


@put("/rooms/{room_id:str}/draft", tags=_TAGS, operation_id="save_draft", summary="Keep a draft")
async def save_draft(*, principal: Caller, chat: Chat, room_id: RoomPath, data: JSONBody[DraftText]) -> Draft:
    """Of two devices the later change wins, whichever arrives first. Errors: `room_not_found`, `invalid_text`."""
    return await chat.drafts.save(principal, room_id, data.text, data.at)


@put(
    "/rooms/{room_id:str}/notifications",
    tags=_TAGS,
    operation_id="set_notifications",
    summary="Set what a room notifies of",
)
async def set_notifications(
    *, principal: Caller, chat: Chat, room_id: RoomPath, data: JSONBody[Notifications]
) -> Notifications:
    """For the caller alone. Errors: `room_not_found`."""
    await chat.drafts.set_level(principal, room_id, data.level)
    return data
