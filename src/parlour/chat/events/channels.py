"""What chat tells live sockets, and over which channels (rooms of the realtime engine)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from parlour.chat.events.payloads import (
    PresenceChanged,
    ReadMoved,
    RoomAdded,
    RoomRemoved,
    TypingChanged,
    Unread,
)
from parlour.chat.model import RoomEvent
from parlour.chat.service.ready import RoomSummary
from parlour.platform.ids import RoomId, SessionId, UserId
from parlour.realtime import Namespace

ROOM_CHANNEL: Final = "room:"
"""What the channels of rooms begin with."""


def room_channel(room_id: RoomId) -> str:
    """Return the channel of a room's members."""
    return ROOM_CHANNEL + room_id


def user_channel(user_id: UserId) -> str:
    """Return the channel of a user's sockets."""
    return "user:" + user_id


def session_channel(session_id: SessionId) -> str:
    """Return the channel of a session's sockets: the tabs of one browser."""
    return "session:" + session_id


def presence_channel(user_id: UserId) -> str:
    """Return the channel of those who watch a user."""
    return "presence:" + user_id


class Channels:
    """Emits to channels; the `Fanout` of this process, and where the use cases tell what happened.

    A change of membership is told by each node to its own sockets, when it hears of the change; everything else goes to all nodes.

    Nothing that tells waits or raises. An event of the log goes to every socket of its room's members, the one that sent it
    included, so that a client has one path for all events; it is encoded once. What stands beside the log (typing,
    others' read markers) is volatile.
    """

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._encode = msgspec.json.Encoder().encode

    def committed(self, events: Sequence[RoomEvent], received: Sequence[float]) -> None:
        """Send each event to the sockets of its room, in order."""
        for event, at in zip(events, received, strict=True):
            channel = self._namespace.to(room_channel(event.room_id)).numbered(event.seq)
            if at:
                channel = channel.since(at)
            channel.emit("event", msgspec.Raw(self._encode(event)))

    def audience(self, room_id: RoomId) -> int:
        """Return how many sockets of this node an event of a room goes to."""
        return len(self._namespace.rooms.get(room_channel(room_id), ()))

    def typing(self, room_id: RoomId, user_id: UserId, on: bool) -> None:
        """Tell a room, but not the user's own sockets, that a member began or stopped typing."""
        others = self._namespace.to(room_channel(room_id)).except_(user_channel(user_id))
        others.volatile.emit("typing", TypingChanged(room_id, user_id, on))

    def read(self, room_id: RoomId, user_id: UserId, seq: int, small: bool, origin: str | None) -> None:
        """Tell the user's other sockets, and a small room, how far a member has read; `origin` is the socket that said so."""
        moved = ReadMoved(room_id, user_id, seq)
        mine = self._namespace.to(user_channel(user_id))
        (mine.except_(origin) if origin else mine).emit("read", moved)
        if small:
            self._namespace.to(room_channel(room_id)).except_(user_channel(user_id)).volatile.emit("read", moved)

    def unread(self, room_id: RoomId, user_id: UserId, seq: int, head: int, mentions: int) -> None:
        """Tell all of the user's sockets that a room is unread from after `seq` on."""
        moved = ReadMoved(room_id, user_id, seq, Unread(head, mentions))
        self._namespace.to(user_channel(user_id)).emit("read", moved)

    def presence(self, user_id: UserId, state: str) -> None:
        """Tell those who watch a user from this node; the others hear of it by their presence store."""
        self._namespace.to(presence_channel(user_id)).local.emit("presence", PresenceChanged(user_id, state))

    def enter(self, user_id: UserId, room_id: RoomId) -> None:
        """Let a new member's sockets hear the room from now on."""
        for socket in self._namespace.to(user_channel(user_id)).local_sockets():
            socket.join(room_channel(room_id))

    def part(self, user_id: UserId, room_id: RoomId) -> bool:
        """Let a user's sockets hear nothing of the room from now on, untold; False where none of them did."""
        rooms = self._namespace.rooms
        heard = rooms.get(user_channel(user_id), set()) & rooms.get(room_channel(room_id), set())
        for socket in self._namespace.to(user_channel(user_id)).local_sockets() if heard else ():
            socket.leave(room_channel(room_id))
        return bool(heard)

    def expel(self, user_id: UserId, room_id: RoomId) -> None:
        """Let a former member's sockets hear nothing of the room from now on, and tell them."""
        mine = self._namespace.to(user_channel(user_id)).local
        for socket in mine.local_sockets():
            socket.leave(room_channel(room_id))
        mine.emit("room.removed", RoomRemoved(room_id))

    def room_added(self, user_id: UserId, room: RoomSummary) -> None:
        """Tell a new member's sockets what room they are in."""
        self._namespace.to(user_channel(user_id)).local.emit("room.added", RoomAdded(room))

    async def settled(self) -> None:
        """Return when the channels that were joined hear what other nodes tell."""
        await self._namespace.server.cluster.settled()

    def began(self, room_id: RoomId, head: int) -> None:
        """Note that a socket in a room's channel has everything up to `head`, or was told of it."""
        if self._namespace.numbered is not None:
            self._namespace.numbered.known(room_channel(room_id), head)
