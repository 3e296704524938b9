"""The routes of rooms: list, create, browse, look at, change (DESIGN.md section 4)."""

from typing import Annotated

import msgspec
from litestar import Response, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from parlour.chat.http.parameters import AnId, Cursor, RoomPath, cursor_of, place_of
from parlour.chat.http.services import Caller, Chat, ChatServices
from parlour.chat.model import MAX_TOPIC, Membership, NotificationLevel, Room, RoomKind
from parlour.chat.service.ready import RoomSummary
from parlour.chat.service.rooms import MAX_FIRST_MEMBERS, MAX_QUERY
from parlour.platform.contracts import Profile
from parlour.platform.ids import RoomId, UserId
from parlour.platform.tokens import Principal

_TAGS = ["rooms"]

Name = Annotated[str, msgspec.Meta(max_length=320)]
Topic = Annotated[str, msgspec.Meta(max_length=4 * MAX_TOPIC)]


class NewRoom(msgspec.Struct):
    """A room to be created.

    `name`: 1 to 80 characters; a direct room has none, whatever is given. `topic`: at most 500. `members`: user ids besides
    the caller's; of a direct room the one other, or none for one's own notes.
    """

    kind: RoomKind
    name: Name = ""
    topic: Topic = ""
    members: Annotated[list[AnId], msgspec.Meta(max_length=MAX_FIRST_MEMBERS + 1)] = []


class RoomChanges(msgspec.Struct):
    """What is to change; `kind` is `public` or `private`."""

    name: Name | None = None
    topic: Topic | None = None
    kind: RoomKind | None = None


class RoomCard(msgspec.Struct):
    """A room as anybody who may see it does. Times in ms UTC."""

    id: RoomId
    name: str
    kind: RoomKind
    topic: str
    created_by: UserId
    created_at: int
    member_count: int


class RoomDetails(RoomCard, omit_defaults=True, kw_only=True):
    """A room; what follows `member_count` is the caller's own view of it, and absent for who is not a member.

    `head` is the seq of the last event, `read` the caller's marker, `unread` what lies between, `mentions` the messages past
    the marker that mention the caller or the room; `peer` is the other member of a direct room.
    """

    role: str | None = None
    notify: NotificationLevel | None = None
    joined_at: int | None = None
    head: int | None = None
    read: int | None = None
    unread: int | None = None
    mentions: int | None = None
    peer: Profile | None = None


class BrowsedRoom(RoomCard):
    """A public room, and whether the caller is in it."""

    joined: bool


class OwnRooms(msgspec.Struct):
    """The caller's rooms, the first joined first."""

    rooms: list[RoomSummary]


class PublicRooms(msgspec.Struct):
    """Public rooms by name; `cursor` leads to the next page and is null on the last."""

    rooms: list[BrowsedRoom]
    cursor: str | None


@get("/rooms", tags=_TAGS, operation_id="list_rooms", summary="The rooms that the caller is in")
async def list_rooms(*, principal: Caller, chat: Chat) -> OwnRooms:
    """Every room of the caller with its head and counts, as in the event `ready`."""
    return OwnRooms(await chat.room_list.of(principal))


@post(
    "/rooms",
    tags=_TAGS,
    operation_id="create_room",
    summary="Create a room",
    status_code=HTTP_201_CREATED,
    responses={
        HTTP_200_OK: ResponseSpec(
            RoomDetails, generate_examples=False, description="The direct room that these two have already."
        )
    },
)
async def create_room(*, principal: Caller, chat: Chat, data: JSONBody[NewRoom]) -> Response[RoomDetails]:
    """The caller owns the room; two people have one direct room, which nobody owns.

    Errors: `invalid_name`, `unknown_user`, `too_many_rooms`, `forbidden`.
    """
    mine, created = await chat.rooms.create(principal, data.kind, data.name, data.topic, data.members)
    details = await _seen(chat, principal, mine.room, mine, await chat.rooms.count(mine.room.id))
    return Response(details, status_code=HTTP_201_CREATED if created else HTTP_200_OK)


@get("/rooms/public", tags=_TAGS, operation_id="browse_rooms", summary="Public rooms")
async def browse_rooms(
    *,
    principal: Caller,
    chat: Chat,
    q: Annotated[
        str, QueryParameter(max_length=4 * MAX_QUERY, description="Part of the name or topic, in any case.")
    ] = "",
    cursor: Cursor = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
) -> PublicRooms:
    """Rooms that anybody may join, by name; guests of the server see none (`forbidden`)."""
    place = place_of(cursor, 2)
    found = await chat.rooms.browse(principal, q, None if place is None else (place[0], place[1]), limit)
    cards = [BrowsedRoom(*_card(each.room, each.member_count), each.joined) for each in found]
    last = cards[-1] if len(cards) == limit else None
    return PublicRooms(cards, cursor_of(last.name, last.id) if last else None)


@get("/rooms/{room_id:str}", tags=_TAGS, operation_id="get_room", summary="One room")
async def get_room(*, principal: Caller, chat: Chat, room_id: RoomPath) -> RoomDetails:
    """A room that the caller is in, or a public one; any other does not exist: `room_not_found`."""
    room, mine, size = await chat.rooms.get(principal, room_id)
    return await _seen(chat, principal, room, mine, size)


@patch("/rooms/{room_id:str}", tags=_TAGS, operation_id="update_room", summary="Change a room")
async def update_room(*, principal: Caller, chat: Chat, room_id: RoomPath, data: JSONBody[RoomChanges]) -> RoomDetails:
    """For the room's owners and moderators. Making a private room public opens its history to everybody too.

    Errors: `room_not_found`, `forbidden`, `direct_room`, `invalid_name`.
    """
    mine = await chat.rooms.update(principal, room_id, name=data.name, topic=data.topic, kind=data.kind)
    return await _seen(chat, principal, mine.room, mine, await chat.rooms.count(room_id))


def _card(room: Room, member_count: int) -> tuple[RoomId, str, RoomKind, str, UserId, int, int]:
    return room.id, room.name, room.kind, room.topic, room.created_by, room.created_at, member_count


async def _seen(
    chat: ChatServices, principal: Principal, room: Room, mine: Membership | None, member_count: int
) -> RoomDetails:
    details = RoomDetails(*_card(room, member_count))
    if mine is not None:
        summary = await chat.room_list.one(principal.user_id, mine)
        details.role, details.notify, details.joined_at = summary.role, summary.notify, summary.joined_at
        details.head, details.read, details.unread = summary.head, summary.read, summary.unread
        details.mentions, details.peer = summary.mentions, summary.peer
    return details
