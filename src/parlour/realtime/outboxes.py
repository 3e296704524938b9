"""What waits for slow readers in all connections of a process together, within one budget."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable, Iterable
from typing import Protocol

from parlour.realtime.observer import Observer

_RELIEVED_TO = 7 / 8
"""Of the budget: looking for the largest outboxes costs a look at all connections, so that it has to pay."""


class Waiting(Protocol):
    """A connection with an outbox."""

    @property
    def waiting(self) -> int:
        """Bytes that it keeps."""

    def cut_off(self, bound: str) -> None:
        """Ends it, and lets go of what waits."""


class Outboxes:
    """Counts what every connection tells it to. Past `budget` bytes the slowest readers go: those with most that waits.

    Frames that wait in many outboxes count in each of them, although they are in memory once.
    """

    __slots__ = ("_all", "_budget", "_observer", "_planned", "total")

    def __init__(self, budget: int, observer: Observer, connections: Callable[[], Iterable[Waiting]]) -> None:
        self.total = 0
        self._budget = budget
        self._observer = observer
        self._all = connections
        self._planned = False

    def count(self, delta: int) -> None:
        """What waits in one connection changed by `delta` bytes."""
        if not delta:
            return
        self.total += delta
        self._observer.outbox_bytes(delta)
        if self.total > self._budget and not self._planned:
            self._planned = True
            get_running_loop().call_soon(self._relieve)  # not at once: a loop over the members of a room may be running

    def _relieve(self) -> None:
        self._planned = False
        if self.total <= self._budget:
            return
        for connection in sorted(self._all(), key=lambda each: each.waiting, reverse=True):
            if self.total <= self._budget * _RELIEVED_TO:
                break
            connection.cut_off("process")
