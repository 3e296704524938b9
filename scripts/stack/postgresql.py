"""PostgreSQL of the Debian package: users, sessions, rooms and members; full text; what FerretDB keeps."""

import os
import pwd
import signal
import subprocess
from pathlib import Path

from scripts.stack.engine import HOST, STACK, Engine, StackError, program, run

PORT = 15432
DATABASES = ("parlour", "ferretdb")
_HINT = "on Debian, apt-get install postgresql"


def postgresql(*, port: int = PORT, root: Path = STACK) -> Engine:
    """Return the server on a port, with its files below a folder."""
    folder = root / "postgresql"

    def prepare() -> None:
        if (folder / "data" / "PG_VERSION").exists():
            return
        folder.chmod(0o700)
        options = ["--username=parlour", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [_tool("initdb"), f"--pgdata={folder / 'data'}", *options]
        run("initdb of PostgreSQL", _not_as_root(command, folder), cwd=folder)

    def command() -> list[str]:
        settings = {
            "port": str(port),
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "256MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return _not_as_root([_tool("postgres"), "-D", str(folder / "data"), *options], folder)

    def ready() -> None:
        there = psql(port, "SELECT datname FROM pg_database").split()
        for name in DATABASES:
            if name not in there:
                psql(port, f"CREATE DATABASE {name}")

    return Engine(
        name="postgresql",
        ports=[port],
        url=f"postgresql://parlour@{HOST}:{port}/parlour",
        install=lambda: _tool("postgres"),
        prepare=prepare,
        command=command,
        ready=ready,
        stop_signal=signal.SIGINT,  # "fast": without waiting for its clients
        root=root,
    )


def psql(port: int, statement: str, database: str = "postgres") -> str:
    """Run a statement as the owner of everything; raises `OSError` with what psql says."""
    where = ["--host", HOST, "--port", str(port), "--username", "parlour", "--dbname", database]
    command = [_tool("psql"), *where, "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())
    return done.stdout


def _tool(name: str) -> str:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name))
    return program(name, _HINT, *map(str, reversed(versions)))


def _not_as_root(command: list[str], folder: Path) -> list[str]:
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
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", *command]


POSTGRESQL = postgresql()
