"""The ASGI application of long-polling: one path, GET and POST, CORS."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from parlour.realtime.connection import Connection, HandshakeRequest
from parlour.realtime.engine_packet import CLOSE_PAYLOAD
from parlour.realtime.polling import Polling
from parlour.realtime.verify import BAD_REQUEST, FORBIDDEN, Refused, parse_query, verify

if TYPE_CHECKING:
    from parlour.realtime.engine import EngineServer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PLAIN = "text/plain; charset=UTF-8"
_COMPRESS_FROM = 1024  # the reference server's threshold


class PollingApp:
    """An ASGI 3 application. Mount it where its engine's `path` leads."""

    def __init__(self, engine: EngineServer, *, compress: bool) -> None:
        self._engine = engine
        self._compress = compress

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request (ASGI 3)."""
        if scope["type"] != "http":
            raise RuntimeError(
                f"long-polling is HTTP, this is {scope['type']}: use websocket_protocol() for WebSockets"
            )
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        cors = self._engine.cors
        extra = {} if cors is None else cors.headers(headers.get("origin"))
        try:
            if not self._engine.serves(scope["path"]):
                raise Refused(BAD_REQUEST, "Not Found", 404)
            if cors is not None and scope["method"] == "OPTIONS":
                await _respond(send, 204, b"", cors.preflight(headers))
                return
            if cors is not None and not cors.allows(headers.get("origin"), headers.get("host")):
                self._engine.observer.refused("origin")
                raise Refused(FORBIDDEN, status=403)
            status, body, more = await self._serve(scope, headers, receive)
        except Refused as refused:
            status, body, more = refused.status, refused.body, refused.headers
        extra |= more
        extra["cache-control"] = "no-store"
        if self._compress and len(body) >= _COMPRESS_FROM and "gzip" in headers.get("accept-encoding", ""):
            body = gzip.compress(body, 4)
            extra["content-encoding"] = "gzip"
        await _respond(send, status, body, extra)

    async def _serve(
        self, scope: Scope, headers: dict[str, str], receive: Receive
    ) -> tuple[int, bytes, dict[str, str]]:
        engine = self._engine
        raw_query = scope["query_string"].decode("latin-1")
        query = parse_query(raw_query)
        if scope["method"] == "GET" and query.transport == "polling":
            last_words = engine.last_words(query.sid)
            if last_words is not None:
                return 200, last_words.payload(CLOSE_PAYLOAD), {"content-type": _PLAIN}
        connection = verify(engine.find, scope["method"], query, upgrade=False)
        if connection is None:
            return self._open(scope, headers, raw_query)
        polling = connection.transport
        if not isinstance(polling, Polling):
            raise Refused(BAD_REQUEST)
        if scope["method"] == "POST":
            return await self._post(connection, polling, headers, receive)
        payload = await polling.poll(receive)
        if payload is None:
            raise Refused(BAD_REQUEST)
        return 200, payload, {"content-type": _PLAIN}

    async def _post(
        self, connection: Connection, polling: Polling, headers: dict[str, str], receive: Receive
    ) -> tuple[int, bytes, dict[str, str]]:
        if headers.get("content-type") == "application/octet-stream":
            connection.fail("transport error")  # binary bodies were version 3
            raise Refused(BAD_REQUEST)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._engine.options.max_payload:
            raise Refused(BAD_REQUEST, "Payload too large", 413)
        status = await polling.post(receive)
        if status != 200:
            raise Refused(BAD_REQUEST, "Payload too large" if status == 413 else "", status)
        return 200, b"ok", {"content-type": _PLAIN}

    def _open(self, scope: Scope, headers: dict[str, str], raw_query: str) -> tuple[int, bytes, dict[str, str]]:
        engine = self._engine
        client = scope.get("client")
        address = engine.client_address(headers, client[0] if client else "")
        engine.admit(address, monotonic())
        request = HandshakeRequest(headers, raw_query, address, secure=scope.get("scheme") == "https")
        polling = Polling(engine)
        connection = engine.open(polling, request)
        answer = {"content-type": _PLAIN}
        if engine.cookie is not None:
            answer["set-cookie"] = engine.cookie.header(connection.sid)
        return 200, polling.payload(), answer


async def _respond(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    lines.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
