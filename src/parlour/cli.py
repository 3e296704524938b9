"""The command line: `parlour serve` and `parlour admin …`."""

import asyncio
import gc
import getpass
import json
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import App, Parameter

import parlour
from parlour.config import ConfigurationError, Settings, load, unknown_variables
from parlour.platform.errors import ParlourError, TablesInUse, TablesNewer
from parlour.platform.ids import SessionId
from parlour.platform.logging import configure
from parlour.platform.permissions import Role

if TYPE_CHECKING:
    from parlour.app.migrating import Copied
    from parlour.app.operations import Letter
    from parlour.auth.model import Session
    from parlour.auth.service import Administration

# What serves and what administers is imported by the command that needs it: it takes most of the time of a start.

T = TypeVar("T")
DataDir = Annotated[Path | None, Parameter(name="--data-dir", help="Where everything is kept.")]
Password = Annotated[str | None, Parameter(help="Left out, it is asked for, or read from a pipe.")]

app = App(name="parlour", help="A self-hosted place to talk.", version=parlour.__version__)
administer = App(
    name="admin", help="Users, sessions, keys, demonstrations, backups, clusters; while the server runs or not."
)
app.command(administer)
dead_letters = App(name="dead-letters", help="Commands to rooms that no worker could do.")
administer.command(dead_letters)

logger = logging.getLogger(__name__)


@app.command
def serve(
    *,
    host: Annotated[str | None, Parameter(help="Address to listen on.")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    roles: Annotated[str | None, Parameter(help="auth, chat, video, worker: some of them, comma-separated.")] = None,
    log_level: Annotated[str | None, Parameter(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, Parameter(help="json or text.")] = None,
) -> int:
    """Serve Parlour until SIGTERM or SIGINT. Settings come from the environment; flags win."""
    settings = load(host=host, port=port, data_dir=data_dir, roles=roles, log_level=log_level, log_format=log_format)
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


@administer.command
def nginx(*, config: Annotated[Path, Parameter(help="JSON file with the facts: docs/operations/nginx.md.")]) -> None:
    """Print the configuration of the NGINX in front of the nodes."""
    from parlour import admin

    print(admin.nginx_configuration(config), end="")


@dead_letters.command(name="list")
def list_dead_letters() -> None:
    """List those that were not replayed."""
    from parlour.app import operations

    _print_letters(operations.dead_letters(load()))


@dead_letters.command(name="replay")
def replay_dead_letters() -> None:
    """Give them to the workers again, and forget them; what is in the log by now changes nothing."""
    from parlour.app import operations

    replayed = operations.dead_letters(load(), replay=True)
    _print_letters(replayed)
    print(f"{len(replayed)} replayed")


def _print_letters(letters: "Sequence[Letter]") -> None:
    rows = [("PLACE", "TIME", "ROOM", "TYPE", "SENDER", "WHY")]
    for letter in letters:
        what = (letter.room, letter.type, letter.sender) if letter.room else ("-", "no command", "-")
        rows.append((letter.place, _time(letter.at), *what, " ".join(letter.why.split())))
    if len(rows) > 1:
        _print_table(rows)


@administer.command
def shard(
    *, apply: Annotated[bool, Parameter(help="Run them, on the mongos of PARLOUR_MESSAGES_URL.")] = False
) -> None:
    """Print the commands that spread the room log over the shards of a MongoDB cluster, as mongosh takes them."""
    from parlour.app import operations

    settings = load()
    for command in operations.shard_commands(settings):
        print(f"db.adminCommand({json.dumps(command)})")
    if apply:
        configure("warning", readable=True)
        asyncio.run(operations.shard(settings))
        print("done")


@administer.command
def reindex(*rooms: str, data_dir: DataDir = None) -> None:
    """Make the index of search anew from the log, for these rooms or all; searches find less of a room meanwhile."""
    from parlour import admin

    print(f"{_run(lambda settings: admin.reindex(settings, rooms), data_dir)} rooms")


@administer.command
def migrate(
    *,
    to_database_url: Annotated[str, Parameter(help="An empty SQL database: sqlite:///path or postgresql://…")],
    to_messages_url: Annotated[str, Parameter(help="An empty room log: sqlite:///path or mongodb://…")],
    data_dir: DataDir = None,
) -> None:
    """Copy everything to other engines and compare it there; no server may run on either meanwhile."""
    from parlour import admin

    def tell(copied: "Copied") -> None:
        print(f"{copied.what:16} {copied.number:>10}  {copied.digest}", flush=True)

    _run(lambda settings: admin.move_to(settings, to_database_url, to_messages_url, tell), data_dir)
    print(
        "all of it is the same there" + ("; now parlour admin reindex" if to_messages_url.startswith("mongodb") else "")
    )


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
    address = session.address or "nowhere"
    return f"{session.id} last used {_time(session.last_used_at)} from {address}: {session.device}"


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows with their columns below each other; the last one is as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main() -> None:
    """Run the command; what is the caller's to mend is said in a line, with exit status 2."""
    try:
        status = app(result_action="return_value")
    except (ConfigurationError, ParlourError, TablesInUse, TablesNewer) as error:
        print(f"parlour: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)
