"""WebSockets by picows: one listener a socket, and the protocol class that takes an upgrade over from uvicorn."""

from __future__ import annotations

import logging
from asyncio import BaseTransport, get_running_loop
from asyncio import Transport as StreamTransport
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from picows import (
    WSAutoPingStrategy,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # the extension has it, its stub does not

from parlour.realtime.connection import Connection, HandshakeRequest, discard
from parlour.realtime.engine_packet import PROBE_ANSWER_FRAME, decode_packet
from parlour.realtime.engine_session import Reaction, TransportName
from parlour.realtime.errors import EnginePacketError
from parlour.realtime.websocket_stream import WebSocketStream

if TYPE_CHECKING:
    from parlour.realtime.engine import EngineServer

_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_CONTINUATION: Final = WSMsgType.CONTINUATION
_PING: Final = WSMsgType.PING
_CLOSE: Final = WSMsgType.CLOSE

READ_BUFFER_SIZE: Final = 4096
"""Grows by itself for larger messages; picows' default of 16 KiB would more than double what an idle socket costs."""


class _Fragments:
    """A message that arrives in several frames (RFC 6455 section 5.4)."""

    __slots__ = ("kind", "parts", "size")

    def __init__(self, kind: WSMsgType) -> None:
        self.kind = kind
        self.parts: list[bytes] = []
        self.size = 0


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


class WebSocket(WSListener):
    """One WebSocket: the transport of a session, or a probe that may become it."""

    __slots__ = (
        "_closing",
        "_descriptor",
        "_established",
        "_fragments",
        "_outbox",
        "_outbox_size",
        "_request",
        "_stream",
        "_stuck",
        "_ws",
        "connection",
        "engine",
    )

    name: ClassVar[TransportName] = "websocket"

    def __init__(self, engine: EngineServer, connection: Connection | None, request: HandshakeRequest | None) -> None:
        """`connection` is a session to take over; `request` opens one, and is admitted already."""
        self.engine = engine
        self.connection = connection
        self._request = request
        self._established = False
        self._ws: WSTransport
        self._stream: StreamTransport
        self._descriptor = -1
        self._fragments: _Fragments | None = None
        self._outbox: list[bytes] | None = None  # a list while the peer does not read
        self._outbox_size = 0
        self._stuck = 0  # what the stream had left to write when it had to pause
        self._closing = False

    @property
    def waiting(self) -> int:
        """The bytes that wait for the peer to read."""
        return self._outbox_size + self._stuck

    def establish(self, connection: Connection) -> None:
        """This WebSocket carries `connection` from here on."""
        self.connection = connection
        self._established = True
        connection.transport = self
        if self._outbox is None:
            self._flow(connection)
        else:
            self._hold(connection)

    # what picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is answered, and the answer waits for the first frame."""
        self._ws = transport
        stream = cast(WebSocketStream, transport.underlying_transport)
        self._stream = stream.transport
        stream.on_write = self._aim
        if not transport.is_secure:
            self._descriptor = stream.fileno()
        transport.request.headers.clear()  # the session keeps what it needs; these would stay as long as the socket
        transport.response.headers.clear()
        request, self._request = self._request, None
        self.engine.websocket_opened(self, request, stream.take_answer())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """One frame arrived."""
        kind = frame.msg_type
        if self._closing:
            if kind is _CLOSE:
                self._stream.close()
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._break_off(1002)
        elif kind is _TEXT or kind is _BINARY:
            if self._fragments is not None:
                self._break_off(1002)
            elif frame.fin:
                self._deliver(kind, frame.get_payload_as_bytes())
            else:
                self._fragments = _Fragments(kind)
                self._add_fragment(frame)
        elif kind is _CONTINUATION:
            self._add_fragment(frame)
        elif kind is _PING:
            connection = self.connection
            # Who pings without reading gets no pongs, or they would pile up here.
            if self._outbox is None and (connection is None or connection.count(monotonic(), frame.payload_size)):
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind is _CLOSE:
            self._closing = True
            transport.send(_CLOSE, frame.get_payload_as_bytes()[:2])
            self._stream.close()
            self.engine.closings.add(self)  # what it has not read yet must not keep the connection for ever
            self._gone("transport close")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The TCP connection is gone. picows closes by itself, with its own close frame, on malformed frames."""
        self._closing = True
        self.engine.websocket_gone(self)
        self._gone("transport error" if transport.is_close_frame_sent else "transport close")
        self._let_go()

    def pause_writing(self) -> None:
        """The peer does not read as fast as we write: what follows waits here, within a bound."""
        if self._outbox is None:
            self._outbox = []
            self._aim()
            self._stuck = self._stream.get_write_buffer_size()
            self.engine.outboxes.count(self._stuck)
            self.engine.stalls.add(self)
            if self._established and self.connection is not None and not self.connection.closed:
                self._hold(self.connection)

    def resume_writing(self) -> None:
        """The peer reads again."""
        outbox = self._let_go()
        self.engine.stalls.discard(self)
        if outbox is None or self._closing:
            return
        if outbox:
            self._stream.write(b"".join(outbox))
        if self._outbox is None and self._established and self.connection is not None and not self.connection.closed:
            self._flow(self.connection)

    # what the session asks

    def close(self, code: int, *, orderly: bool) -> None:
        """Sends a close frame behind what was written, and gives the peer a few seconds to answer it."""
        if self._closing:
            return
        self._closing = True
        outbox = self._let_go()
        if outbox and orderly:
            self._stream.write(b"".join(outbox))
        self._ws.send(_CLOSE, code.to_bytes(2, "big"))
        if orderly:
            self._stream.resume_reading()  # held back or not, its close frame is to be seen
        self.engine.closings.add(self)

    def stalled(self) -> None:
        """The peer has not read for a while: what one large write left here counts like everything else."""
        waiting = self._outbox_size + self._stream.get_write_buffer_size()
        if self.connection is not None and self._established and waiting > self.engine.limits.max_outbox_bytes:
            self.connection.cut_off()

    def write(self, frames: bytes | memoryview) -> None:
        """Writes frames as they are, whether this carries a session or not."""
        self._stream.write(frames)
        self._aim()

    def abort(self) -> None:
        """Ends the TCP connection without further words."""
        self._stream.abort()

    def pause_reading(self) -> None:
        """Lets TCP hold the peer back."""
        self._stream.pause_reading()

    def resume_reading(self) -> None:
        """Reads again."""
        self._stream.resume_reading()

    def give_up(self) -> None:
        """The probe took too long: the session stays where it is."""
        self._gone("transport close")
        self.close(1000, orderly=False)

    def never_opened(self) -> None:
        """The handshake failed after the session was admitted: takes the admission back."""
        request, self._request = self._request, None
        if request is not None:
            self.engine.admission.release(request.address, half_open=True)

    # inside

    def _flow(self, connection: Connection) -> None:
        """What is written goes to the stream."""
        connection.write = self.write
        connection.writable = True
        self._aim()

    def _hold(self, connection: Connection) -> None:
        """What is written waits here."""
        connection.write = self._queue
        connection.writable = False
        self._aim()

    def _aim(self) -> None:
        """Offers the descriptor where nothing waits before it, here or in the stream.

        Whatever is written to the stream of an open session, by picows too, is followed by this, for a frame must not land within
        another. Nor must it reach a stranger to whom the number was given anew: a stream says that it is lost before it closes its
        socket, and `finish` takes the offer back.
        """
        connection = self.connection
        if connection is not None and self._established:
            free = self._outbox is None and not connection.closed and not self._stream.get_write_buffer_size()
            connection.descriptor = self._descriptor if free else -1

    def _queue(self, frames: bytes) -> None:
        outbox = self._outbox
        connection = self.connection
        if outbox is None or connection is None:
            return
        outbox.append(frames)
        self._outbox_size += len(frames)
        self.engine.outboxes.count(len(frames))
        if self._outbox_size + self._stream.get_write_buffer_size() > self.engine.limits.max_outbox_bytes:
            connection.write = discard
            # Not at once: a loop over the members of a room may be running.
            get_running_loop().call_soon(connection.cut_off)

    def _let_go(self) -> list[bytes] | None:
        """Takes what waits here; it does not count any more."""
        outbox, self._outbox = self._outbox, None
        self.engine.outboxes.count(-self.waiting)
        self._outbox_size = self._stuck = 0
        return outbox

    def _add_fragment(self, frame: WSFrame) -> None:
        fragments = self._fragments
        if fragments is None:
            self._break_off(1002)
            return
        fragments.parts.append(frame.get_payload_as_bytes())
        # An empty fragment costs memory, too: counted as much as its bookkeeping, they cannot be sent without end.
        fragments.size += max(frame.payload_size, 64)
        if fragments.size > self.engine.options.max_payload:
            self._break_off(1009)
        elif frame.fin:
            self._fragments = None
            self._deliver(fragments.kind, b"".join(fragments.parts))

    def _deliver(self, kind: WSMsgType, payload: bytes) -> None:
        connection = self.connection
        if connection is None:
            return
        if kind is _TEXT and not payload.isascii() and not _is_utf8(payload):
            self._break_off(1007)
        elif self._established:
            if kind is _TEXT:
                connection.receive_text(payload)
            else:
                connection.receive_binary(payload)
        else:
            self._probe(connection, kind, payload)

    def _probe(self, connection: Connection, kind: WSMsgType, payload: bytes) -> None:
        try:
            if kind is _BINARY:
                raise EnginePacketError("a binary message instead of a probe")
            reaction = connection.session.receive_probe(decode_packet(payload))
        except EnginePacketError:
            reaction = Reaction.REJECT_PROBE
        match reaction:
            case Reaction.ANSWER_PROBE:
                self._stream.write(PROBE_ANSWER_FRAME)
                self.engine.probe_answered(connection)
            case Reaction.UPGRADE:
                self.engine.upgrade(connection, self)
            case _:
                self._gone("transport error")
                self.close(1002, orderly=False)

    def _break_off(self, code: int) -> None:
        connection = self.connection
        if connection is not None and self._established:
            connection.fail("transport error", code)
        else:
            self._gone("transport error")
            self.close(code, orderly=False)

    def _gone(self, reason: str) -> None:
        connection = self.connection
        if connection is None:
            return
        if self._established:
            connection.finish(reason)
        else:
            self.connection = None
            connection.session.end_probe()
            self.engine.probe_ended(connection, self)


class _QuietLogger(logging.LoggerAdapter[logging.Logger]):
    """picows' words at the level that they have here: what a stranger can cause is no error of ours.

    Not a `logging.Logger`: of such picows makes a child for every connection, which costs a kilobyte.
    """

    def __init__(self) -> None:
        super().__init__(logging.getLogger("parlour.realtime.picows"), {})

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)


_quiet_logger: Final = _QuietLogger()


class WebSocketProtocol(WSProtocol):  # type: ignore[misc]  # Any, for want of a stub
    """What uvicorn hands an upgrade request to: its HTTP protocol makes one, feeds it the request, and steps aside.

    Subclassed by `EngineServer.websocket_protocol` with the engine as a class attribute.
    """

    __slots__ = ("_connections", "counted")

    engine: ClassVar[EngineServer]

    def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
        """The signature that uvicorn calls (`uvicorn.protocols.http`)."""
        super().__init__(
            None,  # host_port and
            None,  # ws_path are a client's
            False,  # is_client_side
            self._accept,
            _quiet_logger,
            True,  # disconnect_on_exception
            None,  # websocket_handshake_timeout: the whole request is there already
            False,  # enable_auto_ping: Engine.IO has its own
            10,
            10,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # enable_auto_pong: it would answer without end who never reads
            self.engine.options.max_payload,
            None,  # extra_headers
            READ_BUFFER_SIZE,
        )
        self._connections: set[Any] = server_state.connections
        self._connections.add(self)
        self.counted: str | None = None  # see PeerConnections

    def connection_made(self, transport: BaseTransport) -> None:
        """A TCP connection whose first request is for a WebSocket."""
        super().connection_made(WebSocketStream(transport))

    def _accept(self, upgrade: WSUpgradeRequest) -> WSUpgradeResponseWithListener | None:
        transport: WSTransport = self.transport
        peer = peer_of(cast(WebSocketStream, transport.underlying_transport).transport)
        return self.engine.accept_websocket(upgrade, peer, secure=transport.is_secure)

    def data_received(self, data: bytes) -> None:
        """The upgrade request, from uvicorn; afterwards the event loop fills picows' buffer directly."""
        view = memoryview(data)
        while view:
            buffer = self.get_buffer(len(view))
            n = min(len(buffer), len(view))
            buffer[:n] = view[:n]
            self.buffer_updated(n)
            view = view[n:]

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone."""
        self._connections.discard(self)
        self.engine.peer_gone(self.counted)
        if isinstance(self.listener, WebSocket):
            self.listener.never_opened()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Uvicorn shuts down and asks every connection to end."""
        self.engine.begin_drain()


def peer_of(transport: BaseTransport) -> str:
    """The address at the other end of a TCP connection, "" of a Unix socket."""
    peer = transport.get_extra_info("peername")
    return peer[0] if isinstance(peer, tuple) else ""


def refuse_upgrade(status: int, body: bytes, headers: dict[str, str]) -> WSUpgradeResponseWithListener:
    """An HTTP answer instead of a WebSocket."""
    response = WSUpgradeResponse.create_error_response(HTTPStatus(status), body, headers)
    return WSUpgradeResponseWithListener(response, None)


def accept_upgrade(
    request: WSUpgradeRequest, listener: WebSocket, headers: dict[str, str]
) -> WSUpgradeResponseWithListener:
    """Switches protocols. Firefox says `Connection: keep-alive, Upgrade`, which picows would refuse; uvicorn has checked it."""
    request.headers["connection"] = "upgrade"
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(headers), listener)
