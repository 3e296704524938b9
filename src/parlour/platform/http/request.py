"""What a request says about who sent it."""

from typing import Any

from litestar import Request
from litestar.di import Provide

from parlour.platform.errors import Unauthenticated
from parlour.platform.tokens import Principal, TokenVerifier

AnyRequest = Request[Any, Any, Any]

_SCHEME = "bearer "


def client_address(request: AnyRequest) -> str:
    """Return the address of the client: behind a trusted proxy the one that the proxy names (`Shell`)."""
    return request.client.host if request.client else ""


def user_agent(request: AnyRequest) -> str:
    """Return what the client calls itself, at most 256 characters."""
    return request.headers.get("user-agent", "")[:256]


def principal_from(verifier: TokenVerifier) -> Provide:
    """Return the dependency `principal`: the verified caller.

    Raises, when a handler that declares it is called:
        Unauthenticated: the header is missing or of another scheme, or the token is not valid (its subclasses say why).
    """

    def principal(request: AnyRequest) -> Principal:
        header = request.headers.get("authorization", "")
        if header[:7].lower() != _SCHEME:
            raise Unauthenticated
        return verifier.verify(header[7:].strip())

    return Provide(principal, sync_to_thread=False)
