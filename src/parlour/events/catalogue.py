"""How a service describes its Socket.IO events: the source of docs/reference/events.md."""

from typing import Any, NamedTuple

import msgspec

from parlour.platform.errors import Internal, InvalidRequest, ParlourError, RateLimited, Unavailable

Errors = tuple[type[ParlourError], ...]

ALWAYS: Errors = (InvalidRequest, RateLimited, Unavailable, Internal)
"""What any event may be refused with."""


class ClientEvent(NamedTuple):
    """What a client sends: payload, acknowledgement, the errors besides `ALWAYS`, and examples as plain values."""

    name: str
    summary: str
    payload: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    errors: Errors
    example: dict[str, Any]
    answer_example: dict[str, Any]


class ServerEvent(NamedTuple):
    """What the server sends."""

    name: str
    summary: str
    payload: type[msgspec.Struct]
    example: dict[str, Any]
