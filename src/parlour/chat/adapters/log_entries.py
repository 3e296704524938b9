"""What every room log does in the same way, whatever its engine keeps: ids in bytes, commands checked, mentions, pages. Pure."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from parlour.chat.model import MAX_PINS, Message
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import is_uuid

T = TypeVar("T")

WHOLE_ROOM = b""
"""Who is mentioned where everybody is."""


def packed(identifier: str) -> bytes:
    """Return a UUID's 16 bytes.

    Raises:
        InvalidRequest: it is no canonical UUID.
    """
    if not is_uuid(identifier):
        raise InvalidRequest("an id is not a UUID in its canonical form")
    return bytes.fromhex(identifier.replace("-", ""))


def unhex(digits: str) -> str:
    """Return the UUID of 32 hexadecimal digits."""
    text = digits.lower()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def data_json(data: dict[str, Any]) -> str:
    """Return an event's `data` as the JSON that is stored.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        return msgspec.json.encode(data).decode()
    except (TypeError, ValueError) as error:  # a lone surrogate, or a value that JSON has not
        raise InvalidRequest("an event's data must be JSON") from error


def mentioned(message: Message) -> set[bytes]:
    """Return who counts as mentioned: nobody by themselves, and `WHOLE_ROOM` says it for everybody in it."""
    if message.mentions_room:
        return {WHOLE_ROOM}
    return {packed(user) for user in message.mentions if user != message.sender_id and is_uuid(user)}


def centred(newer: Sequence[T], older: Sequence[T], limit: int) -> list[T]:
    """Return `limit` of what was found past and up to a place, newest first; what one side lacks the other fills.

    Both have up to `limit` entries, newest first, those nearest to the place.
    """
    wanted = max((limit - 1) // 2, limit - len(older))
    kept = newer[max(0, len(newer) - wanted) :]
    return [*kept, *older[: limit - len(kept)]]


def latest_pins(messages: Sequence[Message]) -> list[Message]:
    """Return pinned messages, the latest pin first, at most `MAX_PINS`."""
    return sorted(messages, key=lambda each: (each.pinned_at or 0, each.version), reverse=True)[:MAX_PINS]
