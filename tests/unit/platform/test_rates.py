"""Rate limits by name and key."""

import pytest

from parlour.platform.clock import SystemClock
from parlour.platform.errors import RateLimited
from parlour.platform.rates import DEFAULT_RATES, RateLimits

from ..auth.world import ManualClock


def rates(**overrides: str) -> RateLimits:
    """Limits by the machine's clock, which the `limits` package reads by itself."""
    return RateLimits(SystemClock(), overrides)


def test_as_many_as_the_rate_pass_and_the_next_waits() -> None:
    limits = rates(search="5/hour")
    for _ in range(5):
        limits.check("search", "ann")
    with pytest.raises(RateLimited) as refused:
        limits.check("search", "ann")
    assert refused.value.retry_after is not None
    assert 0.1 <= refused.value.retry_after <= 3600


def test_keys_and_names_are_counted_apart() -> None:
    limits = rates(search="1/hour", room="1/hour")
    limits.check("search", "ann")
    limits.check("search", "bob")
    limits.check("room", "ann")
    with pytest.raises(RateLimited):
        limits.check("room", "ann")


@pytest.mark.parametrize(
    ("overrides", "named"),
    [({"serach": "5/hour"}, "unknown rate: serach"), ({"search": "many"}, "is not like 600/minute")],
    ids=["unknown", "notation"],
)
def test_wrong_override_is_refused_by_name(overrides: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        RateLimits(ManualClock(), overrides)


def test_defaults_can_be_parsed() -> None:
    limits = RateLimits(ManualClock())
    for name in DEFAULT_RATES:
        limits.check(name, "ann")
