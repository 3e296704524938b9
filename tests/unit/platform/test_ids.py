"""Identifiers: their form, their order, and what is recognised as one."""

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.platform import ids
from parlour.platform.ids import is_uuid, uuid4, uuid7


def test_uuid7_is_a_version_7_uuid_of_now() -> None:
    """RFC 9562 section 5.7: 48 bits of milliseconds, version and variant."""
    before = time.time_ns() // 1_000_000
    parsed = uuid.UUID(uuid7())
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert before - 1 <= parsed.int >> 80 <= time.time_ns() // 1_000_000 + 10


def test_uuid7_sorts_in_the_order_made() -> None:
    """RFC 9562 section 6.2, also within one millisecond and past its counter's end."""
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_uuid7_keeps_its_order_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    make = ids._MonotonicV7()
    times = iter([2_000_000_000_000_000_000, 1_999_999_999_000_000_000, 1_000_000_000_000_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(times))
    made = [make(), make(), make()]
    assert made == sorted(made)
    assert len(set(made)) == 3


def test_uuid4_is_random() -> None:
    assert uuid.UUID(uuid4()).version == 4
    assert len({uuid4() for _ in range(1000)}) == 1000


@given(st.uuids(version=4) | st.uuids(version=1) | st.uuids(version=5))
def test_canonical_uuids_are_recognised(value: uuid.UUID) -> None:
    assert is_uuid(str(value))
    assert not is_uuid(value.hex)
    assert not is_uuid(f"{{{value}}}")
    assert not is_uuid(f"{value}\n")
    assert is_uuid(str(value).upper()) == (str(value).upper() == str(value))


@given(st.text(max_size=50))
def test_no_other_text_is(text: str) -> None:
    if is_uuid(text):
        assert str(uuid.UUID(text)) == text
