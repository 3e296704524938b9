"""Rooms and memberships as rows, and back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from parlour.chat.adapters.tables import members, rooms
from parlour.chat.model import Membership, NotificationLevel, Room, RoomKind
from parlour.platform.ids import UserId

ROOM = (rooms.c.id, rooms.c.name, rooms.c.kind, rooms.c.created_by, rooms.c.created_at, rooms.c.topic)
MEMBERSHIP = (
    *ROOM,
    rooms.c.direct_key,
    members.c.role,
    members.c.joined_at,
    members.c.read_seq,
    members.c.notify,
    members.c.invited,
)
JOINED_MEMBERSHIP = members.join(rooms, members.c.room_id == rooms.c.id)


def room_of(row: Sequence[Any]) -> Room:
    """Return the room of a row that begins with `ROOM`."""
    id_, name, kind, created_by, created_at, topic = row[:6]
    return Room(id_, name, RoomKind(kind), created_by, created_at, topic)


def membership_of(user_id: UserId, row: Sequence[Any]) -> Membership:
    """Return the membership of a row of `MEMBERSHIP`."""
    key, role, joined_at, read, notify, invited = row[6:]
    peer = None if key is None else _other(key, user_id)
    return Membership(room_of(row), role, joined_at, read, NotificationLevel(notify), peer, invited)


def room_row(room: Room, key: str | None, member_count: int) -> dict[str, Any]:
    """Return the row of a new room; `key` is that of a direct one."""
    return {
        "member_count": member_count,
        "id": room.id,
        "created_by": room.created_by,
        "created_at": room.created_at,
        "direct_key": key,
        **text_row({"name": room.name, "topic": room.topic, "kind": room.kind.value}),
    }


def text_row(changes: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of a room's texts, with the folded ones by which it is found."""
    folded = {f"{field}_key": changes[field].casefold() for field in ("name", "topic") if field in changes}
    return {**changes, **folded}


def direct_key(user_ids: Iterable[UserId]) -> str:
    """Return what a direct room of these members is unique by; a room for oneself has one id."""
    return ":".join(sorted(user_ids))


def _other(key: str, user_id: UserId) -> UserId | None:
    return next((UserId(each) for each in key.split(":") if each != user_id), None)
