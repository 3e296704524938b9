"""The routes of accounts, sessions and the directory (DESIGN.md section 4)."""

from collections.abc import Collection
from typing import Annotated

import msgspec
from litestar import Response, Router, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from parlour.auth.cookies import (
    DEVICE_COOKIE,
    FORGETTING,
    NO_REFRESH_COOKIE,
    cookies_of,
    own_pages_only,
    presented,
)
from parlour.auth.errors import RefreshTokenInvalid
from parlour.auth.model import Lifetimes, User
from parlour.auth.service import Auth, Grant, Origin
from parlour.auth.service.accounts import profile_of
from parlour.auth.service.directory import MAX_PAGE, Page
from parlour.platform.contracts import Profile
from parlour.platform.errors import Unauthenticated
from parlour.platform.http import client_address, user_agent
from parlour.platform.http.request import AnyRequest
from parlour.platform.ids import SessionId, UserId, is_uuid
from parlour.platform.permissions import Role
from parlour.platform.tokens import Principal

_ACCOUNTS, _SESSIONS, _USERS = ["accounts"], ["sessions"], ["users"]

Text = Annotated[str, msgspec.Meta(max_length=1024)]
Token = Annotated[str, msgspec.Meta(max_length=256)]

Caller = NamedDependency[SkipValidation[Principal]]
UseCases = NamedDependency[SkipValidation[Auth]]


class Registration(msgspec.Struct):
    """A new account. `cookie`: keep the refresh and the device token in cookies; `device_token`: of an earlier login on this device."""

    username: Text
    email: Text
    password: str
    display_name: Text | None = None
    cookie: bool = False
    device_token: Token | None = None


class Login(msgspec.Struct):
    """Username or e-mail address, and password; the rest as in a registration.

    No account has a second factor yet: a `totp` is refused, so that nobody thinks it was checked.
    """

    login: Text
    password: Text
    totp: None = None
    cookie: bool = False
    device_token: Token | None = None


class Refresh(msgspec.Struct):
    """A refresh token; without one that of the cookie is taken."""

    refresh_token: Token | None = None
    cookie: bool = False


class Logout(msgspec.Struct):
    """Without an access token the session is named by its refresh token, here or in the cookie."""

    refresh_token: Token | None = None


class PasswordChange(msgspec.Struct):
    """The present password and the new one."""

    current_password: Text
    new_password: str


class MyChanges(msgspec.Struct):
    """What one may change of one's own account."""

    display_name: Text


class UserChanges(msgspec.Struct):
    """What those who manage users may change; what is absent stays."""

    role: Role | None = None
    disabled: bool | None = None


class GrantAnswer(msgspec.Struct, omit_defaults=True):
    """Who one is and the tokens to act with; `expires_in` in seconds. With cookies neither refresh nor device token is in the body."""

    user: User
    access_token: str
    expires_in: int
    token_type: str
    refresh_token: str | None = None
    device_token: str | None = None


class SessionAnswer(msgspec.Struct):
    """One login on one device, times in ms; `current` is the one that asks."""

    id: SessionId
    device: str
    address: str
    created_at: int
    last_used_at: int
    expires_at: int
    current: bool


class SessionList(msgspec.Struct):
    """Live sessions, the last used first."""

    sessions: list[SessionAnswer]


