"""Which web pages may speak to the engine (Fetch standard, "CORS protocol"), and the session cookie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class CorsPolicy(msgspec.Struct, frozen=True):
    """An allow-list of origins, `("*",)` for all. With `credentials` the origin is named back, as browsers demand.

    A WebSocket that comes from a page outside the list is refused, too: browsers do not ask before they open one.
    """

    origins: tuple[str, ...] = ("*",)
    credentials: bool = False
    methods: str = "GET,POST,OPTIONS"
    allow_headers: str | None = None
    """None: whatever the preflight asks for."""
    expose_headers: str | None = None
    max_age: int | None = None
    """Seconds for which a browser may remember a preflight."""

    def allows(self, origin: str | None, host: str | None = None) -> bool:
        """Whether a request with these Origin and Host headers may be served.

        One without Origin comes from no page, and a page may always speak to the host that it came from.
        """
        if origin is None or "*" in self.origins or origin in self.origins:
            return True
        return host is not None and origin.partition("://")[2] == host

    def headers(self, origin: str | None) -> dict[str, str]:
        """Headers of every answer."""
        headers = {}
        if "*" in self.origins and not self.credentials:
            headers["access-control-allow-origin"] = "*"
        else:
            headers["vary"] = "Origin"
            if origin is not None and self.allows(origin):
                headers["access-control-allow-origin"] = origin
        if self.credentials and "access-control-allow-origin" in headers:
            headers["access-control-allow-credentials"] = "true"
        if self.expose_headers:
            headers["access-control-expose-headers"] = self.expose_headers
        return headers

    def preflight(self, request: Mapping[str, str]) -> dict[str, str]:
        """Headers that answer an OPTIONS request with the given headers (lower-case names)."""
        headers = self.headers(request.get("origin"))
        headers["access-control-allow-methods"] = self.methods
        asked = request.get("access-control-request-headers")
        if self.allow_headers is not None:
            headers["access-control-allow-headers"] = self.allow_headers
        elif asked is not None:
            headers["access-control-allow-headers"] = asked
            headers["vary"] = (
                f"{headers['vary']}, Access-Control-Request-Headers"
                if "vary" in headers
                else ("Access-Control-Request-Headers")
            )
        if self.max_age is not None:
            headers["access-control-max-age"] = str(self.max_age)
        return headers


class SessionCookie(msgspec.Struct, frozen=True):
    """A cookie with the session id, for load balancers that keep a client on one node by it."""

    name: str = "io"
    path: str = "/"
    http_only: bool = True
    same_site: Literal["strict", "lax", "none"] = "lax"
    secure: bool = False
    max_age: int | None = None

    def header(self, sid: str) -> str:
        """The value of the Set-Cookie header."""
        parts = [f"{self.name}={sid}", f"Path={self.path}"]
        if self.max_age is not None:
            parts.append(f"Max-Age={self.max_age}")
        if self.http_only:
            parts.append("HttpOnly")
        if self.secure:
            parts.append("Secure")
        parts.append(f"SameSite={self.same_site.capitalize()}")
        return "; ".join(parts)
