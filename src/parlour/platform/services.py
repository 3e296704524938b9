"""What services ask of each other over HTTP: a guarded client, and routes for nobody but them."""

import hmac
import logging
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import httpx
import msgspec
from litestar import Router, get
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import Guard as RouteGuard

from parlour.platform.errors import Internal, NotFound, Unauthenticated, Unavailable
from parlour.platform.guard import Guard
from parlour.platform.logging import correlation_id

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_REQUEST: Final = 2 * 2**20
"""Bytes of a service's question: a thousand names of the longest kind."""

MAX_ANSWER: Final = 16 * 2**20
"""Bytes of an answer; routes bound theirs by the number of things in it, far below."""

_KEEP_ALIVE: Final = 30.0
"""Seconds for which an idle connection is kept: less than the 75 s of serve.py, so that the server does not close it under a question."""

_SCHEME: Final = "Bearer "


class ServiceSecretWrong(Unauthenticated):
    """Another service was expected to ask this, and its secret is another one.

    For operators: give every process of the server the same `PARLOUR_SERVICE_SECRET`.
    """

    code = "service_secret_wrong"


class ServiceClient:
    """One service, `auth` say, as another one asks it, by the routes of `service_router`.

    Failure: `Unavailable` (retry_after 1 s) when the service cannot be reached, takes longer than `timeout` seconds for the whole
    answer, answers 5xx, redirects or refuses, or says what is no answer. That it refuses, answers with garbage, or fails so often
    that it is left alone, is logged once until it is of use again. A question that failed may have been done; it is repeated only
    where the caller says that it may be. No more than `connections` are open, and `largest` bytes of an answer are read.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        secret: str,
        *,
        timeout: float = 5.0,
        connections: int = 32,
        largest: int = MAX_ANSWER,
    ) -> None:
        """Name the service as its routes and metrics do, and where it is: `http://host:port`, or `https://`, which is verified.

        Raises:
            ValueError: the URL is none of HTTP, or the secret cannot stand in a header.
        """
        try:
            url = httpx.URL(base_url)
        except httpx.InvalidURL as error:
            raise ValueError(f"the address of the {name} service is no URL") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"the address of the {name} service is no http:// or https:// URL")
        self._name = name
        self._largest = largest
        self._complaint = ""
        self._guard = Guard(name, Unavailable, timeout=timeout, concurrent=connections)
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"authorization": _SCHEME + checked_secret(secret), "accept-encoding": "identity"},
            timeout=timeout,
            limits=httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_KEEP_ALIVE
            ),
            verify=ssl.create_default_context() if url.scheme == "https" else False,
            trust_env=False,  # services are neighbours: no proxy of the environment stands between them
        )

    async def call(self, path: str, request: msgspec.Struct, kind: type[T], *, repeatable: bool) -> T:
        """Return what the service answers to `request`, as a `kind`.

        Raises:
            Unavailable: there is no such answer, as the class says.
            Internal: the service finds the question malformed.
        """
        content = msgspec.json.encode(request)
        return self._decoded(path, await self._ask("POST", path, content, repeatable=repeatable), kind)

    async def read(self, path: str, kind: type[T]) -> T:
        """Return what is at a public address of the service, past any cache on the way.

        Raises:
            Unavailable, Internal: as `call`.
        """
        return self._decoded(path, await self._ask("GET", path, repeatable=True), kind)

    async def check(self) -> None:
        """Ask whether the service is there and takes the secret.

        Raises:
            Unavailable: it is not, or does not.
        """
        await self._ask("GET", f"/internal/{self._name}")

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, content: bytes | None = None, *, repeatable: bool = False) -> bytes:
        try:
            status, answer = await self._guard.call(lambda: self._send(method, path, content), repeatable=repeatable)
        except Unavailable as error:
            if self._guard.away and not self._complaint:
                self._complain(path, "it does not answer", error=repr(error.__cause__))
            raise
        if status in (httpx.codes.OK, httpx.codes.NO_CONTENT):
            return answer
        code = _code_of(answer)
        match status:
            case _ if code == ServiceSecretWrong.code:
                self._complain(path, "the secret differs: give both processes the same PARLOUR_SERVICE_SECRET")
            case httpx.codes.BAD_REQUEST | httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                self._complain(
                    path, "it finds the question malformed: are both processes of one version?", status=status
                )
                raise Internal
            case _:
                self._complain(path, "it refuses: is its address that of a process with its role?", status=status)
        raise Unavailable(retry_after=1)

    async def _send(self, method: str, path: str, content: bytes | None) -> tuple[int, bytes]:
        """Return status and body, which is whole and within its bound."""
        headers = {"cache-control": "no-cache"} if content is None else {"content-type": "application/json"}
        if doing := correlation_id.get():
            headers["x-request-id"] = doing
        answer = bytearray()
        try:
            async with self._http.stream(method, path, content=content, headers=headers) as response:
                async for part in response.aiter_raw():
                    answer += part
                    if len(answer) > self._largest:
                        self._complain(path, "its answer is too large", limit=self._largest)
                        raise Unavailable(retry_after=1)
        except httpx.HTTPError as error:
            raise Unavailable(retry_after=1) from error
        if response.is_server_error:
            raise Unavailable(retry_after=1)
        return response.status_code, bytes(answer)

    def _decoded(self, path: str, answer: bytes, kind: type[T]) -> T:
        try:
            decoded = msgspec.json.decode(answer, type=kind)
        except (msgspec.MsgspecError, RecursionError) as error:
            self._complain(path, "its answer is not understood", error=str(error))
            raise Unavailable(retry_after=1) from error
        if self._complaint:
            self._complaint = ""
            logger.info("the %s service is of use again", self._name)
        return decoded

    def _complain(self, path: str, reason: str, **about: object) -> None:
        if reason != self._complaint:
            self._complaint = reason
            about = {"service": self._name, "path": path, **about}
            logger.error("the %s service is of no use: %s", self._name, reason, extra=about)


def require_service(secret: str) -> RouteGuard:
    """Return a guard of routes that lets in who sends `Authorization: Bearer <secret>`.

    Who sends nothing gets what any unknown address answers.

    Raises:
        ValueError: `secret` is empty or cannot stand in a header.
    """
    expected = (_SCHEME + checked_secret(secret)).encode()

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization")
        if given is None:
            raise NotFound("There is nothing at this address.")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), expected):
            raise ServiceSecretWrong

    return guard


def service_router(
    name: str, secret: str, handlers: Sequence[HTTPRouteHandler], dependencies: Mapping[str, Provide] | None = None
) -> Router:
    """Return routes below /internal/<name> that only services can use, and that no schema tells of.

    Raises:
        ValueError: as `require_service`.
    """
    return Router(
        f"/internal/{name}",
        route_handlers=[_present, *handlers],
        guards=[require_service(secret)],
        dependencies=dependencies,
        include_in_schema=False,
        request_max_body_size=MAX_REQUEST,
    )


@get("/", status_code=204, sync_to_thread=False)
def _present() -> None:
    """Tell a service that this one is here."""


def checked_secret(secret: str) -> str:
    """Return a secret that can stand in a header.

    Raises:
        ValueError: it is empty, or has something else than printable ASCII or a space at an end.
    """
    if not secret or not secret.isascii() or not secret.isprintable() or secret != secret.strip():
        raise ValueError(
            "the secret of services is empty, or has something else than printable ASCII or a space at an end"
        )
    return secret


def _code_of(answer: bytes) -> str | None:
    try:
        return msgspec.json.decode(answer, type=_Refusal).error.code
    except (msgspec.MsgspecError, RecursionError):
        return None


class _RefusalBody(msgspec.Struct):
    code: str


class _Refusal(msgspec.Struct):
    error: _RefusalBody
