"""Latencies by the million: a histogram of fixed width whose memory does not grow with the load."""

from array import array
from bisect import bisect_left
from itertools import accumulate

RESOLUTION = 20e-6
"""Seconds a bucket."""
LIMIT = 120.0
"""Seconds; what took longer counts as this."""


class Latencies:
    """Counts by bucket of 20 µs up to 120 s."""

    __slots__ = ("_buckets", "_last")

    def __init__(self) -> None:
        self._last = int(LIMIT / RESOLUTION)
        self._buckets = array("I", bytes(4 * (self._last + 1)))

    def add(self, seconds: float) -> None:
        """Count one latency; a negative one (clock rounding) counts as 0."""
        bucket = int(seconds / RESOLUTION)
        self._buckets[max(0, min(bucket, self._last))] += 1

    def __len__(self) -> int:
        return sum(self._buckets)

    def quantile(self, share: float) -> float:
        """Return the seconds within which `share` of all lay; 0 where none was counted."""
        sums = list(accumulate(self._buckets))
        return bisect_left(sums, share * sums[-1]) * RESOLUTION if sums[-1] else 0.0
