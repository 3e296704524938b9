"""The HTTP application of a process: routers of services under one error form, one schema and one shell."""

from collections.abc import Sequence
from pathlib import Path

from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.types import ASGIApp

from parlour.platform.health import Health
from parlour.platform.http import operations
from parlour.platform.http.envelope import EXCEPTION_HANDLERS
from parlour.platform.http.forwarded import forwarded_address
from parlour.platform.http.request import principal_from
from parlour.platform.http.schema import complete_schema, openapi_config
from parlour.platform.http.shell import Shell
from parlour.platform.http.web import WebFiles
from parlour.platform.tokens import TokenVerifier

MAX_BODY = 128 * 1024
"""Bytes of a request's body; the longest message is 8,000 characters, 96,000 bytes as escaped surrogate pairs."""


def create_application(
    routers: Sequence[Router],
    verifier: TokenVerifier | None,
    health: Health,
    *,
    version: str,
    cors_origins: Sequence[str] = (),
    timeout: float = 30.0,
    secure: bool = False,
    trusted_proxies: Sequence[str] = (),
    web: Path | None = None,
) -> ASGIApp:
    """Return the ASGI application that serves `routers`, /health, /metrics, /schema/openapi.json and the web client.

    Args:
        routers: what each service's `router()` returned.
        verifier: checks the access tokens of handlers that declare `principal`; None where there are none.
        health: what /health tells.
        version: of the program, for the schema.
        cors_origins: origins of other sites whose pages may call the API with credentials.
        timeout: seconds that a handler may take.
        secure: the server is reached by https.
        trusted_proxies: addresses and networks whose X-Forwarded-For is believed.
        web: folder of the built web client.
    """
    litestar = Litestar(
        route_handlers=[*routers, operations.router(health)],
        dependencies={} if verifier is None else {"principal": principal_from(verifier)},
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=openapi_config(version),
        request_max_body_size=MAX_BODY,
        cors_config=CORSConfig(
            allow_origins=list(cors_origins), allow_credentials=True, expose_headers=["Retry-After", "X-Request-Id"]
        )
        if cors_origins
        else None,
        logging_config=None,
    )
    complete_schema(litestar)
    return Shell(
        WebFiles(web, litestar), timeout=timeout, secure=secure, client_address=forwarded_address(trusted_proxies)
    )
