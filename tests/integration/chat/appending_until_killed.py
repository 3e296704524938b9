"""A process that appends to a room log for ever and tells of every acknowledgement on its standard output."""

import asyncio
import sys
from pathlib import Path

from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.model import EventType, NewEvent
from parlour.platform.clock import SystemClock
from parlour.platform.ids import ClientId, RoomId, UserId, uuid4

ROOMS = [RoomId(f"00000000-0000-4000-8000-{number:012x}") for number in range(3)]
USER = UserId("01980000-0000-7000-8000-000000000001")


async def main(path: Path) -> None:
    log = await SqliteRoomLog.open(path, SystemClock())

    async def append(room: RoomId) -> None:
        event_id = None
        while True:
            batch = [
                NewEvent(room, EventType.MESSAGE_CREATED, USER, ClientId(uuid4()), {"text": "some words to index"})
                for _ in range(3)
            ]
            if event_id is not None:
                change = {"message_id": event_id, "text": "other words"}
                batch.append(NewEvent(room, EventType.MESSAGE_EDITED, USER, ClientId(uuid4()), change))
            answers = await log.append(batch)
            event_id = answers[0].event.id
            for answer in answers:
                sys.stdout.write(f"{room} {answer.event.seq} {answer.event.client_id}\n")
            sys.stdout.flush()

    await asyncio.gather(*(append(room) for room in ROOMS))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
