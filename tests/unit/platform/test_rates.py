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


def test_a_burst_is_what_passes_at_once_and_the_rest_comes_evenly() -> None:
    clock = ManualClock()
    limits = RateLimits(clock, {"search": "60/minute, burst 3"})

    def passed(times: int) -> int:
        for number in range(times):
            try:
                limits.check("search", "ann")
            except RateLimited:
                return number
        return times

    assert passed(10) == 3
    clock.advance(2)
    assert passed(10) == 2
    clock.advance(3600)
    assert passed(10) == 3


def test_what_costs_more_is_paid_off_before_the_next() -> None:
    clock = ManualClock()
    limits = RateLimits(clock, {"search": "10/second"})
    limits.check("search", "ann", cost=50)
    clock.advance(3.9)
    with pytest.raises(RateLimited) as refused:
        limits.check("search", "ann")
    clock.advance(refused.value.retry_after or 0)
    limits.check("search", "ann")


@pytest.mark.parametrize(
    ("address", "exempt"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("192.0.2.7", False),
        ("2001:db8::/64", False),
        ("", False),
    ],
)
def test_the_machine_itself_is_exempt_from_rates_of_addresses(address: str, exempt: bool) -> None:
    limits = rates(login="1/hour")
    limits.check_address("login", address)
    if exempt:
        limits.check_address("login", address)
    else:
        with pytest.raises(RateLimited):
            limits.check_address("login", address)


def test_keys_and_names_are_counted_apart() -> None:
    limits = rates(search="1/hour", room="1/hour")
    limits.check("search", "ann")
    limits.check("search", "bob")
    limits.check("room", "ann")
    with pytest.raises(RateLimited):
        limits.check("room", "ann")


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"serach": "5/hour"}, "unknown rate: serach"),
        ({"search": "many"}, "is not like 600/minute"),
        ({"search": "5/hour, burst 0"}, "is not like 600/minute"),
    ],
    ids=["unknown", "notation", "burst"],
)
def test_wrong_override_is_refused_by_name(overrides: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        RateLimits(ManualClock(), overrides)


def test_defaults_can_be_parsed() -> None:
    limits = RateLimits(ManualClock())
    for name in DEFAULT_RATES:
        limits.check(name, "ann")
