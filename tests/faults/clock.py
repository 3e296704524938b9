"""Jumps of the wall clock of one process; the monotonic one goes on."""

from collections.abc import Callable

from .preload import Preload

JUMP = 2 * 3600.0
"""Seconds: more than the hour that Kafka lets a record be ahead of its own clock."""


def jumped(preload: Preload, seconds: float) -> Callable[[], None]:
    """Move the clock; return what puts it right."""
    preload.jump(seconds)
    return lambda: preload.jump(0)
