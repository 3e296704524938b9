"""From a client's payload to a checked value, and from an error to what an acknowledgement says."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import msgspec

from parlour.platform.errors import ErrorBody, Internal, InvalidRequest, NotFound, ParlourError
from parlour.platform.logging import new_correlation_id
from parlour.realtime import PacketRefused, Socket, UnknownNamespace

P = TypeVar("P", bound=msgspec.Struct)
T = TypeVar("T")
A = TypeVar("A")
Handler = Callable[..., Awaitable[object]]

_missing = re.compile(r"missing required field `([^`]+)`").search
_path = re.compile(r"`\$\.?([^`]*)`$").search


class Done(msgspec.Struct):
    """It is done."""

    ok: Literal[True] = True


class Refused(msgspec.Struct):
    """It was refused, and nothing was changed."""

    error: ErrorBody
    ok: Literal[False] = False


DONE = Done()


def refusal(error: BaseException) -> Refused:
    """Return what a client is told of `error`: a `ParlourError` as it is, anything else as `internal` without details.

    This is the `refusal` of the realtime `Server`.
    """
    known = error.__cause__ if isinstance(error, PacketRefused) else error
    return Refused(known.body() if isinstance(known, ParlourError) else Internal().body())


def connect_refusal(error: BaseException) -> ErrorBody:
    """Return the `data` of a `connect_error` that came with none: there is no such namespace, or `internal`.

    This is the `connect_data` of the realtime `Server`.
    """
    if isinstance(error, UnknownNamespace):
        return NotFound("There is no such namespace.").body()
    return Internal().body()


def checked(payload_type: type[P], args: tuple[Any, ...]) -> P:
    """Return the first argument of an event as a `payload_type`.

    Raises:
        InvalidRequest: it is something else; `details` names the field.
    """
    try:
        return msgspec.convert(args[0] if args else None, payload_type)
    except msgspec.ValidationError as error:
        message = str(error)
        match = _missing(message) or _path(message)
        raise InvalidRequest(message, details={"field": match[1] if match else ""}) from error


def answering(payload_type: type[P], handle: Callable[[Socket, P], Awaitable[object]]) -> Handler:
    """Return a handler for the realtime engine that checks the payload and leaves the rest to `handle`.

    Log lines on the way carry the payload's `client_id` or `call_id` as their correlation id, where it has one.
    An error that the client is told of leaves it as `PacketRefused`, which the engine counts but does not log.
    """

    async def handler(socket: Socket, *args: Any) -> object:
        try:
            payload = checked(payload_type, args)
            new_correlation_id(getattr(payload, "client_id", None) or getattr(payload, "call_id", None))
            return await handle(socket, payload)
        except ParlourError as error:
            raise _refused(error) from error

    return handler


def later(pending: "asyncio.Future[T]", say: Callable[[T], A]) -> "asyncio.Future[A]":
    """Return what a handler returns to be acknowledged with `say(result)` once `pending` has it."""
    answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()

    def told(done: "asyncio.Future[T]") -> None:
        if done.cancelled():
            answer.cancel()
            return
        error = done.exception()
        if error is None:
            answer.set_result(say(done.result()))
        else:
            answer.set_exception(_refused(error) if isinstance(error, ParlourError) else error)

    pending.add_done_callback(told)
    return answer


def _refused(error: ParlourError) -> PacketRefused:
    refused = PacketRefused(error.message, error.code)
    refused.__cause__ = error
    return refused
