"""The shell of one Engine.IO session: which transport carries it, and who receives what arrives."""

from __future__ import annotations

import logging
from asyncio import get_running_loop
from collections.abc import Callable, Mapping
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

from parlour.realtime.engine_packet import EnginePacket, decode_packet
from parlour.realtime.engine_session import EngineSession, Reaction, TransportName
from parlour.realtime.errors import EnginePacketError
from parlour.realtime.frames import binary_frame, text_frame

if TYPE_CHECKING:
    from parlour.realtime.engine import EngineServer

logger = logging.getLogger(__name__)

_MESSAGE = ord("4")


class HandshakeRequest:
    """The HTTP request that opened a session, kept small: the headers stay one string until somebody asks."""

    __slots__ = ("_headers", "_query", "address", "at", "secure")

    def __init__(self, headers: Mapping[str, str], query: str, address: str, *, secure: bool) -> None:
        self._headers = "\n".join([f"{name}: {value}" for name, value in headers.items()])
        self._query = query
        self.address = address
        self.secure = secure
        self.at = int(time() * 1000)

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers, names in lower case; of a repeated one the last."""
        lines = (line.partition(": ") for line in self._headers.split("\n") if line)
        return {name: value for name, _, value in lines}

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters; of a repeated one the last."""
        return dict(parse_qsl(self._query, keep_blank_values=True))


class Receiver(Protocol):
    """What an application makes of a connection. Called on the event loop; must not raise."""

    def on_text(self, data: bytes, start: int, now: float) -> None:
        """A text message arrived at `now` (`time.monotonic()`): UTF-8, from `start` on."""

    def on_binary(self, data: bytes, now: float) -> None:
        """A binary message arrived."""

    def on_close(self, reason: str) -> None:
        """The session ended; nothing follows."""


class Transport(Protocol):
    """How the bytes of a session travel."""

    @property
    def name(self) -> TransportName:
        """As the handshake calls it."""

    @property
    def waiting(self) -> int:
        """The bytes that wait for the peer to read."""

    def establish(self, connection: Connection) -> None:
        """Carries `connection` from here on: sets its `write` and `writable`."""

    def close(self, code: int, *, orderly: bool) -> None:
        """Ends the transport. `orderly`: what was written goes out first."""

    def pause_reading(self) -> None:
        """Takes nothing more from the peer for now."""

    def resume_reading(self) -> None:
        """Takes from the peer again."""


def discard(_: bytes | memoryview) -> None:
    """The `write` of a connection that is closed."""


