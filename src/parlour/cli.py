"""The command line: `parlour serve` and `parlour admin …`."""

import asyncio
import gc
import getpass
import logging
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import App, Parameter

import parlour
from parlour.config import ConfigurationError, Settings, load, unknown_variables
from parlour.platform.errors import ParlourError, TablesNewer
from parlour.platform.ids import SessionId
from parlour.platform.logging import configure
from parlour.platform.permissions import Role

if TYPE_CHECKING:
    from parlour.auth.model import Session
    from parlour.auth.service import Administration

# What serves and what administers is imported by the command that needs it: it takes most of the time of a start.

T = TypeVar("T")
DataDir = Annotated[Path | None, Parameter(name="--data-dir", help="Where everything is kept.")]
Password = Annotated[str | None, Parameter(help="Left out, it is asked for, or read from a pipe.")]

app = App(name="parlour", help="A self-hosted place to talk.", version=parlour.__version__)
administer = App(name="admin", help="Users, sessions, keys, demonstrations, backups; while the server runs or not.")
app.command(administer)

logger = logging.getLogger(__name__)


@app.command
def serve(
    *,
    host: Annotated[str | None, Parameter(help="Address to listen on.")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    log_level: Annotated[str | None, Parameter(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, Parameter(help="json or text.")] = None,
) -> int:
    """Serve Parlour until SIGTERM or SIGINT. Settings come from the environment; flags win."""
    settings = load(host=host, port=port, data_dir=data_dir, log_level=log_level, log_format=log_format)
    configure(settings.log_level, readable=settings.log_format == "text")
    for variable in unknown_variables():
        logger.warning("no setting has this name; see docs/reference/settings.md", extra={"variable": variable})
    gc.disable()  # a start makes nothing that it could collect; `run` sets the collector up at its end
    from parlour.serve import run

    return run(settings)


@administer.command
def create_user(
    username: str,
    email: str,
    *,
    password: Password = None,
    display_name: str | None = None,
    role: Role = Role.MEMBER,
    data_dir: DataDir = None,
) -> None:
    """Make an account; the first of a server is its owner whatever `role` says."""
    secret = password or _ask_password()

    async def work(accounts: "Administration") -> None:
        user = await accounts.create_user(username, email, secret, display_name=display_name, role=role)
        print(f"{user.id} {user.username} {user.role}")

    _administer(work, data_dir)


@administer.command
def reset_password(login: str, *, password: Password = None, data_dir: DataDir = None) -> None:
    """Give an account a new password and end its sessions."""
    secret = password or _ask_password()

    async def work(accounts: "Administration") -> None:
        print(f"{await accounts.reset_password(login, secret)} sessions ended")

    _administer(work, data_dir)


@administer.command
def set_role(login: str, role: Role, *, data_dir: DataDir = None) -> None:
    """Change what a user is on this server."""

    async def work(accounts: "Administration") -> None:
        user = await accounts.set_role(login, role)
        print(f"{user.username} is {user.role}")

    _administer(work, data_dir)


@administer.command
def disable(login: str, *, undo: bool = False, data_dir: DataDir = None) -> None:
    """Switch an account off, which ends its sessions; --undo switches it on again."""

    async def work(accounts: "Administration") -> None:
        user = await accounts.set_disabled(login, not undo)
        print(f"{user.username} is {'disabled' if user.disabled else 'enabled'}")

    _administer(work, data_dir)


@administer.command
def sessions(login: str, *, data_dir: DataDir = None) -> None:
    """List a user's sessions, with the times of their last uses in UTC."""

    async def work(accounts: "Administration") -> None:
        for session in await accounts.list_sessions(login):
            print(_line(session))

    _administer(work, data_dir)


@administer.command
def revoke(login: str, session_id: SessionId | None = None, *, data_dir: DataDir = None) -> int:
    """End one session of a user, or all; live sockets close within a second. The exit status is 1 where there is no such session."""
    ended = _administer(lambda accounts: accounts.revoke_sessions(login, session_id), data_dir)
    if session_id is not None and ended == 0:
        print(f"parlour: {login} has no live session {session_id}", file=sys.stderr)
        return 1
    print(f"{ended} sessions ended")
    return 0


@administer.command
def rotate_keys(*, data_dir: DataDir = None) -> None:
    """Sign access tokens with a new key; the old one verifies until its last token has expired."""

    async def work(accounts: "Administration") -> None:
        print(f"new key: {await accounts.rotate_keys()}")

    _administer(work, data_dir)


@administer.command
def seed(
    *,
    users: Annotated[int, Parameter(help="How many users.")],
    room_size: Annotated[int, Parameter(help="Members of a room.")],
    tokens: Annotated[Path, Parameter(help="File for a JSON line a user: user_id, username, access_token, room_ids.")],
    token_seconds: Annotated[int, Parameter(help="Life of the access tokens.")] = 86_400,
    password: Annotated[str | None, Parameter(help="Of all of them; left out, nobody knows it.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make users in rooms, with tokens, for demonstrations and load."""
    if users < 1 or room_size < 1:
        raise ConfigurationError("--users and --room-size are at least 1")

    from parlour import admin

    made = _run(
        lambda settings: admin.seed(
            settings, users=users, room_size=room_size, token_seconds=token_seconds, password=password, tokens=tokens
        ),
        data_dir,
    )
    print(f"{made.users} users in {made.rooms} rooms; tokens in {tokens}")


@administer.command
def backup(folder: Path, *, data_dir: DataDir = None) -> None:
    """Copy everything into a new folder, while the server runs or not."""
    from parlour import admin

    _run(lambda settings: admin.backup(settings, folder), data_dir)
    print(f"backup in {folder}")


@administer.command
def restore(folder: Path, *, replace: bool = False, data_dir: DataDir = None) -> None:
    """Put a backup in place; the server must not run. --replace overwrites what is there."""
    from parlour import admin

    admin.restore(load(data_dir=data_dir), folder, replace=replace)
    print(f"restored from {folder}")


def _administer(work: "Callable[[Administration], Coroutine[Any, Any, T]]", data_dir: Path | None) -> T:
    from parlour.admin import administration

    async def with_accounts(settings: Settings) -> T:
        async with administration(settings) as accounts:
            return await work(accounts)

    return _run(with_accounts, data_dir)


def _run(work: Callable[[Settings], Coroutine[Any, Any, T]], data_dir: Path | None) -> T:
    configure("warning", readable=True)
    settings = load(data_dir=data_dir)
    if not settings.data_dir.is_dir():
        settings.data_dir.mkdir(parents=True, mode=0o700)
    return asyncio.run(work(settings))


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise ConfigurationError("the two are not the same")
    return password


def _line(session: "Session") -> str:
    used = datetime.fromtimestamp(session.last_used_at // 1000, UTC)
    return f"{session.id} last used {used:%Y-%m-%dT%H:%M:%SZ} from {session.address or 'nowhere'}: {session.device}"


def main() -> None:
    """Run the command; what is the caller's to mend is said in a line, with exit status 2."""
    try:
        status = app(result_action="return_value")
    except (ConfigurationError, ParlourError, TablesNewer) as error:
        print(f"parlour: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)
