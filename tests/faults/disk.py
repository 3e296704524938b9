"""Disks that are slow or full, of one engine at a time, and who starts the engines again that did not survive it."""

import os
import signal
from collections.abc import Callable

from scripts.stack.engine import Engine

from .preload import Full, Preload

SYNC, WRITE = 0.1, 0.02
"""Seconds that a slow disk takes longer for each fsync and each write: one about to fail, or that others use, too."""

GIVEN_UP = b"WT_PANIC"
"""SecantusDB's WiredTiger says so when nothing but another start helps. MongoDB's own server ends by itself then."""


def slow(preload: Preload) -> Callable[[], None]:
    """Have an engine's disk be slow; return what ends that."""
    preload.slow(sync=SYNC, write=WRITE)
    return lambda: preload.slow(sync=0, write=0)


def full(preload: Preload, engine: Engine, how: Full, start: Callable[[Engine], None]) -> Callable[[], None]:
    """Have an engine's disk be full; return what makes room and, as a supervisor would, starts the engine where it has given up."""
    said = engine.log.stat().st_size
    preload.fill(how)

    def again() -> None:
        preload.fill(None)
        pid = engine.pid()
        with engine.log.open("rb") as log:
            log.seek(said)
            if pid is not None and GIVEN_UP in log.read():
                os.kill(pid, signal.SIGKILL)
        start(engine)

    return again
