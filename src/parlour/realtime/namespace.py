"""Namespaces: who handles what, who is in which room."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from parlour.realtime.broadcast import BroadcastOperator
from parlour.realtime.cluster import Broadcast
from parlour.realtime.connection import Connection
from parlour.realtime.numbered import NumberedRooms, Source
from parlour.realtime.socket_packet import EVENT, check_event_name, namespace_prefix, packet_frames

if TYPE_CHECKING:
    from parlour.realtime.server import Server
    from parlour.realtime.socket import Socket

logger = logging.getLogger(__name__)

Handler = Callable[..., Any]
ConnectMiddleware = Callable[["Socket", dict[str, Any]], Awaitable[None]]
PacketMiddleware = Callable[["Socket", Any, list[Any]], Awaitable[None]]
HandlerT = TypeVar("HandlerT", bound=Handler)

EVERYBODY = ""  # the room of all sockets of a namespace


class HandlerRegistry:
    """Handlers and middleware of a namespace, or of all namespaces that a pattern matches."""

    def __init__(self) -> None:
        self.handlers: dict[str | None, Handler] = {}  # None: of events without one of their own
        self.connect_middleware: list[ConnectMiddleware] = []
        self.packet_middleware: list[PacketMiddleware] = []

    def use(self, middleware: ConnectMiddleware) -> ConnectMiddleware:
        """Adds `async def middleware(socket, auth)`, run in order before a socket is let in. Raise ConnectRefused to refuse."""
        self.connect_middleware.append(middleware)
        return middleware

    def use_packet(self, middleware: PacketMiddleware) -> PacketMiddleware:
        """Adds `async def middleware(socket, event, args)`, run before the handler of every event. Raise to refuse."""
        self.packet_middleware.append(middleware)
        return middleware

    def on(self, event: str) -> Callable[[HandlerT], HandlerT]:
        """Registers the handler of an event, one each: `handler(socket, *args)`, `def` or `async def`.

        Its return value answers the client's acknowledgement: None with no arguments, a tuple with its items, anything else
        with one argument. A handler that returns an asyncio.Future is acknowledged with its result when it is done; the
        socket's next packet does not wait for that. "connect" is `handler(socket)`, "disconnect" is `handler(socket, reason)`.
        """
        if event not in ("connect", "disconnect"):
            check_event_name(event)

        def register(handler: HandlerT) -> HandlerT:
            self.handlers[event] = handler
            return handler

        return register

    def on_any(self, handler: HandlerT) -> HandlerT:
        """Registers `handler(socket, event, *args)` for events that have none of their own."""
        self.handlers[None] = handler
        return handler


class Namespace(HandlerRegistry):
    """One namespace. Emits go to all of it, or by `to` to rooms; all on the event loop, all at once written per turn."""

    def __init__(self, server: Server, name: str, registry: HandlerRegistry | None = None) -> None:
        super().__init__()
        if registry is not None:
            self.handlers = registry.handlers
            self.connect_middleware = registry.connect_middleware
            self.packet_middleware = registry.packet_middleware
        self.server = server
        self.name = name
        self.prefix = namespace_prefix(name)
        self.sockets: dict[str, Socket] = {}
        self._rooms: dict[str, set[Connection]] = {}
        self._ack_ids = 0
        self.numbered: NumberedRooms | None = None

    # emitting

    def number(self, source: Source) -> NumberedRooms:
        """Has emits to one room that are `numbered` heard in order and each once on this node, what it missed taken from `source`."""
        self.numbered = NumberedRooms(self.take, self.name, source)
        return self.numbered

    def emit(self, event: str, *args: Any) -> None:
        """Emits to every socket of the namespace."""
        BroadcastOperator(self).emit(event, *args)

    def to(self, *rooms: str) -> BroadcastOperator:
        """Aims at the union of rooms; a socket's id is a room of its own."""
        return BroadcastOperator(self, rooms)

    def in_(self, *rooms: str) -> BroadcastOperator:
        """The same as `to`."""
        return BroadcastOperator(self, rooms)

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Aims at everybody but the members of rooms."""
        return BroadcastOperator(self, except_=rooms)

    @property
    def volatile(self) -> BroadcastOperator:
        """Aims at everybody who can take a packet at once."""
        return BroadcastOperator(self, volatile=True)

    async def fetch_sockets(self) -> list[Any]:
        """See BroadcastOperator.fetch_sockets."""
        return await BroadcastOperator(self).fetch_sockets()

    def next_ack_id(self) -> int:
        """An id for an event that wants to be acknowledged."""
        self._ack_ids += 1
        return self._ack_ids

    def event_frames(self, event: str, args: Iterable[Any], ack_id: int | None = None) -> bytes:
        """The joined frames of an event.

        Raises:
            ReservedEventName: the protocol keeps this name for itself.
        """
        check_event_name(event)
        return packet_frames(EVENT, self.prefix, [event, *args], ack_id)

    # members

    def add(self, socket: Socket) -> None:
        """A socket was let in."""
        self.sockets[socket.id] = socket
        self.server.cluster.subscribe(self.name, socket.id)
        self.join(socket, EVERYBODY)

    def remove(self, socket: Socket) -> None:
        """A socket is gone, from all rooms."""
        if self.sockets.pop(socket.id, None) is None:
            return
        for room in socket.joined_rooms:
            self._discard(socket, room)
        self._discard(socket, EVERYBODY)
        self.server.cluster.unsubscribe(self.name, socket.id)
        if not self.sockets:
            self.server.namespace_emptied(self)

    def join(self, socket: Socket, room: str) -> None:
        """Adds a member to a room. What was emitted before does not reach it."""
        self.server.turn.flush()
        members = self._rooms.get(room)
        if members is None:
            members = self._rooms[room] = set()
            self.server.cluster.subscribe(self.name, room)
            if self.numbered is not None:
                self.numbered.opened(room)
        members.add(socket.connection)

    def leave(self, socket: Socket, room: str) -> None:
        """Takes a member from a room. What was emitted before still reaches it."""
        self._discard(socket, room)

    def _discard(self, socket: Socket, room: str) -> None:
        self.server.turn.flush()
        members = self._rooms.get(room)
        if members is not None:
            members.discard(socket.connection)
            if not members:
                del self._rooms[room]
                self.server.cluster.unsubscribe(self.name, room)
                if self.numbered is not None:
                    self.numbered.closed(room)

    def socket_of(self, connection: Connection) -> Socket | None:
        """The socket of this namespace on a connection."""
        return self.server.socket_of(connection, self.name)

    @property
    def rooms(self) -> Mapping[str, set[Connection]]:
        """Local members by room, for reading."""
        return self._rooms

    def members(self, rooms: tuple[str, ...], except_: tuple[str, ...]) -> set[Connection]:
        """The local connections that an emit aims at. Belongs to the namespace: not to be changed."""
        chosen = self._named(rooms[0] if rooms else EVERYBODY)
        for room in rooms[1:]:
            chosen = chosen | self._named(room)
        for room in except_:
            chosen = chosen - self._named(room)
        return chosen

    def _named(self, room: str) -> set[Connection]:
        members = self._rooms.get(room)
        if members is not None:
            return members
        socket = self.sockets.get(room)
        return set() if socket is None else {socket.connection}

    def deliver(
        self, rooms: tuple[str, ...], except_: tuple[str, ...], frames: bytes, *, volatile: bool, since: float = 0.0
    ) -> None:
        """Queues frames for the local members, to be written at the end of this turn of the loop."""
        turn = self.server.turn
        if not except_ and len(rooms) <= 1:
            room = rooms[0] if rooms else EVERYBODY
            members = self._rooms.get(room)
            if members is None:
                socket = self.sockets.get(room)
                if socket is not None and (socket.connection.writable or not volatile):
                    turn.send(socket.connection, frames)
                return
            # Members do not change before the flush, so the set itself tells one target from another.
            key: object = (id(members), True) if volatile else id(members)
            turn.send_many(key, members, frames, volatile=volatile, since=since)
        else:
            chosen = self.members(rooms, except_)
            turn.send_many((self.name, rooms, except_, volatile), chosen, frames, volatile=volatile, since=since)

    def take(self, broadcast: Broadcast) -> None:
        """Queues a broadcast for the local members."""
        self.deliver(
            broadcast.rooms, broadcast.except_, broadcast.frame, volatile=broadcast.volatile, since=broadcast.since
        )
