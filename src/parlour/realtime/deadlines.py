"""Deadlines of many things that all wait equally long, behind one loop timer.

Equal waits fall due in the order in which they began, so a dict in insertion order is the whole timing wheel: adding and
removing cost one dict operation, and ten thousand heartbeats cost one timer.
"""

from __future__ import annotations

from asyncio import TimerHandle, get_running_loop
from collections.abc import Callable
from time import monotonic
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_STALLED: Final = 0.02
"""Seconds by which a timer must be late for the loop to have stood still."""

_READ_FIRST: Final = 0.001
"""Seconds: a timer of the loop's next turn, behind its reads."""


class Deadlines(Generic[T]):
    """Calls `on_due(item)` once an item has been in for `delay` seconds without being discarded.

    What falls due within a thousandth of the delay is taken together: at 25 s one wake-up serves 25 ms of sockets.

    A loop that stood still (a frozen machine, a busy core) runs its timers before it reads. What came in meanwhile is heard
    first: nobody's time is over for an answer that waits in the kernel.
    """

    __slots__ = ("_due", "_on_due", "_planned", "_slack", "_timer", "delay")

    def __init__(self, delay: float, on_due: Callable[[T], None]) -> None:
        self.delay = delay
        self._slack = delay / 1000
        self._on_due = on_due
        self._due: dict[T, float] = {}
        self._timer: TimerHandle | None = None
        self._planned = 0.0

    def __len__(self) -> int:
        return len(self._due)

    def add(self, item: T) -> None:
        """Starts (or restarts) the wait of `item`."""
        self._due.pop(item, None)
        now = monotonic()
        self._due[item] = now + self.delay
        if self._timer is None:
            self._plan(now, self.delay)

    def discard(self, item: T) -> None:
        """Ends the wait of `item`, if it waits."""
        self._due.pop(item, None)

    def is_due(self, item: T) -> bool:
        """Whether the wait of `item` is over although its turn has not come yet."""
        due = self._due.get(item)
        return due is not None and due <= monotonic() + self._slack

    def oldest(self) -> T | None:
        """The item that has waited longest."""
        return next(iter(self._due), None)

    def clear(self) -> list[T]:
        """Ends every wait and gives what waited."""
        waiting = list(self._due)
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return waiting

    def _plan(self, now: float, delay: float) -> None:
        self._planned = now + delay
        self._timer = get_running_loop().call_later(delay, self._on_time)

    def _on_time(self) -> None:
        if monotonic() - self._planned > _STALLED:
            self._timer = get_running_loop().call_later(_READ_FIRST, self._sweep)
        else:
            self._sweep()

    def _sweep(self) -> None:
        self._timer = None
        limit = monotonic() + self._slack
        due = []
        for item, at in self._due.items():
            if at > limit:
                break
            due.append(item)
        for item in due:
            # on_due of an earlier item may have discarded or restarted this one
            if self._due.get(item, limit + 1) <= limit:
                del self._due[item]
                self._on_due(item)
        if self._due and self._timer is None:  # on_due may have set one
            first, now = next(iter(self._due.values())), monotonic()
            self._plan(now, max(first - now, 0.0005))