class PublicKey(msgspec.Struct):
    """An Ed25519 public key (RFC 8037 section 2)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class KeySet(msgspec.Struct):
    """A JWK set (RFC 7517 section 5)."""

    keys: list[PublicKey]


@post("/api/auth/register", tags=_ACCOUNTS, operation_id="register", summary="Make an account and log in")
async def register(*, request: AnyRequest, auth: UseCases, data: JSONBody[Registration]) -> Response[GrantAnswer]:
    """The first account of a server is its owner, later ones are members."""
    origin = _origin(request, data.device_token)
    grant = await auth.accounts.register(data.username, data.email, data.password, data.display_name, origin)
    return _granted(request, grant, auth.lifetimes, cookie=data.cookie, status=201)


@post("/api/auth/login", status_code=200, tags=_ACCOUNTS, operation_id="login", summary="Log in")
async def log_in(*, request: AnyRequest, auth: UseCases, data: JSONBody[Login]) -> Response[GrantAnswer]:
    """Failures slow the next attempts, by 1, 5, 15 and 60 minutes, but never on a device from which the account was logged in to before."""
    grant = await auth.logins.log_in(data.login, data.password, _origin(request, data.device_token))
    return _granted(request, grant, auth.lifetimes, cookie=data.cookie, status=200)


@post(
    "/api/auth/refresh", status_code=200, tags=_ACCOUNTS, operation_id="refresh", summary="Get the next pair of tokens"
)
async def refresh(
    *, request: AnyRequest, auth: UseCases, data: JSONBody[Refresh | None] = None
) -> Response[GrantAnswer]:
    """The refresh token is spent. Using it again later than a few seconds after ends the session.

    A cookie is taken from pages of this site only, and removed when its token will never be of use again.
    """
    given = data.refresh_token if data else None
    token = presented(request, given)
    if token is None:
        raise RefreshTokenInvalid("A refresh token is needed, in the body or in the cookie.")
    grant = await auth.sessions.refresh(token, _origin(request, None))
    return _granted(
        request, grant, auth.lifetimes, cookie=given is None or (data is not None and data.cookie), status=200
    )


@post(
    "/api/auth/logout",
    status_code=204,
    response_cookies=[NO_REFRESH_COOKIE],
    tags=_ACCOUNTS,
    operation_id="logout",
    summary="End this session",
)
async def log_out(*, request: AnyRequest, auth: UseCases, data: JSONBody[Logout | None] = None) -> None:
    """The session is that of the access token or, without a valid one, of the refresh token in the body or in the cookie."""
    token = presented(request, data.refresh_token if data else None)
    try:
        await auth.sessions.log_out(auth.verifier.verify(_bearer(request)))
    except Unauthenticated:
        if token is None:
            raise
        await auth.sessions.log_out_with(token)


@get("/api/auth/sessions", tags=_SESSIONS, operation_id="listSessions", summary="Where am I logged in?")
async def list_sessions(*, principal: Caller, auth: UseCases) -> SessionList:
    """Live sessions with device, address and last use, the last used first."""
    return SessionList(
        [
            SessionAnswer(
                id=session.id,
                device=session.device,
                address=session.address,
                created_at=session.created_at,
                last_used_at=session.last_used_at,
                expires_at=session.expires_at,
                current=session.id == principal.session_id,
            )
            for session in await auth.sessions.live(principal.user_id)
        ]
    )


@delete("/api/auth/sessions", tags=_SESSIONS, operation_id="revokeOtherSessions", summary="End all other sessions")
async def revoke_other_sessions(*, principal: Caller, auth: UseCases) -> None:
    """Their access tokens are refused and their sockets closed at once."""
    await auth.sessions.revoke_all(principal.user_id, keep=principal.session_id)


@delete("/api/auth/sessions/{session_id:str}", tags=_SESSIONS, operation_id="revokeSession", summary="End a session")
async def revoke_session(*, principal: Caller, auth: UseCases, session_id: FromPath[str]) -> None:
    """Its access tokens are refused and its sockets closed at once."""
    await auth.sessions.revoke(principal.user_id, SessionId(session_id if is_uuid(session_id) else ""))


@post(
    "/api/auth/password", status_code=204, tags=_ACCOUNTS, operation_id="changePassword", summary="Change the password"
)
async def change_password(*, principal: Caller, auth: UseCases, data: JSONBody[PasswordChange]) -> None:
    """All other sessions end."""
    await auth.accounts.change_password(principal, data.current_password, data.new_password)


@get("/api/auth/me", tags=_ACCOUNTS, operation_id="me", summary="Who am I?")
async def me(*, principal: Caller, auth: UseCases) -> User:
    """One's own account, as it is now."""
    return await auth.accounts.me(principal)


