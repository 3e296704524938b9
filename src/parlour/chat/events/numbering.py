"""The room log as the source of what live sockets hear: events in frames, by their seq."""

import msgspec

from parlour.chat.events.channels import ROOM_CHANNEL
from parlour.chat.ports import RoomLog
from parlour.platform.ids import RoomId
from parlour.realtime import Namespace


class LogSource:
    """The `Source` of a namespace's numbered rooms: channels of rooms are numbered by seq, others are not."""

    def __init__(self, namespace: Namespace, log: RoomLog) -> None:
        self._namespace = namespace
        self._log = log
        self._encode = msgspec.json.Encoder().encode

    async def last(self, rooms: list[str]) -> dict[str, int]:
        """Return the heads.

        Raises:
            Unavailable: the log is away.
        """
        ids = {RoomId(room.removeprefix(ROOM_CHANNEL)): room for room in rooms if room.startswith(ROOM_CHANNEL)}
        tails = await self._log.tails(ids)
        return {ids[room_id]: tail.seq for room_id, tail in tails.items()}

    async def broadcasts(self, room: str, after: int, upto: int) -> list[bytes]:
        """Return what `Channels.committed` emitted of these events.

        Raises:
            Unavailable: the log is away.
        """
        events = await self._log.events(RoomId(room.removeprefix(ROOM_CHANNEL)), after, upto)
        return [self._namespace.event_frames("event", [msgspec.Raw(self._encode(event))]) for event in events]
