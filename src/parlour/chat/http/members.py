"""The routes of membership: join, leave, members and their roles (DESIGN.md section 4)."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from parlour.chat.http.parameters import ID_LENGTH, AnId, Cursor, MemberPath, RoomPath, cursor_of, place_of
from parlour.chat.http.services import Caller, Chat
from parlour.chat.service.ready import RoomSummary
from parlour.chat.service.room_members import ListedMember
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import UserId
from parlour.platform.permissions import RoomRole

_TAGS = ["members"]


class NewMember(msgspec.Struct):
    """A user to put into the room; `role` is `member` unless given (a guest of the server: `guest`)."""

    user_id: AnId
    role: RoomRole | None = None


class FormerMember(msgspec.Struct):
    """The member to remove."""

    user_id: AnId


class NewRole(msgspec.Struct):
    """What the member shall be in the room."""

    role: RoomRole


class MemberRole(msgspec.Struct):
    """What a member is in the room."""

    user_id: UserId
    role: RoomRole


class MemberPage(msgspec.Struct):
    """Members by user id; `cursor` leads to the next page and is null on the last."""

    members: list[ListedMember]
    cursor: str | None


@post(
    "/rooms/{room_id:str}/join",
    tags=_TAGS,
    operation_id="join_room",
    summary="Join a public room",
    status_code=HTTP_200_OK,
)
async def join_room(*, principal: Caller, chat: Chat, room_id: RoomPath) -> RoomSummary:
    """Joining twice is no error. Who was removed cannot come back like this: `removed_from_room`.

    Errors: `room_not_found` (also for rooms that are not public), `removed_from_room`, `room_full`, `too_many_rooms`.
    """
    return await chat.room_list.one(principal.user_id, await chat.room_members.join(principal, room_id))


@post(
    "/rooms/{room_id:str}/leave",
    tags=_TAGS,
    operation_id="leave_room",
    summary="Leave a room",
    status_code=HTTP_204_NO_CONTENT,
)
async def leave_room(*, principal: Caller, chat: Chat, room_id: RoomPath) -> None:
    """After the last owner, the longest-standing moderator or member owns the room.

    Errors: `room_not_found`, `direct_room`.
    """
    await chat.room_members.leave(principal, room_id)


@get("/rooms/{room_id:str}/members", tags=_TAGS, operation_id="list_members", summary="The members of a room")
async def list_members(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    cursor: Cursor = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 100,
) -> MemberPage:
    """For members: who is in the room, with profiles. Errors: `room_not_found`."""
    place = place_of(cursor, 1)
    members = await chat.room_members.page(principal, room_id, after=place[0] if place else "", limit=limit)
    return MemberPage(members, cursor_of(members[-1].user_id) if len(members) == limit else None)


@post(
    "/rooms/{room_id:str}/members",
    tags=_TAGS,
    operation_id="add_member",
    summary="Put a user into a room",
    status_code=HTTP_201_CREATED,
    responses={
        HTTP_200_OK: ResponseSpec(
            ListedMember, generate_examples=False, description="The user was a member already, and stays what they are."
        )
    },
)
async def add_member(
    *, principal: Caller, chat: Chat, room_id: RoomPath, data: JSONBody[NewMember]
) -> Response[ListedMember]:
    """Members invite; only owners name owners and moderators, and only they and moderators add again whom one of them removed.

    Errors: `room_not_found`, `forbidden`, `removed_from_room`, `unknown_user`, `direct_room`, `room_full`, `too_many_rooms`.
    """
    member, added = await chat.room_members.add(principal, room_id, data.user_id, data.role)
    return Response(member, status_code=HTTP_201_CREATED if added else HTTP_200_OK)


@delete(
    "/rooms/{room_id:str}/members",
    tags=_TAGS,
    operation_id="remove_named_member",
    summary="Remove the member named in the query or body",
)
async def remove_named_member(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    user_id: Annotated[UserId | None, QueryParameter(max_length=ID_LENGTH, description="The member to remove.")] = None,
    data: JSONBody[FormerMember | None] = None,
) -> None:
    """The same as `DELETE …/members/{user_id}`. Errors: `invalid_request` where nobody is named."""
    named = data.user_id if data is not None else user_id
    if named is None:
        raise InvalidRequest("Name the member by `user_id`.", details={"field": "user_id"})
    await chat.room_members.remove(principal, room_id, named)


@delete(
    "/rooms/{room_id:str}/members/{user_id:str}",
    tags=_TAGS,
    operation_id="remove_member",
    summary="Remove a member",
)
async def remove_member(*, principal: Caller, chat: Chat, room_id: RoomPath, user_id: MemberPath) -> None:
    """For moderators; moderators and owners are removed by owners, and oneself by anybody: that is leaving.

    Whom somebody else removed stays out until an owner or moderator adds them again.

    Errors: `room_not_found`, `forbidden`, `member_not_found`, `direct_room`.
    """
    await chat.room_members.remove(principal, room_id, user_id)


@patch(
    "/rooms/{room_id:str}/members/{user_id:str}",
    tags=_TAGS,
    operation_id="set_role",
    summary="Change what a member may do",
)
async def set_role(
    *, principal: Caller, chat: Chat, room_id: RoomPath, user_id: MemberPath, data: JSONBody[NewRole]
) -> MemberRole:
    """For owners. Errors: `room_not_found`, `forbidden`, `member_not_found`, `room_last_owner`, `direct_room`."""
    await chat.room_members.set_role(principal, room_id, user_id, data.role)
    return MemberRole(user_id, data.role)
