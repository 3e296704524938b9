"""PostgreSQL of the Debian package: users, sessions, rooms and members; full text; what FerretDB keeps."""

import os
import pwd
import signal
import subprocess
from pathlib import Path

from scripts.stack.engine import HOST, STACK, Engine, StackError, program, run

PORT = 15432
FOLDER = STACK / "postgresql"
DATABASES = ("parlour", "ferretdb")
_HINT = "on Debian, apt-get install postgresql"


def _tool(name: str) -> str:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name))
    return program(name, _HINT, *map(str, reversed(versions)))


def _as_nobody_of_note(command: list[str]) -> list[str]:
    """PostgreSQL refuses root. In a user namespace of its own it runs as somebody else, whose files are still root's."""
    if os.geteuid() != 0:
        return command
    mapped = ["unshare", "--user", "--map-user=1000", "--"]
    if subprocess.run([*mapped, "true"], check=False, capture_output=True).returncode == 0:
        return [*mapped, *command]
    try:
        owner = pwd.getpwnam("postgres")
    except KeyError:
        raise StackError("PostgreSQL does not run as root, and there is no user postgres") from None
    os.chown(FOLDER, owner.pw_uid, owner.pw_gid)
    return ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", *command]


def _prepare() -> None:
    data = FOLDER / "data"
    if (data / "PG_VERSION").exists():
        return
    FOLDER.chmod(0o700)
    options = ["--username=parlour", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    run("initdb of PostgreSQL", _as_nobody_of_note([_tool("initdb"), f"--pgdata={data}", *options]), cwd=FOLDER)


def _command() -> list[str]:
    settings = {
        "port": str(PORT),
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "256MB",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return _as_nobody_of_note([_tool("postgres"), "-D", str(FOLDER / "data"), *options])


def _ready() -> None:
    _psql("SELECT 1", "postgres")
    there = _psql("SELECT datname FROM pg_database", "postgres").split()
    for name in DATABASES:
        if name not in there:
            _psql(f"CREATE DATABASE {name}", "postgres")


def _psql(statement: str, database: str) -> str:
    where = ["--host", HOST, "--port", str(PORT), "--username", "parlour", "--dbname", database]
    command = [_tool("psql"), *where, "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())
    return done.stdout


POSTGRESQL = Engine(
    name="postgresql",
    ports=[PORT],
    url=f"postgresql://parlour@{HOST}:{PORT}/parlour",
    install=lambda: _tool("postgres"),
    prepare=_prepare,
    command=_command,
    ready=_ready,
    stop_signal=signal.SIGINT,  # "fast": without waiting for its clients
)
