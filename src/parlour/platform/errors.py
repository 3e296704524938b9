"""The errors that reach a client, over HTTP and in acknowledgements alike.

    ParlourError
    ├── InvalidRequest     400  the request can never succeed as it is
    ├── Unauthenticated    401  who are you?
    ├── Forbidden          403  you may not
    ├── NotFound           404  there is no such thing, or it is not yours to see
    │   └── RoomNotFound   404  of rooms, which chat and video share
    ├── Conflict           409  it is already so, or it changed meanwhile
    ├── TooLarge           413  more bytes than the limit
    ├── RateLimited        429  too many; `retry_after` says when
    ├── Internal           500  our fault; logged with the correlation id
    └── Unavailable        503  an engine is down or busy; `retry_after` says when
        └── BrokerUnavailable 503  the engine that carries commands

A service derives its own errors from these in its `errors.py`; `code` is permanent, the message may change. The docstring's first
line is the meaning and the second paragraph says what to do; docs/reference/errors.md is generated from them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec


class ErrorBody(msgspec.Struct, omit_defaults=True):
    """The value of `error` on the wire: `retry_after` in seconds, `details` for machines."""

    code: str
    message: str
    retry_after: float | None = None
    details: dict[str, Any] | None = None


class ParlourError(Exception):
    """The root of everything that a client is told."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(
        self, message: str | None = None, *, retry_after: float | None = None, details: dict[str, Any] | None = None
    ) -> None:
        self.message = message or meaning(type(self))
        self.retry_after = retry_after
        self.details = details
        super().__init__(self.message)

    def body(self) -> ErrorBody:
        """Return what goes under `error` on the wire."""
        return ErrorBody(self.code, self.message, self.retry_after, self.details)


def meaning(error: type[ParlourError]) -> str:
    """Return the first line of an error's docstring, which is its default message."""
    return (error.__doc__ or "").strip().partition("\n")[0]


def error_from(body: Mapping[str, Any]) -> ParlourError:
    """Return the error that another process of ours has put into `body`; `Internal` where this one knows none of that code."""
    for kind in _kinds(ParlourError):
        if getattr(kind, "code", None) == body.get("code"):
            return kind(body.get("message"), retry_after=body.get("retry_after"), details=body.get("details"))
    return Internal(body.get("message"))


def _kinds(root: type[ParlourError]) -> Iterator[type[ParlourError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _kinds(kind)


class InvalidRequest(ParlourError):
    """The request is malformed.

    Mend the request; `details` names the field. Repeating it unchanged cannot succeed.
    """

    code = "invalid_request"
    status = 400


class Unauthenticated(ParlourError):
    """An access token is needed.

    Log in or refresh, and send `Authorization: Bearer <access token>` (HTTP) or `auth: {token}` (socket).
    """

    code = "unauthenticated"
    status = 401


class Forbidden(ParlourError):
    """You are not allowed to do this.

    Ask someone whose role permits it.
    """

    code = "forbidden"
    status = 403


class NotFound(ParlourError):
    """There is no such thing, or it is not yours to see.

    Drop the id; it will not appear by repeating.
    """

    code = "not_found"
    status = 404


class RoomNotFound(NotFound):
    """There is no such room, or you are not a member of it.

    Drop the room, or join it first where it is public.
    """

    code = "room_not_found"


class MethodNotAllowed(ParlourError):
    """This address does not take that method.

    The `Allow` header lists those it takes.
    """

    code = "method_not_allowed"
    status = 405


class Conflict(ParlourError):
    """It is already so, or it changed meanwhile.

    Fetch the present state and decide again.
    """

    code = "conflict"
    status = 409


class TooLarge(ParlourError):
    """The request is larger than the limit.

    Send less; `details.limit` is the limit in bytes.
    """

    code = "too_large"
    status = 413


class RateLimited(ParlourError):
    """Too many requests.

    Wait `retry_after` seconds, then repeat.
    """

    code = "rate_limited"
    status = 429


class Internal(ParlourError):
    """Something went wrong on the server.

    Repeat once after a pause; if it stays, report the correlation id (`X-Request-Id`) to the administrator.
    """

    code = "internal"
    status = 500


class Unavailable(ParlourError):
    """The server cannot do this right now.

    Wait `retry_after` seconds, then repeat; whatever has a `client_id` is safe to repeat.
    """

    code = "unavailable"
    status = 503


class BrokerUnavailable(Unavailable):
    """Messages cannot be taken just now.

    Wait `retry_after` seconds, then repeat with the same `client_id`; reading goes on meanwhile.
    """

    code = "broker_unavailable"


class TablesNewer(Exception):
    """A newer Parlour wrote the tables. Not for clients: it ends a start, and the message tells the operator what to do."""


class TablesInUse(Exception):
    """Processes of an older Parlour use the tables that this one is to change. It ends a start, and the message tells what to do."""
