"""Timers by what they are for."""

import asyncio
from collections.abc import Callable, Hashable


class Deadlines:
    """At most one timer for each key; on the event loop."""

    def __init__(self) -> None:
        self._stopped = False
        self._timers: dict[Hashable, asyncio.TimerHandle] = {}

    def set(self, key: Hashable, seconds: float, then: Callable[[], None]) -> None:
        """Call `then` in `seconds`, in place of what the key had before."""
        self.clear(key)
        if self._stopped:
            return

        def due() -> None:
            del self._timers[key]
            then()

        self._timers[key] = asyncio.get_running_loop().call_later(seconds, due)

    def clear(self, key: Hashable) -> None:
        """Drop the timer of a key, if it has one."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """Drop all timers, and take no more."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
