"""Whether a request may begin or go on with a session, answered as the reference server answers (engine.io 6.6, `verify`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from parlour.realtime.connection import Connection
from parlour.realtime.engine_packet import PROTOCOL_VERSION

UNKNOWN_TRANSPORT: Final = 0
UNKNOWN_SID: Final = 1
BAD_HANDSHAKE_METHOD: Final = 2
BAD_REQUEST: Final = 3
FORBIDDEN: Final = 4
UNSUPPORTED_PROTOCOL_VERSION: Final = 5

_MESSAGES: Final = (
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
)


class Refused(Exception):
    """A request is answered with an error: an HTTP status and `{"code", "message"}`."""

    def __init__(self, code: int, message: str = "", status: int = 400, retry_after: int | None = None) -> None:
        message = message or _MESSAGES[code]
        super().__init__(message)
        self.status = status
        self.body = msgspec.json.encode({"code": code, "message": message})
        self.headers = {"content-type": "application/json"}
        if retry_after is not None:
            self.headers["retry-after"] = str(retry_after)


class Query(NamedTuple):
    """The parameters that the protocol knows; of a repeated one the last, as in the reference server."""

    transport: str
    version: str
    sid: str


_USUAL: Final = "EIO=4&transport=websocket"
_USUAL_QUERY: Final = Query("websocket", PROTOCOL_VERSION, "")
"""What stock clients ask for when they connect by WebSocket; taking it apart would cost a tenth of the handshake."""


def parse_query(query: str) -> Query:
    """Takes them from a query string."""
    if query == _USUAL:
        return _USUAL_QUERY
    try:
        values: Mapping[str, str] = dict(parse_qsl(query, max_num_fields=100))
    except ValueError as exc:
        raise Refused(BAD_REQUEST) from exc
    return Query(values.get("transport", ""), values.get("EIO", ""), values.get("sid", ""))


def verify(find: Callable[[str], Connection | None], method: str, query: Query, *, upgrade: bool) -> Connection | None:
    """The session that a request belongs to, None when it asks for a new one.

    Raises:
        Refused: with the code that the reference server gives.
    """
    if query.transport not in ("polling", "websocket"):
        raise Refused(UNKNOWN_TRANSPORT)
    if query.sid:
        connection = find(query.sid)
        if connection is None:
            raise Refused(UNKNOWN_SID)
        if query.version != PROTOCOL_VERSION or (upgrade and query.transport != "websocket"):
            raise Refused(BAD_REQUEST)
        if not upgrade and query.transport != connection.transport.name:
            raise Refused(BAD_REQUEST)
        if method not in ("GET", "POST"):
            raise Refused(BAD_HANDSHAKE_METHOD)
        return connection
    if method != "GET":
        raise Refused(BAD_HANDSHAKE_METHOD)
    if upgrade != (query.transport == "websocket"):
        raise Refused(BAD_REQUEST)
    if query.version != PROTOCOL_VERSION:
        raise Refused(UNSUPPORTED_PROTOCOL_VERSION)
    return None
