"""The first bytes of a TCP connection decide who serves it: picows a WebSocket, uvicorn everything else.

uvicorn can hand an upgrade request over as well, and does where it comes later on a connection or in pieces; but it parses the
request first and writes it anew for picows to parse again, which costs a connecting socket more than its handshake.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from parlour.realtime.engine import EngineServer
    from parlour.realtime.guarded_http import GuardedHttpProtocol
    from parlour.realtime.websocket import WebSocketProtocol

_HEAD_END = b"\r\n\r\n"
_upgrades = re.compile(rb"\r\nupgrade:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE).search


class FrontDoor(asyncio.Protocol):
    """Subclassed by `EngineServer.http_protocol` with its class attributes; uvicorn makes one for each connection."""

    engine: ClassVar[EngineServer]
    http: ClassVar[type[GuardedHttpProtocol]]
    websocket: ClassVar[type[WebSocketProtocol]]

    __slots__ = ("_app_state", "_config", "_loop", "_server_state", "_transport", "counted")

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        """The signature that uvicorn calls (`uvicorn.protocols.http`)."""
        self._config = config
        self._server_state = server_state
        self._app_state = app_state
        self._loop = _loop
        self._transport: Any = None
        self.counted: str | None = None  # see PeerConnections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected: its first request is awaited."""
        self._transport = transport
        self._server_state.connections.add(self)
        self.engine.heads.add(self)
        self.counted, refusal = self.engine.admit_peer(transport, len(self._server_state.connections))
        if refusal:
            self.engine.observer.refused(refusal)
            self._leave()
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """The first bytes: the connection becomes somebody else's."""
        self._leave()
        transport = self._transport
        protocol: Any
        if self._config.ws != "none" and self._opens_websocket(data):
            protocol = self.websocket(self._config, self._server_state, self._app_state)
        else:
            protocol = self.http(self._config, self._server_state, self._app_state, self._loop)
        protocol.counted = self.counted
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        protocol.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left without a word."""
        self._leave()
        self.engine.peer_gone(self.counted)

    def shutdown(self) -> None:
        """Uvicorn shuts down and asks every connection to end."""
        self._leave()
        self._transport.close()

    def head_timed_out(self) -> None:
        """Too slow."""
        self.engine.observer.refused("slow_request")
        self.shutdown()

    def _leave(self) -> None:
        self._server_state.connections.discard(self)
        self.engine.heads.discard(self)

    def _opens_websocket(self, data: bytes) -> bool:
        """Whether this is one whole request for a WebSocket of the engine; what is in doubt is left to uvicorn."""
        return (
            data.startswith(self.engine.first_bytes)
            and data.find(_HEAD_END) == len(data) - 4
            and len(data) <= self.engine.limits.max_request_head_bytes
            and b"transport=websocket" in data[: data.find(b"\r\n")]
            and _upgrades(data) is not None
        )
