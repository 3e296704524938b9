"""Events of the room log as rows of the outbox, and back."""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from parlour.chat.model import EventType, NewEvent
from parlour.chat.ports import OutboxRow
from parlour.platform.ids import ClientId, RoomId, UserId, uuid7


def told(room_id: RoomId, kind: EventType, by: UserId, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row that has the log told what `by` did."""
    return {
        "id": uuid7(),
        "room_id": room_id,
        "type": kind.value,
        "sender_id": by,
        "data": msgspec.json.encode(data).decode(),
        "set_aside": False,
    }


def outbox_row(row: sa.Row[Any]) -> OutboxRow:
    """Return the event of a row; the row's id is what makes telling it repeatable."""
    event = NewEvent(
        row.room_id, EventType(row.type), UserId(row.sender_id), ClientId(row.id), msgspec.json.decode(row.data)
    )
    return OutboxRow(row.id, event)
