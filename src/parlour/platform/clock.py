"""Time as a dependency: wall time for what is stored, monotonic time for what is measured."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where time comes from; tests pass one they can move."""

    def now(self) -> int:
        """Return the wall time in integer milliseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back, from an arbitrary start."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> int:
        """Return the wall time in integer milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds of the machine's monotonic clock."""
        return time.monotonic()
