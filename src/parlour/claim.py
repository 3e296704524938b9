"""Who may serve some data: one process, which holds locks on the data directory and on each file of an engine."""

import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

from parlour import restoring
from parlour.app import is_clustered, is_file, sqlite_path
from parlour.config import ConfigurationError, Settings
from parlour.platform.sql import open_database


def engine_files(settings: Settings) -> list[Path]:
    """Return the files of the SQL database and the room log, wherever the settings put them; none for what a server keeps."""
    return [sqlite_path(url) for url in (settings.database, settings.messages) if is_file(url)]


@contextlib.asynccontextmanager
async def claimed_server(settings: Settings) -> AsyncIterator[None]:
    """Hold the SQL database on its server, beside what `claimed` holds on this machine; where several may serve, nothing is held.

    Raises:
        ConfigurationError: somebody else holds it.
        DatabaseUnavailable: it does not answer.
    """
    if is_clustered(settings):
        yield
        return
    database = open_database(settings.database)
    try:
        if await database.claim("serving") is None:
            raise ConfigurationError(
                f"another Parlour serves {settings.redacted()['database_url']}; end it, or choose another database"
            )
        yield
    finally:
        await database.close()


@contextlib.contextmanager
def claimed(settings: Settings) -> Iterator[None]:
    """Hold the data: a second server on it would serve from caches that the first one's changes never reach.

    The files are held one by one, since the settings may put them outside the data directory, within reach of a server that has
    another. A restoration that was begun is finished.

    Raises:
        ConfigurationError: somebody else holds them, or they cannot be written.
    """
    if is_clustered(settings):
        yield
        return
    with contextlib.ExitStack() as held:
        directory = settings.data_dir
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = held.enter_context(_locked(directory / "server.lock", directory))
            held.enter_context(claimed_files(settings))
        except OSError as error:
            place = error.filename or directory
            raise ConfigurationError(
                f"the data directory {directory} cannot be used: {place}: {error.strerror}"
            ) from error
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        restoring.finish(directory, engine_files(settings))
        yield


@contextlib.contextmanager
def claimed_files(settings: Settings) -> Iterator[None]:
    """Hold the files of the engines alone.

    Raises:
        ConfigurationError: somebody else holds one.
        OSError: one cannot be written.
    """
    with contextlib.ExitStack() as held:
        for file in engine_files(settings):
            real = file.resolve()
            real.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            held.enter_context(_locked(real.with_name(real.name + ".lock"), real))
        yield


def finish_restoring(settings: Settings) -> None:
    """Finish a restoration that a crash interrupted; where there is none, look and do nothing.

    Raises:
        ConfigurationError: there is one, and somebody else holds the data.
    """
    if restoring.is_due(settings.data_dir):
        with claimed(settings):
            pass


@contextlib.contextmanager
def _locked(path: Path, what: Path) -> Iterator[IO[str]]:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(f"another Parlour serves {what}; end it, or choose another --data-dir") from error
        yield lock
