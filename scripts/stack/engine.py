"""One engine of the stack: a process of its own on loopback, its files below `.stack/`, ended by its own process id."""

import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
STACK = REPOSITORY / ".stack"
HOST = "127.0.0.1"


class StackError(Exception):
    """An engine could not be had: the message says why, and what to do."""


@dataclass(frozen=True)
class Engine:
    """How an engine is installed, prepared, started and asked for its health.

    `ready` raises while it is not: what it raises last is what is told when the wait is over.
    """

    name: str
    ports: Sequence[int]
    url: str
    install: Callable[[], object]
    prepare: Callable[[], object]
    command: Callable[[], Sequence[str]]
    ready: Callable[[], None]
    needs: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    seconds: float = 60
    root: Path = STACK

    @property
    def folder(self) -> Path:
        """Its files: data, log, process id."""
        return self.root / self.name

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "log"

    def pid(self) -> int | None:
        """The id of its process, None where it does not run. A number that another process has now is not taken for it."""
        try:
            pid, began = (self.folder / "pid").read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if _began(int(pid)) == began else None

    def start(self) -> None:
        """Install and start it where it does not run yet; return once it answers.

        Raises `StackError` where a port is taken, it ends at once, or does not answer in time.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        STACK.mkdir(exist_ok=True)
        with (STACK / "installing").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes, and the program is shared
            self.install()
        if self.pid() is None:
            for port in self.ports:
                _check_free(self.name, port)
            self.prepare()
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    self.command(),
                    cwd=self.folder,
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            (self.folder / "pid").write_text(f"{process.pid} {_began(process.pid)}")
        self._wait()

    def stop(self) -> None:
        """End it, and wait for it; what does not end in 20 s is killed. Its data stay."""
        pid = self.pid()
        if pid is not None:
            for number in (self.stop_signal, signal.SIGKILL):
                os.kill(pid, number)
                if _wait_until(lambda: self.pid() is None, 20):
                    break
        (self.folder / "pid").unlink(missing_ok=True)

    def _wait(self) -> None:
        why: Exception | None = None
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            if self.pid() is None:
                raise StackError(f"{self.name} ended at once; the end of {_shown(self.log)}:\n{_tail(self.log)}")
            try:
                self.ready()
            except Exception as error:
                why = error
                time.sleep(0.1)
            else:
                return
        raise StackError(f"{self.name} does not answer after {self.seconds:.0f} s ({why}); see {_shown(self.log)}")


def run(
    what: str, command: Sequence[str], *, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> None:
    """Run a step of an installation, saying so; raises `StackError` with the end of what it printed."""
    print(f"stack: {what}", flush=True)
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise StackError(f"{what} failed ({' '.join(command)}):\n{tail}")


def answers(port: int, *, sends: bytes = b"", expects: bytes = b"") -> None:
    """Raise unless somebody listens on the port, and answers `sends` with what has `expects` in it."""
    with socket.create_connection((HOST, port), timeout=2) as connection:
        if not sends:
            return
        connection.sendall(sends)
        got = connection.recv(4096)
    if expects not in got:
        raise OSError(f"port {port} answers {got!r}")


def _check_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise StackError(f"{name}: port {port} is taken by another process; end that one first") from None


def _began(pid: int) -> str | None:
    """When a process began, in ticks since the machine did; None where there is none, or it only waits to be forgotten."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if state == "Z":
        return None
    return fields[18]


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-15:])


def _shown(path: Path) -> str:
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)


def program(name: str, hint: str, *folders: str) -> str:
    """The path of a program, also where Debian keeps it out of the way; raises `StackError` with the hint."""
    for folder in [*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", *folders]:
        path = Path(folder) / name
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    raise StackError(f"{name} is missing: {hint}")
