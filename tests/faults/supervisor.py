"""Who starts engines again that ended, as a service manager does."""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable

from scripts.stack.engine import Engine, StackError

RESTART = 120.0
"""Seconds within which an engine starts again: PostgreSQL waits for what its last life left behind, Kafka looks through its files."""

GIVEN_UP = b"WT_PANIC"
"""SecantusDB's WiredTiger says so when nothing but another start helps. MongoDB's own server ends by itself then."""


class Supervisor:
    """Looks after engines when it is asked to: a test that ended one does not want it back at once."""

    def __init__(self, engines: Iterable[Engine]) -> None:
        self._engines = list(engines)
        self._read = {engine.name: 0 for engine in self._engines}
        self.starts: Counter[str] = Counter()
        """How often each had to be started."""

    def look(self) -> bool:
        """Start those that do not run, and tell whether there were any; those that have given up are ended first."""
        before = self.starts.total()
        for engine in self._engines:
            pid = engine.pid()
            if pid is not None and self._has_given_up(engine):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                pid = None
            if pid is None:
                started(engine)
                self.starts[engine.name] += 1
        return self.starts.total() > before

    def _has_given_up(self, engine: Engine) -> bool:
        with engine.log.open("rb") as log:
            log.seek(self._read[engine.name])
            said = log.read()
        self._read[engine.name] += len(said)
        return GIVEN_UP in said


def started(engine: Engine) -> None:
    """Start an engine; it may take some attempts, as long as its last process has not quite ended."""
    deadline = time.monotonic() + RESTART
    while True:
        try:
            engine.start()
        except StackError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
