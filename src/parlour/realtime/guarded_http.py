"""uvicorn's HTTP protocol with bounds on how long the head of a request may take, and be.

uvicorn waits for ever for the first byte of a connection and for the rest of a request's headers, and keeps all of them, so
that a stranger could hold any number of sockets and any amount of memory for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from parlour.realtime.engine import EngineServer


class GuardedHttpProtocol(HttpToolsProtocol):
    """Subclassed by `EngineServer.http_protocol` with the engine as a class attribute."""

    engine: ClassVar[EngineServer]

    counted: str | None = None  # see PeerConnections
    _head_bytes = -1  # of the head that is arriving; negative when none is

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """A client connected: its first request is awaited."""
        super().connection_made(transport)
        self._head_bytes = 0
        self.engine.heads.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left."""
        self.engine.heads.discard(self)
        self.engine.peer_gone(self.counted)
        super().connection_lost(exc)
        self._forget_parser()

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, or of a body, which the application bounds."""
        if self.timeout_keep_alive_task is not None:
            # uvicorn takes any byte for the end of idleness. Line ends between requests, or what is left of a body that was
            # refused, begin no request, and nothing else would ever end the connection.
            self.engine.heads.add(self)
        super().data_received(data)
        if self._head_bytes >= 0:
            self._head_bytes += len(data)
            if self._head_bytes > self.engine.limits.max_request_head_bytes:
                self._refuse("large_request")

    def handle_websocket_upgrade(self) -> None:
        """The connection becomes somebody else's."""
        before: Any = self.cycle  # None at first, whatever uvicorn's annotation says
        if (before is not None and not before.response_complete) or self.transport.get_write_buffer_size():
            # An earlier answer is under way on this connection, which would go on between the frames.
            self._refuse("pipelined_upgrade")
            return
        self.engine.heads.discard(self)
        super().handle_websocket_upgrade()
        protocol: Any = self.transport.get_protocol()
        if protocol is not self:
            protocol.counted, self.counted = self.counted, None
        self._forget_parser()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._head_bytes = 0
        self.engine.heads.add(self)

    def on_headers_complete(self) -> None:
        """The head is there; bodies and idle connections have bounds of their own."""
        self._head_bytes = -1
        self.engine.heads.discard(self)
        super().on_headers_complete()

    def shutdown(self) -> None:
        """Uvicorn shuts down and asks every connection to end: polls that wait must be answered first."""
        super().shutdown()
        self.engine.begin_drain()

    def head_timed_out(self) -> None:
        """Too slow."""
        self._refuse("slow_request")

    def _forget_parser(self) -> None:
        """The parser and the protocol hold each other: without this all they have would wait for the garbage collector."""
        self.parser: Any = None

    def _refuse(self, reason: str) -> None:
        self._head_bytes = -1
        self.engine.heads.discard(self)
        self.engine.observer.refused(reason)
        transport: Any = self.transport
        if not transport.is_closing():
            transport.close()
