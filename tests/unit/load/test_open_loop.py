"""Arrivals that wait for nobody."""

import asyncio
import time

import pytest

from load.open_loop import OpenLoop, poisson


def test_a_schedule_has_the_rate_is_ordered_and_repeats() -> None:
    schedule = poisson(1_000, 20)
    assert len(schedule) == pytest.approx(20_000, rel=0.03)
    assert list(schedule) == sorted(schedule)
    assert schedule[-1] < 20
    assert poisson(1_000, 20) == schedule
    assert poisson(1_000, 20, seed=2) != schedule


async def test_every_arrival_is_sent_once_in_order_and_never_before_its_time() -> None:
    sent: list[tuple[int, float]] = []
    schedule = poisson(500, 0.2)
    loop = OpenLoop(schedule, lambda n: sent.append((n, time.perf_counter())))
    await loop.run()
    assert [n for n, _ in sent] == list(range(len(schedule)))
    assert all(at >= loop.start + schedule[n] for n, at in sent)
    assert len(loop.lateness) == len(schedule)


async def test_a_loop_that_was_held_up_sends_what_is_due_and_owns_up_to_its_lateness() -> None:
    def send(n: int) -> None:
        if n == 0:
            time.sleep(0.1)

    loop = OpenLoop([0.0, 0.01, 0.02], send)
    async with asyncio.timeout(5):
        await loop.run()
    assert len(loop.lateness) == 3
    assert loop.lateness.quantile(0.5) >= 0.07
