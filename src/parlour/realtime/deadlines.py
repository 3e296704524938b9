"""Deadlines of many things that all wait equally long, behind one loop timer.

Equal waits fall due in the order in which they began, so a dict in insertion order is the whole timing wheel: adding and
removing cost one dict operation, and ten thousand heartbeats cost one timer.
"""

from __future__ import annotations

from asyncio import TimerHandle, get_running_loop
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Calls `on_due(item)` once an item has been in for `delay` seconds without being discarded.

    What falls due within a thousandth of the delay is taken together: at 25 s one wake-up serves 25 ms of sockets.
    """

    __slots__ = ("_due", "_on_due", "_slack", "_timer", "delay")

    def __init__(self, delay: float, on_due: Callable[[T], None]) -> None:
        self.delay = delay
        self._slack = delay / 1000
        self._on_due = on_due
        self._due: dict[T, float] = {}
        self._timer: TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due)

    def add(self, item: T) -> None:
        """Starts (or restarts) the wait of `item`."""
        self._due.pop(item, None)
        self._due[item] = monotonic() + self.delay
        if self._timer is None:
            self._timer = get_running_loop().call_later(self.delay, self._sweep)

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
            first = next(iter(self._due.values()))
            self._timer = get_running_loop().call_later(max(first - monotonic(), 0.0005), self._sweep)
