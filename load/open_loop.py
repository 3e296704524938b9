"""Open-loop arrivals: a send happens when the schedule says so, whatever became of the ones before."""

import asyncio
import random
import time
from array import array
from collections.abc import Callable, Sequence

from load.latency import Latencies


def poisson(rate: float, seconds: float, seed: int = 1) -> Sequence[float]:
    """Return the seconds after the start of each arrival: exponential gaps of mean 1/rate, the same for one seed."""
    gap = random.Random(seed).expovariate
    times = array("d")
    at = gap(rate)
    while at < seconds:
        times.append(at)
        at += gap(rate)
    return times


class OpenLoop:
    """Sends on a schedule and knows how late it was itself.

    A latency counts from the scheduled time, so a generator or server that falls behind shows it in full (no
    coordinated omission). Timers of uvloop have a millisecond, so up to about 1 ms of each latency is the generator's.
    """

    def __init__(self, schedule: Sequence[float], send: Callable[[int], None]) -> None:
        self._schedule = schedule
        self._send = send
        self.start = 0.0
        """time.perf_counter() of the schedule's zero."""
        self.lateness = Latencies()
        """Scheduled to actual send."""

    async def run(self) -> None:
        """Call `send(i)` for each arrival at its time."""
        schedule, send, late, clock = self._schedule, self._send, self.lateness.add, time.perf_counter
        i, n = 0, len(schedule)
        start = self.start = clock()
        while i < n:
            now = clock() - start
            while i < n and schedule[i] <= now:
                send(i)
                late(clock() - start - schedule[i])
                i += 1
            await asyncio.sleep(max(0.001, schedule[i] - now) if i < n else 0)