@patch("/api/auth/me", tags=_ACCOUNTS, operation_id="changeMe", summary="Change one's own account")
async def change_me(*, principal: Caller, auth: UseCases, data: JSONBody[MyChanges]) -> User:
    """Everybody sees the new display name at once."""
    return await auth.accounts.rename(principal, data.display_name)


@get("/.well-known/jwks.json", tags=_ACCOUNTS, operation_id="jwks", summary="The public keys", sync_to_thread=False)
def jwks(*, auth: UseCases) -> Response[KeySet]:
    """Every key that may have signed a token which is still valid; a new one appears 5 seconds before it signs."""
    key_set = msgspec.convert(auth.keys.jwks(), KeySet)
    return Response(key_set, headers={"Cache-Control": f"public, max-age={auth.lifetimes.key_lead // 1000}"})


@get("/api/users", tags=_USERS, operation_id="searchUsers", summary="The directory")
async def search_users(
    *,
    principal: Caller,
    auth: UseCases,
    q: Annotated[str, QueryParameter(max_length=128, description="Begins the username or the display name.")] = "",
    ids: Annotated[
        str | None,
        QueryParameter(max_length=4_000, description="Just these users, at most 100 ids with commas between."),
    ] = None,
    cursor: Annotated[str | None, QueryParameter(max_length=256, description="Of the page before.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)] = 20,
) -> Page:
    """By username; without `q` everybody. Disabled accounts are shown to those only who manage users, or who ask by id."""
    if ids is not None:
        return await auth.directory.named(principal, map(UserId, ids.split(",")))
    return await auth.directory.search(principal, q, cursor, limit)


@patch("/api/users/{user_id:str}", tags=_USERS, operation_id="manageUser", summary="Change someone's role or state")
async def manage_user(
    *, principal: Caller, auth: UseCases, user_id: FromPath[str], data: JSONBody[UserChanges]
) -> Profile:
    """For owners and admins. A demotion or a disabling ends the user's sessions."""
    target = UserId(user_id if is_uuid(user_id) else "")
    return profile_of(await auth.accounts.manage(principal, target, data.role, data.disabled))


def _bearer(request: AnyRequest) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return token.strip()


def _origin(request: AnyRequest, device_token: str | None) -> Origin:
    kept = request.cookies.get(DEVICE_COOKIE, "")
    return Origin(client_address(request), user_agent(request), device_token or kept[:256] or None)


def _granted(
    request: AnyRequest, grant: Grant, lifetimes: Lifetimes, *, cookie: bool, status: int
) -> Response[GrantAnswer]:
    answer = GrantAnswer(grant.user, grant.access_token, grant.expires_in, "Bearer")
    cookies = cookies_of(request, grant, lifetimes.idle // 1000) if cookie else []
    if not cookie:
        answer.refresh_token = grant.refresh_token
        answer.device_token = grant.device_token
    # RFC 6749 section 5.1: no cache may keep tokens.
    return Response(answer, status_code=status, cookies=cookies, headers={"Cache-Control": "no-store"})


def router(auth: Auth, origins: Collection[str] = ()) -> Router:
    """Return the routes of auth; pages of `origins` may use the refresh cookie besides those of this server.

    Its use cases are the dependency `auth`. Where there is a caller it asks for that one first, though it has no use for it:
    Litestar resolves dependencies that know nothing of each other in a task group, at three times the cost of one after
    the other.
    """

    def to_anybody() -> Auth:
        return auth

    def to_caller(principal: Caller) -> Auth:
        return auth

    public = Router(
        "/",
        route_handlers=[
            register,
            log_in,
            jwks,
            Router(
                "/",
                route_handlers=[refresh, log_out],
                guards=[own_pages_only(origins)],
                exception_handlers=FORGETTING,
            ),
        ],
        dependencies={"auth": Provide(to_anybody, sync_to_thread=False)},
    )
    private = Router(
        "/",
        route_handlers=[
            list_sessions,
            revoke_other_sessions,
            revoke_session,
            change_password,
            me,
            change_me,
            search_users,
            manage_user,
        ],
        dependencies={"auth": Provide(to_caller, sync_to_thread=False)},
    )
    return Router("/", route_handlers=[public, private])
