"""The histogram that millions of latencies go into."""

import pytest

from load.latency import LIMIT, RESOLUTION, Latencies


def test_quantiles_are_those_of_the_sorted_values_within_the_resolution() -> None:
    latencies = Latencies()
    for milliseconds in range(1, 101):
        latencies.add(milliseconds / 1000)
    assert len(latencies) == 100
    for share, expected in ((0.5, 0.050), (0.95, 0.095), (0.99, 0.099)):
        assert latencies.quantile(share) == pytest.approx(expected, abs=RESOLUTION)


def test_negative_and_endless_latencies_are_counted_at_the_ends() -> None:
    latencies = Latencies()
    latencies.add(-0.001)
    latencies.add(10 * LIMIT)
    assert latencies.quantile(0.5) == 0.0
    assert latencies.quantile(1.0) == pytest.approx(LIMIT, abs=RESOLUTION)


def test_without_latencies_every_quantile_is_zero() -> None:
    assert Latencies().quantile(0.95) == 0.0
