"""Whatever the wall clock is put to, no change stays unseen once the clock is right."""

import random

import pytest

from parlour.platform.looks import _REMEMBERED, DAY, Looks

from ..auth.world import ManualClock

OVERLAP = 15_000
HOUR = 3_600_000


def looked(looks: Looks) -> int:
    """Look with success, and return since when."""
    look = looks.begin()
    looks.done(look)
    return look.since


def test_a_look_begins_where_the_last_one_was_made() -> None:
    clock = ManualClock()
    looks = Looks(clock, OVERLAP)
    begun = clock.now()
    clock.advance(0.5)
    assert looked(looks) == begun - OVERLAP
    clock.advance(0.5)
    assert looked(looks) == begun + 500 - OVERLAP


def test_a_look_that_failed_is_made_up_for() -> None:
    clock = ManualClock()
    looks = Looks(clock, OVERLAP)
    begun = clock.now()
    for _ in range(10):
        clock.advance(60)
        assert looks.begin().since == begun - OVERLAP


def test_what_was_changed_while_the_clock_was_ahead_is_looked_for_when_it_is_right() -> None:
    clock = ManualClock()
    looks = Looks(clock, OVERLAP)
    clock.advance(60)
    looked(looks)
    before = clock.now()
    clock.wall += HOUR
    for _ in range(600):
        clock.advance(0.5)
        looked(looks)
    clock.wall -= HOUR
    assert looked(looks) <= before - OVERLAP
    clock.advance(0.5)
    assert looked(looks) == clock.now() - 500 - OVERLAP  # and once only


def test_a_clock_that_was_ahead_from_the_start_and_put_right_while_looks_failed_leaves_nothing_out() -> None:
    clock = ManualClock()
    right = clock.now()
    clock.wall += HOUR
    looks = Looks(clock, OVERLAP)
    clock.advance(60)
    looks.begin()  # fails
    clock.wall -= HOUR
    clock.advance(60)
    assert looked(looks) <= right - OVERLAP


def test_time_in_which_the_monotonic_clock_stood_still_is_looked_at() -> None:
    clock = ManualClock()
    looks = Looks(clock, OVERLAP)
    looked(looks)
    asleep = clock.now()
    clock.wall += HOUR
    assert looked(looks) == asleep - OVERLAP


def test_nothing_is_looked_for_that_is_older_than_any_token() -> None:
    clock = ManualClock()
    looks = Looks(clock, OVERLAP)
    clock.advance(30 * DAY / 1_000)
    assert looked(looks) == clock.now() - DAY - OVERLAP
    assert Looks(clock, OVERLAP, back=HOUR).begin().since == clock.now() - HOUR - OVERLAP


@pytest.mark.parametrize("seed", range(50))
def test_a_clock_that_is_put_anywhere_and_then_right_leaves_no_change_out(seed: int) -> None:
    """Others, whose clocks are right, change something between any two looks; looks fail as they like."""
    chance = random.Random(seed)
    clock, right = ManualClock(), ManualClock()
    looks = Looks(clock, OVERLAP)
    unseen = set[int]()
    for _ in range(300):
        seconds = chance.choice([0.5, 0.5, 5.0])
        for each in (clock, right):
            each.advance(seconds)
        unseen.add(right.now() - chance.randrange(500))
        if chance.random() < 0.2:
            clock.wall += chance.choice([-HOUR, -5_000, -900, -300, 300, 900, 5_000, HOUR])
        look = looks.begin()
        if chance.random() < 0.8:
            unseen = {at for at in unseen if at < look.since}
            looks.done(look)
        assert len(looks._made) <= _REMEMBERED
    clock.wall = right.now()
    look = looks.begin()
    assert not {at for at in unseen if at < look.since}