class Connection:
    """One Engine.IO session. `write(frames)` takes joined WebSocket frames, whatever the transport.

    While a WebSocket is healthy `write` leads to its transport's; otherwise to a method that queues. `writable` tells whether
    what is written leaves at once, which is what volatile packets ask for, and `descriptor` is the socket that the turn may
    write to by itself.
    """

    __slots__ = (
        "_allowed_at",
        "_holds",
        "descriptor",
        "engine",
        "half_open",
        "pending",
        "receiver",
        "request",
        "session",
        "transport",
        "writable",
        "write",
    )

    def __init__(
        self, engine: EngineServer, session: EngineSession, request: HandshakeRequest, transport: Transport
    ) -> None:
        self.engine = engine
        self.session = session
        self.request = request
        self.transport = transport
        self.receiver: Receiver
        self.write: Callable[[Any], object] = discard
        self.writable = False
        self.descriptor = -1
        self.pending: Any = None
        self.half_open = True
        self._holds = 0
        self._allowed_at = 0.0

    @property
    def sid(self) -> str:
        """The Engine.IO session id, which is a secret between the client and the server."""
        return self.session.sid

    @property
    def closed(self) -> bool:
        """Whether the session has ended."""
        return self.session.closed

    def send(self, frames: bytes) -> None:
        """Queues joined frames for this turn of the loop."""
        if not self.session.closed:
            self.engine.turn.send(self, frames)

    def send_text(self, message: str) -> None:
        """Queues a text message."""
        self.send(text_frame(b"4" + message.encode()))

    def send_binary(self, message: bytes) -> None:
        """Queues a binary message."""
        self.send(binary_frame(message))

    def receive_text(self, data: bytes) -> None:
        """Takes a text packet as a WebSocket carries it."""
        if data and data[0] == _MESSAGE and not self.session.closed:
            now = monotonic()
            if self.count(now, len(data)):
                self.receiver.on_text(data, 1, now)
            return
        try:
            packet = decode_packet(data)
        except EnginePacketError:
            self.fail("parse error", 1002)
        else:
            self.receive(packet)

    def receive_binary(self, data: bytes) -> None:
        """Takes a binary message."""
        if not self.session.closed:
            now = monotonic()
            if self.count(now, len(data)):
                self.receiver.on_binary(data, now)

    def receive(self, packet: EnginePacket) -> None:
        """Takes a decoded packet of the session's own transport."""
        match self.session.receive(packet):
            case Reaction.MESSAGE if packet.binary:
                self.receive_binary(packet.data)
            case Reaction.MESSAGE:
                now = monotonic()
                if self.count(now, len(packet.data)):
                    self.receiver.on_text(packet.data, 0, now)
            case Reaction.ALIVE:
                self.engine.heard_from(self)
            case Reaction.CLOSED:
                self.engine.turn.flush()
                self.finish("transport close")
                self.transport.close(1000, orderly=True)
            case Reaction.BROKEN:
                self.fail("transport error", 1002)

    def count(self, now: float, n_bytes: int) -> bool:
        """Counts a packet and holds back a sender that is past its rate. False when that closed the connection.

        A leaky bucket kept as one time (generic cell rate algorithm). What picows has read already still arrives while
        reading is stopped: usually 4 KiB, but megabytes once a long message made its buffer grow. Hence the second bound.
        """
        engine = self.engine
        engine.observer.packet_received(n_bytes)
        allowed_at = self._allowed_at
        allowed_at = (max(now, allowed_at)) + engine.packet_interval
        self._allowed_at = allowed_at
        ahead = allowed_at - now - engine.packet_tolerance
        if ahead > 0:
            if not self._holds:
                engine.observer.refused("packet_rate")
                self.hold()
                get_running_loop().call_later(max(ahead, 0.01), self.release)
            elif ahead > engine.packet_excess:
                self.fail("transport error", 1008)
                return False
        return True

    def hold(self) -> None:
        """Stops reading until every hold is released."""
        self._holds += 1
        if self._holds == 1:
            self.transport.pause_reading()

    def release(self) -> None:
        """Takes one hold back."""
        self._holds -= 1
        if not self._holds and not self.session.closed:
            self.transport.resume_reading()

    @property
    def held(self) -> bool:
        """Whether reading is stopped."""
        return self._holds > 0

    def joined(self) -> None:
        """The peer proved to be a client: the connection is no longer half open."""
        if self.half_open:
            self.half_open = False
            self.engine.joined(self)

    def close(self, reason: str = "forced close", code: int = 1000) -> None:
        """Ends the session from here; what was sent before goes out first. `code` is a WebSocket close code."""
        if not self.session.closed:
            self.engine.turn.flush()
            self.finish(reason)
            self.transport.close(code, orderly=True)

    def fail(self, reason: str, code: int = 1002) -> None:
        """Ends the session because the peer broke the protocol or went silent."""
        if not self.session.closed:
            self.engine.turn.flush()
            self.finish(reason)
            self.transport.close(code, orderly=False)

    @property
    def waiting(self) -> int:
        """The bytes that wait for the peer to read."""
        return self.transport.waiting

    def cut_off(self, bound: str = "socket") -> None:
        """Ends the session of a reader that does not read; `bound` names what it is past, as in `Observer`."""
        if not self.session.closed:
            self.engine.observer.slow_reader_closed(bound)
            self.finish("transport error")
            self.transport.close(1013, orderly=False)

    def write_failed(self, exc: Exception) -> None:
        """See Outlet. The transport is gone; the session ends on the next turn, with the room loops over."""
        logger.debug("a transport refused a write", exc_info=exc)
        self.write = discard
        self.descriptor = -1
        get_running_loop().call_soon(self.fail, "transport error")

    def finish(self, reason: str) -> None:
        """The session is over: tells the application and forgets it. Does nothing the second time."""
        if self.session.close():
            self.write = discard
            self.writable = False
            self.descriptor = -1
            self.engine.forget(self, reason)
            self.receiver.on_close(reason)
