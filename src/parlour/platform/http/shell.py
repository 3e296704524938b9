"""What surrounds every request: correlation id, security headers, a time limit, and the RED metrics."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from parlour.platform import metrics
from parlour.platform.logging import correlation_id, new_correlation_id

logger = logging.getLogger(__name__)

_SECURITY_HEADERS: list[tuple[bytes, bytes]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(), payment=(), usb=()"),
]
_POLICY = b"content-security-policy"
_STRICT_POLICY = (_POLICY, b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
"""Of every answer that brings no policy of its own, as the web client's page does."""

_READ_HEADERS = frozenset({b"x-request-id", b"x-forwarded-for"})
_TIMED_OUT = b'{"error":{"code":"unavailable","message":"The server took too long.","retry_after":1}}'


class Shell:
    """An ASGI application around another.

    Answers of a handler that takes longer than `timeout` seconds are replaced by 503 `unavailable`; the handler is cancelled.
    HEAD is answered as GET is, without the body (RFC 9110 section 9.3.2).

    An application that has one `route` and a protocol of its own on it, as long-polling, bounds its time by itself (`timeout` None), says
    what HEAD is, and is not timed by a metric, since its requests hang on purpose.
    """

    def __init__(
        self,
        application: ASGIApp,
        *,
        timeout: float | None,
        secure: bool,
        client_address: Callable[[Mapping[str, str], str], str],
        route: str | None = None,
    ) -> None:
        """Wrap `application`; `secure`: the server is reached by https, so cookies are Secure and Strict-Transport-Security is sent."""
        self._application = application
        self._client_address = client_address
        self._timeout = timeout
        self._secure = secure
        self._route = route
        self._headers = list(_SECURITY_HEADERS)
        if secure:
            self._headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))
        self._observers: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3); other scopes pass as they are."""
        if scope["type"] != ScopeType.HTTP:
            await self._application(scope, receive, send)
            return
        begun = perf_counter()
        status = 0
        if self._secure:
            scope["scheme"] = "https"  # between a proxy that ends TLS and here it is plain HTTP
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _READ_HEADERS}
        request_id = new_correlation_id(headers.get(b"x-request-id")).encode()
        if scope["client"]:
            peer, port = scope["client"]
            forwarded = {"x-forwarded-for": headers.get(b"x-forwarded-for", "")}
            scope["client"] = (self._client_address(forwarded, peer), port)

        head = scope["method"] == "HEAD" and self._route is None
        inner: HTTPScope = {**scope, "method": HttpMethod.GET} if head else scope

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.body":
                if head:
                    message["body"] = b""
            elif message["type"] == "http.response.start":
                status = message["status"]
                own = list(message["headers"])
                if all(name != _POLICY for name, _ in own):
                    own.append(_STRICT_POLICY)
                message["headers"] = [*own, *self._headers, (b"x-request-id", request_id)]
            await send(message)

        try:
            async with asyncio.timeout(self._timeout):
                await self._application(inner, receive, send_with_headers)
        except TimeoutError:
            logger.warning("request timed out", extra={"path": scope["path"], "method": scope["method"]})
            if not status:
                kind = [(b"content-type", b"application/json"), (b"retry-after", b"1")]
                await send_with_headers({"type": "http.response.start", "status": 503, "headers": kind})
                await send_with_headers({"type": "http.response.body", "body": _TIMED_OUT, "more_body": False})
        finally:
            self._observe(scope["method"], self._route or inner.get("path_template"), status, perf_counter() - begun)
            correlation_id.set("")

    def _observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        # A path or a method that is not ours would make a label of whatever strangers ask for.
        method, route = method if method in _METHODS else "other", route or "unknown"
        key = (method, route, status)
        observers = self._observers.get(key)
        if observers is None:
            observers = (
                metrics.HTTP_REQUESTS.labels(method, route, str(status)),
                metrics.HTTP_SECONDS.labels(method, route),
            )
            self._observers[key] = observers
        observers[0].inc()
        if self._route is None:
            observers[1].observe(seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
