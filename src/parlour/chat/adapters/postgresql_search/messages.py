"""Messages as they are now, read from the room log: the fold of all that happened to them."""

import asyncio
from collections.abc import Sequence

from parlour.chat.adapters.fulltext.words import has_link
from parlour.chat.model import Message
from parlour.chat.ports import RoomLog
from parlour.platform.ids import EventId, RoomId

AT_A_TIME = 16
"""Messages that are read beside each other."""


async def read(
    log: RoomLog, wanted: Sequence[tuple[RoomId, EventId]], *, reactors: bool = True
) -> list[Message | None]:
    """Return messages in the order wanted, None for those that are not there; as `RoomLog.message`."""
    found: list[Message | None] = []
    for start in range(0, len(wanted), AT_A_TIME):
        some = wanted[start : start + AT_A_TIME]
        found += await asyncio.gather(*(log.message(*each, reactors=reactors) for each in some))
    return found


def features(message: Message) -> dict[str, bool]:
    """Return what a message has, by what `SearchQuery.has` may be."""
    return {
        "link": has_link(message.text),
        "mention": bool(message.mentions or message.mentions_room),
        "reaction": bool(message.reactions),
        "pin": message.pinned_at is not None,
    }
