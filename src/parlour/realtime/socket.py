"""One client in one namespace."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Mapping
from time import monotonic
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from parlour.realtime.broadcast import BroadcastOperator
from parlour.realtime.connection import Connection, HandshakeRequest
from parlour.realtime.eager import Done
from parlour.realtime.errors import AckTimeout, Disconnected
from parlour.realtime.socket_packet import ACK, DISCONNECT, EVENT, SocketPacket, packet_frames

if TYPE_CHECKING:
    from parlour.realtime.namespace import Handler, Namespace

logger = logging.getLogger(__name__)

_NO_ROOMS: frozenset[str] = frozenset()


class Handshake:
    """How a socket came: `auth` is the payload of its CONNECT, the rest of its connection's first HTTP request."""

    __slots__ = ("_request", "auth")

    def __init__(self, auth: dict[str, Any], request: HandshakeRequest) -> None:
        self.auth = auth
        self._request = request

    @property
    def headers(self) -> Mapping[str, str]:
        """Request headers, names in lower case."""
        return self._request.headers

    @property
    def query(self) -> Mapping[str, str]:
        """Query parameters."""
        return self._request.query

    @property
    def address(self) -> str:
        """The client's address, as `client_address` of the server names it."""
        return self._request.address

    @property
    def secure(self) -> bool:
        """Whether the connection came by TLS to this process."""
        return self._request.secure

    @property
    def at(self) -> int:
        """When the connection was opened, in milliseconds since the epoch."""
        return self._request.at


