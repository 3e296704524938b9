"""Disks that are slow or full, of one engine at a time."""

from collections.abc import Callable

from .preload import Full, Preload

SYNC, WRITE = 0.1, 0.02
"""Seconds that a slow disk takes longer for each fsync and each write: one about to fail, or that others use, too."""


def slow(preload: Preload) -> Callable[[], None]:
    """Have an engine's disk be slow; return what ends that."""
    preload.slow(sync=SYNC, write=WRITE)
    return lambda: preload.slow(sync=0, write=0)


def full(preload: Preload, how: Full) -> Callable[[], None]:
    """Have an engine's disk be full; return what makes room. The engine may have ended then, or be of no more use."""
    preload.fill(how)
    return lambda: preload.fill(None)
