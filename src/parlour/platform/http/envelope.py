"""The one form of every error answer, and the one place that maps exceptions to it."""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import MediaType, Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    SerializationException,
    ValidationException,
)
from litestar.types import ExceptionHandlersMap

from parlour.platform.errors import (
    ErrorBody,
    Forbidden,
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    ParlourError,
    TooLarge,
    Unauthenticated,
)
from parlour.platform.http.request import AnyRequest

logger = logging.getLogger(__name__)


class Envelope(msgspec.Struct):
    """What an error looks like on the wire."""

    error: ErrorBody


def answer(error: ParlourError) -> Response[Envelope]:
    """Return the answer to a request that failed with `error`."""
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return Response(Envelope(error.body()), status_code=error.status, headers=headers, media_type=MediaType.JSON)


def _expected(request: AnyRequest, error: ParlourError) -> Response[Envelope]:
    if isinstance(error, Internal):  # whoever knew why has logged it; this line has the id that the client was given
        logger.error("request failed", extra={"method": request.method, "path": request.url.path})
    return answer(error)


def _invalid(_request: AnyRequest, error: ValidationException) -> Response[Envelope]:
    """Name the first field that does not fit as every other error does (`details.field`), and all of them with the reasons."""
    problems: Any = error.extra or []
    first = problems[0].get("key", "") if problems and isinstance(problems[0], dict) else ""
    return answer(InvalidRequest("The request does not fit.", details={"field": first, "fields": problems}))


def _http(request: AnyRequest, error: HTTPException) -> Response[Envelope]:
    """Map what Litestar itself raises: routing, parsing and sizes."""
    mapped: ParlourError
    match error:
        case NotFoundException():
            mapped = NotFound("There is nothing at this address.")
        case MethodNotAllowedException():
            mapped = MethodNotAllowed()
        case NotAuthorizedException():
            mapped = Unauthenticated()
        case PermissionDeniedException():
            mapped = Forbidden()
        case _ if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            mapped = TooLarge(details={"limit": request.app.request_max_body_size})
        case InternalServerException(detail="client disconnected prematurely"):
            mapped = InvalidRequest("The body ended early.")  # nobody reads it, and nothing of ours went wrong
        case ClientException() | SerializationException():
            mapped = InvalidRequest(error.detail if error.status_code < 500 else None)
        case _:
            return _unexpected(request, error)
    response = answer(mapped)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def _recursion(request: AnyRequest, error: RecursionError) -> Response[Envelope]:
    """Tell a body that nests deeper than msgspec follows from a fault of ours."""
    if "deserializing" in str(error):
        return answer(InvalidRequest("The body is nested too deeply."))
    return _unexpected(request, error)


def _unexpected(request: AnyRequest, error: Exception) -> Response[Envelope]:
    logger.error("unhandled error", exc_info=error, extra={"method": request.method, "path": request.url.path})
    return answer(Internal())


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    ParlourError: _expected,
    ValidationException: _invalid,
    HTTPException: _http,
    RecursionError: _recursion,
    Exception: _unexpected,
}