class Socket:
    """One client in one namespace. Everything is called on the event loop; emits never wait and never fail.

    `data` is the application's; `received_at` is the `time.monotonic()` at which the packet being handled was received.
    """

    __slots__ = (
        "_acks",
        "_draining",
        "_holding",
        "_owed",
        "_waiting",
        "busy",
        "connected",
        "connection",
        "data",
        "handshake",
        "id",
        "introduced",
        "joined_rooms",
        "namespace",
        "received_at",
    )

    def __init__(self, namespace: Namespace, connection: Connection, socket_id: str, auth: dict[str, Any]) -> None:
        self.id = socket_id
        self.namespace = namespace
        self.connection = connection
        self.handshake = Handshake(auth, connection.request)
        self.connected = False
        self.data: Any = None
        self.received_at = 0.0
        self.joined_rooms: set[str] | frozenset[str] = _NO_ROOMS
        self._acks: dict[int, asyncio.Future[list[Any]]] | None = None
        self._waiting: deque[tuple[SocketPacket, float]] | None = None
        self.busy = False  # a handler waits: what arrives meanwhile waits, too
        self.introduced = False  # the connect handler has begun, so that the disconnect handler is due, too
        self._draining = False
        self._holding = False
        self._owed = 0

    # emitting

    def emit(self, event: str, *args: Any) -> None:
        """Emits to this client; see BroadcastOperator.emit. Does nothing once the socket is disconnected."""
        frames = self.namespace.event_frames(event, args)
        if self.connected:
            self.connection.send(frames)

    @property
    def volatile(self) -> BroadcastOperator:
        """For an emit that may be dropped when this client cannot take it at once."""
        return BroadcastOperator(self.namespace, (self.id,), volatile=True, local=True)

    async def call(self, event: str, *args: Any, timeout: float) -> list[Any]:  # noqa: ASYNC109 - as broadcasts have it
        """Emits and waits for the client's acknowledgement: the list of its arguments.

        Raises:
            AckTimeout: it did not arrive within `timeout` seconds.
            Disconnected: the socket is, or was disconnected before it answered.
        """
        ack_id = self.namespace.next_ack_id()
        frames = self.namespace.event_frames(event, args, ack_id)
        if not self.connected:
            raise Disconnected(f"{event} to a disconnected socket")
        future = self.expect_ack(ack_id)
        self.connection.send(frames)
        try:
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError as exc:
            raise AckTimeout(f"no acknowledgement of {event} within {timeout:g} s") from exc
        finally:
            self.forget_ack(ack_id)

    def to(self, *rooms: str) -> BroadcastOperator:
        """Aims at rooms, without this socket."""
        return BroadcastOperator(self.namespace, rooms, (self.id,))

    @property
    def broadcast(self) -> BroadcastOperator:
        """Aims at the namespace, without this socket."""
        return BroadcastOperator(self.namespace, (), (self.id,))

    # rooms

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms that it is in, its own among them."""
        return frozenset((self.id, *self.joined_rooms)) if self.connected else _NO_ROOMS

    def join(self, room: str) -> None:
        """Joins a room. Does nothing once the socket is disconnected.

        Raises:
            ValueError: the empty name, which is the namespace itself.
        """
        if not room:
            raise ValueError("a room needs a name")
        if self.connected and room not in self.joined_rooms and room != self.id:
            if isinstance(self.joined_rooms, frozenset):
                self.joined_rooms = set()
            self.namespace.join(self, room)
            self.joined_rooms.add(room)

    def leave(self, room: str) -> None:
        """Leaves a room."""
        if isinstance(self.joined_rooms, set) and room in self.joined_rooms:
            self.joined_rooms.discard(room)
            self.namespace.leave(self, room)

    def disconnect(self, close: bool = False) -> None:
        """Tells the client and leaves the namespace; with `close` its whole connection, all namespaces with it.

        Stock clients do not reconnect by themselves after a DISCONNECT.
        """
        if close:
            self.namespace.server.disconnect(self.connection)
        elif self.connected:
            self.connection.send(packet_frames(DISCONNECT, self.namespace.prefix, None))
            self.closed("server namespace disconnect")

    # acknowledgements of the client

    def expect_ack(self, ack_id: int) -> asyncio.Future[list[Any]]:
        """The future of an acknowledgement that the client owes."""
        if self._acks is None:
            self._acks = {}
        future = self._acks[ack_id] = asyncio.get_running_loop().create_future()
        return future

    def forget_ack(self, ack_id: int) -> None:
        """Nobody waits for it any more."""
        if self._acks is not None:
            self._acks.pop(ack_id, None)
            if not self._acks:
                self._acks = None

    # packets

    def receive(self, packet: SocketPacket, now: float) -> None:
        """Takes an EVENT, ACK or DISCONNECT that arrived at `now`.

        Acknowledgements are taken at once: the handler that holds the others back may be waiting for one.
        """
        if packet.type == ACK:
            future = self._acks.get(packet.id) if self._acks is not None and packet.id is not None else None
            if future is not None and not future.done():
                future.set_result(packet.data)
        elif not self.busy:
            self._handle(packet, now)
        else:
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append((packet, now))
            if len(self._waiting) > self.namespace.server.limits.max_waiting_packets and not self._holding:
                self._holding = True
                self.connection.hold()

    def _handle(self, packet: SocketPacket, now: float) -> None:
        if packet.type == EVENT:
            self._handle_event(packet, now)
        else:
            self.closed("client namespace disconnect")

    def _handle_event(self, packet: SocketPacket, now: float) -> None:
        namespace = self.namespace
        self.received_at = now
        args = packet.data
        event = args[0]
        handler = namespace.handlers.get(event)
        label = event
        if handler is None:
            handler, label = namespace.handlers.get(None), "*"
            if handler is None and not namespace.packet_middleware:
                return
        else:
            del args[0]
        call = _Call(self, packet.id, label, now)
        if namespace.packet_middleware:
            rest = args if label != "*" else args[1:]
            self.start(self._past_middleware(event, rest, handler, args), call.done)
            return
        if handler is None:
            return
        try:
            result = handler(self, *args)
        except Exception as exc:
            call.done(None, exc)
            return
        if type(result) is CoroutineType:
            self.start(result, call.done)
        else:
            call.done(result, None)

    async def _past_middleware(self, event: Any, rest: list[Any], handler: Handler | None, args: list[Any]) -> Any:
        for middleware in self.namespace.packet_middleware:
            await middleware(self, event, rest)
        if handler is None:
            return None
        result = handler(self, *args)
        return await result if type(result) is CoroutineType else result

    def start(self, work: Coroutine[Any, Any, Any], done: Done) -> None:
        """Runs a coroutine handler; packets that arrive before it ends wait. `done` has to call `free`."""
        self.busy = True
        self.namespace.server.runner.start(work, done)

    def free(self) -> None:
        """A handler ended: takes on what waited, in order."""
        self.busy = False
        waiting = self._waiting
        if not waiting or self._draining:
            return
        self._draining = True
        while waiting and not self.busy and self.connected:
            packet, now = waiting.popleft()
            self._handle(packet, now)
        self._draining = False
        if self._holding and len(waiting) <= self.namespace.server.limits.max_waiting_packets // 2:
            self._holding = False
            self.connection.release()

    def owe(self) -> None:
        """A handler ended whose answer comes later; with as many of them as packets may wait, the next packet waits for one."""
        self._owed += 1
        if self._owed < self.namespace.server.limits.max_waiting_packets:
            self.free()
        else:
            self.busy = True

    def paid(self) -> None:
        """An answer that was owed was given."""
        full = self._owed == self.namespace.server.limits.max_waiting_packets
        self._owed -= 1
        if full:
            self.free()

    def answer(self, ack_id: int, result: Any) -> None:
        """Acknowledges an event of the client."""
        if not self.connected:
            return
        args = [] if result is None else list(result) if type(result) is tuple else [result]
        self.connection.send(packet_frames(ACK, self.namespace.prefix, args, ack_id))

    def closed(self, reason: str) -> None:
        """The socket is gone; `reason` as the reference server names it. Does nothing the second time."""
        if not self.connected:
            return
        namespace = self.namespace
        namespace.remove(self)
        self.connected = False
        namespace.server.socket_closed(self)
        if self._acks:
            for future in self._acks.values():
                if not future.done():
                    future.set_exception(Disconnected("the socket disconnected before it answered"))
                    future.exception()  # a waiter sees it; where nobody waits any more, nobody needs to be told
        if self._waiting:
            self._waiting.clear()
        if self._holding:
            self._holding = False
            self.connection.release()
        self.joined_rooms = _NO_ROOMS
        handler = namespace.handlers.get("disconnect")
        if handler is not None and self.introduced:
            namespace.server.run_detached("disconnect", handler, self, reason)


class _Call:
    """A handler at work: what becomes of its end."""

    __slots__ = ("_ack_id", "_event", "_socket", "_started")

    def __init__(self, socket: Socket, ack_id: int | None, event: str, started: float) -> None:
        self._socket = socket
        self._ack_id = ack_id
        self._event = event
        self._started = started

    def done(self, result: Any, failure: BaseException | None) -> None:
        """The handler returned or raised; a future that it returned is its answer, which the next packet does not wait for."""
        if isinstance(result, asyncio.Future):
            self._socket.owe()
            result.add_done_callback(self._late)
        else:
            self._answer(result, failure)
            self._socket.free()

    def _late(self, future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            self._answer(None, asyncio.CancelledError())
        else:
            failure = future.exception()
            self._answer(None if failure else future.result(), failure)
        self._socket.paid()

    def _answer(self, result: Any, failure: BaseException | None) -> None:
        socket, server = self._socket, self._socket.namespace.server
        if failure is not None:
            result = server.refuse(self._event, failure)
        if self._ack_id is not None:
            try:
                socket.answer(self._ack_id, result)
            except Exception as exc:
                failure = exc
                socket.answer(self._ack_id, server.refuse(self._event, exc))
        server.observer.handled(self._event, monotonic() - self._started, failure is None)
