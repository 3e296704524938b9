"""Who is let in."""

import pytest

from parlour.realtime.limits import (
    ADDRESS_BUSY,
    ADDRESS_FULL,
    ADDRESS_HALF_OPEN,
    BUSY,
    DRAINING,
    FULL,
    Admission,
    Limits,
    TokenBucket,
    is_loopback,
    subscriber,
)

STRANGER = "203.0.113.7"


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=2, burst=3, now=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1.0) for _ in range(3)] == [True, True, False]
    assert bucket.is_full(10.0)


def test_the_defaults_let_ten_thousand_in_from_the_machine_itself_at_once() -> None:
    admission = Admission(Limits(), 0.0)
    assert all(admission.admit("127.0.0.1", 0.0) is None for _ in range(10_000))


def test_the_defaults_stop_the_flood_of_a_stranger_and_nobody_else() -> None:
    admission = Admission(Limits(), 0.0)
    answers = [admission.admit(STRANGER, 0.0) for _ in range(10_000)]
    assert answers.count(None) == Limits().max_half_open_per_address
    assert admission.admit("198.51.100.1", 0.0) is None


def test_each_bound_has_its_refusal() -> None:
    def fill(limits: Limits, address: str = STRANGER, *, join: bool = True) -> object:
        admission = Admission(limits, 0.0)
        assert admission.admit(address, 0.0) is None
        if join:
            admission.joined(address)
        return admission.admit(address, 0.0)

    assert fill(Limits(max_connections=1)) is FULL
    assert fill(Limits(max_connections_per_address=1)) is ADDRESS_FULL
    assert fill(Limits(max_half_open_per_address=1), join=False) is ADDRESS_HALF_OPEN
    assert fill(Limits(handshake_burst_per_address=1)) is ADDRESS_BUSY
    assert fill(Limits(handshake_burst=1), "127.0.0.1") is BUSY
    admission = Admission(Limits(), 0.0)
    admission.draining = True
    assert admission.admit(STRANGER, 0.0) is DRAINING


def test_a_subscriber_of_ipv6_is_one_stranger_however_many_addresses_it_has() -> None:
    admission = Admission(Limits(max_connections_per_address=3), 0.0)
    assert [admission.admit(f"2001:db8::{number:x}", 0.0) for number in range(1, 5)] == [None, None, None, ADDRESS_FULL]
    assert admission.admit("2001:db8:0:1::1", 0.0) is None
    admission.joined("2001:db8::1")
    admission.release("2001:db8::1", half_open=False)
    assert admission.admit("2001:db8::9", 0.0) is None


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("", ""),
        ("a:b", "a:b"),
    ],
)
def test_what_an_address_counts_as(address: str, counted: str) -> None:
    assert subscriber(address) == counted


def test_who_leaves_makes_room() -> None:
    admission = Admission(Limits(max_connections=1, max_half_open_per_address=1), 0.0)
    assert admission.admit(STRANGER, 0.0) is None
    admission.release(STRANGER, half_open=True)
    assert admission.admit(STRANGER, 0.0) is None
    admission.joined(STRANGER)
    admission.release(STRANGER, half_open=False)
    assert admission.connections == 0


def test_addresses_do_not_pile_up() -> None:
    admission = Admission(Limits(max_tracked_addresses=10), 0.0)
    for number in range(1_000):
        address = f"198.51.100.{number}"
        assert admission.admit(address, float(number)) is None
        admission.release(address, half_open=True)
    assert len(admission._addresses) <= 11


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("", True),
        ("::ffff:127.0.0.1", True),
        (STRANGER, False),
        ("nonsense", False),
    ],
)
def test_what_counts_as_the_machine_itself(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected
