"""uvicorn's HTTP protocol with a bound on how long the head of a request may take.

uvicorn waits for ever for the first byte of a connection and for the rest of a request's headers, so that a stranger could
hold any number of sockets for nothing.
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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """A client connected: its first request is awaited."""
        super().connection_made(transport)
        self.engine.heads.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left."""
        self.engine.heads.discard(self)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """The connection becomes somebody else's."""
        self.engine.heads.discard(self)
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self.engine.heads.add(self)

    def on_headers_complete(self) -> None:
        """The head is there; bodies and idle connections have bounds of their own."""
        self.engine.heads.discard(self)
        super().on_headers_complete()

    def shutdown(self) -> None:
        """Uvicorn shuts down and asks every connection to end: polls that wait must be answered first."""
        super().shutdown()
        self.engine.begin_drain()

    def head_timed_out(self) -> None:
        """Too slow."""
        self.engine.observer.refused("slow_request")
        transport: Any = self.transport
        if not transport.is_closing():
            transport.close()
