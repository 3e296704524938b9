"""What the video service asks of chat over HTTP: who is in which room, as the store has it now."""

from litestar import Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, SkipValidation

from parlour.chat.model import Membership
from parlour.chat.ports import MembershipSource
from parlour.chat.questions import (
    MEMBERS_PATH,
    MEMBERSHIPS_PATH,
    MOST_MEMBERSHIPS,
    ROOM_PATH,
    MembershipsOf,
    MembershipsWanted,
    MembersOf,
    MembersWanted,
    RoomFound,
    RoomWanted,
)
from parlour.platform.ids import is_uuid
from parlour.platform.services import service_router

NAME = "chat"

Source = NamedDependency[SkipValidation[MembershipSource]]


@post(MEMBERSHIPS_PATH.removeprefix(f"/internal/{NAME}"), status_code=200)
async def memberships(*, source: Source, data: JSONBody[MembershipsWanted]) -> MembershipsOf:
    """Begin at the place in the first user's that the answer before ended at; what changes meanwhile is told on the bus."""
    found = await source.memberships({user_id for user_id in data.user_ids if is_uuid(user_id)})
    users: list[list[Membership]] = []
    left, begin = MOST_MEMBERSHIPS, data.after
    for user_id in data.user_ids:
        if left == 0:
            break
        rooms = found.get(user_id, [])[begin:]
        users.append(rooms[:left])
        if len(rooms) > left:
            return MembershipsOf(users, more=True)
        left, begin = left - len(rooms), 0
    return MembershipsOf(users)


@post(MEMBERS_PATH.removeprefix(f"/internal/{NAME}"), status_code=200)
async def members(*, source: Source, data: JSONBody[MembersWanted]) -> MembersOf:
    """A room that does not exist has none."""
    if not is_uuid(data.room_id) or "\0" in data.after:  # which PostgreSQL does not take
        return MembersOf([])
    return MembersOf(await source.members(data.room_id, after=data.after, limit=data.limit))


@post(ROOM_PATH.removeprefix(f"/internal/{NAME}"), status_code=200)
async def room(*, source: Source, data: JSONBody[RoomWanted]) -> RoomFound:
    """The name, topic and kind of a room."""
    return RoomFound(await source.room(data.room_id) if is_uuid(data.room_id) else None)


def router(source: MembershipSource, secret: str) -> Router:
    """Return the routes, for who has the `secret` of services; `source` is the store itself and no cache."""
    return service_router(
        NAME, secret, [memberships, members, room], {"source": Provide(lambda: source, sync_to_thread=False)}
    )
