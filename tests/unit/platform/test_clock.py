"""The machine's clocks, and that both of the tests' agree with the protocol."""

import time

from parlour.platform.clock import Clock, SystemClock

from ..auth.world import ManualClock


def test_wall_time_is_in_milliseconds_utc() -> None:
    before = time.time()
    now = SystemClock().now()
    assert isinstance(now, int)
    assert before * 1000 - 1 <= now <= time.time() * 1000 + 1


def test_monotonic_time_never_goes_back() -> None:
    clock = SystemClock()
    seen = [clock.monotonic() for _ in range(1000)]
    assert seen == sorted(seen)


def test_manual_clock_moves_both_by_the_same() -> None:
    clock = ManualClock()
    as_port: Clock = clock
    wall, mono = as_port.now(), as_port.monotonic()
    clock.advance(1.5)
    assert (as_port.now() - wall, as_port.monotonic() - mono) == (1500, 1.5)
