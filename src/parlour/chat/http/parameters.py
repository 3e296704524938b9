"""What the routes of chat have in common: parameters, bounds and cursors."""

import base64
from typing import Annotated

import msgspec
from litestar.params import PathParameter, QueryParameter

from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import ClientId, EventId, RoomId, UserId, uuid4

LARGEST = 2**53 - 1
"""The largest integer that JavaScript holds."""

ID_LENGTH = 36

AnId = Annotated[UserId, msgspec.Meta(max_length=ID_LENGTH)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
Millisecond = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]

RoomPath = Annotated[RoomId, PathParameter(description="The room's id, a UUID.")]
MemberPath = Annotated[UserId, PathParameter(description="The member's user id, a UUID.")]
MessagePath = Annotated[EventId, PathParameter(description="The message's id, a UUID.")]
ClientIdQuery = Annotated[
    ClientId | None,
    QueryParameter(
        name="client_id",
        max_length=ID_LENGTH,
        description="A UUID that makes repeating harmless; without one the server makes it.",
    ),
]
Cursor = Annotated[
    str | None, QueryParameter(name="cursor", max_length=1024, description="The `cursor` of the page before.")
]


def given(client_id: ClientId | None) -> ClientId:
    """Return the caller's `client_id`, or a new one: such a command is new each time it is sent."""
    return ClientId(uuid4()) if client_id is None else client_id


def cursor_of(*place: str) -> str:
    """Return an opaque cursor for a place in a list."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def place_of(cursor: str | None, size: int) -> tuple[str, ...] | None:
    """Return the place of a cursor, which has `size` parts.

    Raises:
        InvalidRequest: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        place = msgspec.json.decode(raw, type=tuple[str, ...])
    except ValueError as error:
        raise InvalidRequest("Not a cursor.", details={"field": "cursor"}) from error
    if len(place) != size or any("\0" in part for part in place):
        raise InvalidRequest("Not a cursor.", details={"field": "cursor"})
    return place
