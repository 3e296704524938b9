"""What the video service asks chat over HTTP: who is in which room."""

from typing import Annotated, Final

import msgspec

from parlour.chat.model import Member, Membership, Room
from parlour.platform.ids import RoomId, UserId

MEMBERSHIPS_PATH: Final = "/internal/chat/memberships"
MEMBERS_PATH: Final = "/internal/chat/members"
ROOM_PATH: Final = "/internal/chat/room"

MOST_USERS: Final = 100
"""Users in one question."""

MOST_MEMBERSHIPS: Final = 2_000
"""Memberships in one answer: 5 MB where each room has the longest name and topic."""

MOST_MEMBERS: Final = 1_000
"""Members in one answer."""

_AnyUser = Annotated[UserId, msgspec.Meta(max_length=64)]
_AnyRoom = Annotated[RoomId, msgspec.Meta(max_length=64)]


class MembershipsWanted(msgspec.Struct):
    """Whose memberships are wanted: of the first user those after the first `after`, of the others all."""

    user_ids: Annotated[list[_AnyUser], msgspec.Meta(max_length=MOST_USERS)]
    after: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class MembershipsOf(msgspec.Struct):
    """The memberships of the users asked about, in their order, or of as many of them as one answer takes; `more` of the last one."""

    users: list[list[Membership]]
    more: bool = False


class MembersWanted(msgspec.Struct):
    """A page of a room's members by user id, those after `after`."""

    room_id: _AnyRoom
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_MEMBERS)]
    after: Annotated[str, msgspec.Meta(max_length=64)] = ""


class MembersOf(msgspec.Struct):
    """Up to `limit` members."""

    members: list[Member]


class RoomWanted(msgspec.Struct):
    """Which room is wanted."""

    room_id: _AnyRoom


class RoomFound(msgspec.Struct):
    """The room, null where there is none."""

    room: Room | None
