"""The cookies of browsers: the refresh and the device token, which no script reads and no page of another site uses."""

from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from litestar import Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.types import ExceptionHandlersMap

from parlour.auth.errors import (
    AccountDisabled,
    CrossSite,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenReused,
)
from parlour.auth.model import DAY
from parlour.auth.service import Grant
from parlour.platform.errors import ParlourError
from parlour.platform.http import Envelope
from parlour.platform.http.envelope import answer
from parlour.platform.http.request import AnyRequest
from parlour.platform.tokens import SessionEnded

REFRESH_COOKIE = "parlour_refresh"
DEVICE_COOKIE = "parlour_device"
_PATH = "/api/auth"
_DEVICE_SECONDS = 365 * DAY // 1000
_PORTS = {"http": ":80", "https": ":443"}

NO_REFRESH_COOKIE = Cookie(key=REFRESH_COOKIE, path=_PATH, max_age=0, httponly=True, samesite="strict")
"""Takes the refresh token out of a browser."""

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def cookies_of(request: AnyRequest, grant: Grant, idle_seconds: int) -> list[Cookie]:
    """Return what puts the tokens of a grant into a browser."""
    cookies = [_cookie(request, REFRESH_COOKIE, grant.refresh_token, idle_seconds)]
    if grant.device_token:
        cookies.append(_cookie(request, DEVICE_COOKIE, grant.device_token, _DEVICE_SECONDS))
    return cookies


def _cookie(request: AnyRequest, name: str, value: str, max_age: int) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path=_PATH,
        max_age=max_age,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def presented(request: AnyRequest, given: str | None) -> str | None:
    """Return the refresh token that a request presents, in its body or else in the cookie."""
    if given is not None:
        return given
    request.state.by_cookie = True
    return request.cookies.get(REFRESH_COOKIE)


def own_pages_only(origins: Collection[str]) -> Guard:
    """Return a guard against pages of other sites, for routes that take the refresh cookie.

    SameSite=Strict keeps the cookie from other sites already, but not from others below the same domain, and not in old browsers. A
    page may use it that comes from the host it asks, or from one of `origins`; `*` stands for all.

    Raises, when a request with the cookie is refused:
        CrossSite.
    """
    allowed = {_normal(origin) for origin in origins if origin}

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        if REFRESH_COOKIE not in connection.cookies:
            return
        headers = connection.headers
        origin = headers.get("origin")
        if headers.get("sec-fetch-site") == "cross-site":
            raise CrossSite
        if origin is None or "*" in allowed or _normal(origin) in allowed:
            return
        # By host alone: behind a proxy that ends TLS we do not always know the scheme.
        scheme = origin.partition(":")[0]
        if _normal(origin) != _normal(f"{scheme}://{headers.get('host', '')}"):
            raise CrossSite

    return guard


def _normal(origin: str) -> str:
    """Return an origin as a browser writes it: scheme and host in lower case, no usual port, no path; `null` stays."""
    try:
        parts = urlsplit(origin.lower())
    except ValueError:  # as in `http://[`
        return origin
    return f"{parts.scheme}://{parts.netloc.removesuffix(_PORTS.get(parts.scheme, ''))}" if parts.netloc else origin


def _forget(request: AnyRequest, error: ParlourError) -> Response[Envelope]:
    """Tell of a refresh token that will never be of use again, and take it out of the browser where it came from the cookie."""
    response = answer(error)
    if REFRESH_COOKIE in request.cookies and request.state.get("by_cookie"):
        response.set_cookie(NO_REFRESH_COOKIE)
    return response


FORGETTING: ExceptionHandlersMap = dict.fromkeys(
    (RefreshTokenInvalid, RefreshTokenExpired, RefreshTokenReused, SessionEnded, AccountDisabled), _forget
)
"""For routes that take the refresh cookie: which failures end its life."""
