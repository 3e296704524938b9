"""`parlour` commands without the imports, most of the time that one takes: forked from a process that imported everything once.

    python tests/zygote.py FD

FD is a socket: each message on it is a command, with its environment, its standard streams and a pipe, to which the process
id is written and, once it has ended, its status. The commands still running end with the socket.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

MAX_MESSAGE = 1 << 17


class Command:
    """A command that was forked: what tests use of `subprocess.Popen`."""

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        *,
        stdout: IO[bytes],
        stderr: IO[bytes],
        stdin: IO[bytes] | None = None,
    ) -> None:
        self.args = ["parlour", *arguments]
        self.returncode: int | None = None
        self._reaping = threading.Lock()
        reading, writing = os.pipe()
        self._told = os.fdopen(reading)
        try:
            _Zygote.running().fork(self.args, environment, stdin, stdout, stderr, writing)
        finally:
            os.close(writing)
        self.pid = int(self._told.readline())

    def poll(self) -> int | None:
        """The status if it has ended, negative for a signal."""
        with self._reaping, selectors.DefaultSelector() as ready:
            if self.returncode is None:
                ready.register(self._told, selectors.EVENT_READ)
                if ready.select(0):
                    self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; the status.

        Raises:
            subprocess.TimeoutExpired: it did not end in time.
        """
        with self._reaping, selectors.DefaultSelector() as ready:
            if self.returncode is None:
                ready.register(self._told, selectors.EVENT_READ)
                if not ready.select(timeout):
                    raise subprocess.TimeoutExpired(self.args, timeout or 0)
                self._end()
        assert self.returncode is not None
        return self.returncode

    def _end(self) -> None:
        self.returncode = int(self._told.readline())
        self._told.close()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    arguments: list[str], environment: Mapping[str, str], *, stdin: str = "", timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `subprocess.run` does that captures the output."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        given.write(stdin.encode())
        given.seek(0)
        command = Command(arguments, environment, stdin=given, stdout=said, stderr=complained)
        try:
            status = command.wait(timeout)
        finally:
            command.kill()
        for output in (said, complained):
            output.seek(0)
        return subprocess.CompletedProcess(command.args, status, said.read().decode(), complained.read().decode())


class _Zygote:
    """The process with the imports, started when the first command is wanted."""

    _one: "_Zygote | None" = None
    _starting = threading.Lock()

    @classmethod
    def running(cls) -> "_Zygote":
        with cls._starting:
            if cls._one is None:
                cls._one = cls()
        return cls._one

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            program = [sys.executable, "-P", str(Path(__file__).resolve()), str(theirs.fileno())]
            descriptors = (theirs.fileno(),)
            self._process = subprocess.Popen(
                program, pass_fds=descriptors, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        atexit.register(self._end)

    def fork(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        stdin: IO[bytes] | None,
        stdout: IO[bytes],
        stderr: IO[bytes],
        status: int,
    ) -> None:
        message = json.dumps([arguments, dict(environment)]).encode()
        assert len(message) < MAX_MESSAGE
        with Path(os.devnull).open("rb") as nothing:
            streams = [(stdin or nothing).fileno(), stdout.fileno(), stderr.fileno()]
            socket.send_fds(self._channel, [message], [*streams, status])

    def _end(self) -> None:
        self._channel.close()
        self._process.wait()


def _fork_commands(channel: socket.socket) -> None:
    """Fork a command for each message until the channel ends, which ends the process; returns in the forked ones."""
    waking, wake = socket.socketpair()
    for end in (waking, wake):
        end.setblocking(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    statuses: dict[int, int] = {}
    with selectors.DefaultSelector() as ready:
        ready.register(channel, selectors.EVENT_READ)
        ready.register(waking, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is waking:
                    waking.recv(4_096)
                    _reap(statuses)
                    continue
                message, descriptors, _, _ = socket.recv_fds(channel, MAX_MESSAGE, 4)
                if not message:
                    for pid in statuses:
                        os.kill(pid, signal.SIGKILL)
                    sys.exit()
                pid = os.fork()
                if pid == 0:
                    for end in (channel, waking, wake):
                        end.close()
                    for status in statuses.values():
                        os.close(status)
                    arguments, environment = json.loads(message)
                    _become(arguments, environment, descriptors)
                    return
                statuses[pid] = descriptors.pop()
                os.write(statuses[pid], b"%d\n" % pid)
                for descriptor in descriptors:
                    os.close(descriptor)


def _reap(statuses: dict[int, int]) -> None:
    """Tell of every command that has ended."""
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        told = statuses.pop(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody wants to know
            os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
        os.close(told)


def _become(arguments: list[str], environment: dict[str, str], descriptors: list[int]) -> None:
    """Take what a new process is given."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, stream)
    for descriptor in descriptors:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = arguments


def _main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    for needed in ("parlour.serve", "parlour.admin", "parlour.platform.migrations"):
        importlib.import_module(needed)
    from parlour.cli import main

    gc.freeze()  # so that no command looks through what it was given, which would copy it
    _fork_commands(channel)
    sys.exit(main())


if __name__ == "__main__":
    _main()
