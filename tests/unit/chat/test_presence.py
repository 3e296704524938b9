"""Who is here: devices, idleness, watching, and the calm of reconnects."""

import itertools
from asyncio import sleep
from collections.abc import Iterable

import pytest

from parlour.chat.adapters.memory import MemoryPresence
from parlour.chat.service.presence import CALM, GRACE, MAX_WATCHED, SETTLE, Presence
from parlour.platform.errors import InvalidRequest, RateLimited
from parlour.platform.ids import UserId
from parlour.platform.rates import RateLimits

from .doubles import ManualClock
from .virtual_time import in_virtual_time

ANN, BOB = UserId("ann"), UserId("bob")


class CountedPresence(MemoryPresence):
    """The embedded store, counting what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.gets = 0

    def get(self, user_ids: Iterable[UserId]) -> dict[UserId, str]:
        self.gets += 1
        return super().get(user_ids)


class Watch:
    """A presence with a watcher, and what it was told."""

    def __init__(self, rates: dict[str, str] | None = None) -> None:
        self.store = CountedPresence()
        self.told: list[tuple[UserId, str]] = []
        self.presence = Presence(
            self.store, RateLimits(ManualClock(), rates), lambda user_id, state: self.told.append((user_id, state))
        )


@in_virtual_time
async def test_a_watcher_gets_the_states_and_then_only_changes() -> None:
    watch = Watch()
    watch.presence.arrive(BOB, "b1")
    await sleep(1)
    assert await watch.presence.watch(ANN, "a1", [BOB, UserId("nobody")]) == {BOB: "online", "nobody": "offline"}
    await sleep(1)
    assert watch.told == []
    watch.presence.update(BOB, "b1", "idle")
    await sleep(1)
    watch.presence.leave(BOB, "b1")
    await sleep(GRACE + 1)
    assert watch.told == [(BOB, "idle"), (BOB, "offline")]


@in_virtual_time
async def test_a_reconnect_within_the_grace_is_no_change() -> None:
    watch = Watch()
    await watch.presence.watch(ANN, "a1", [BOB])
    watch.presence.arrive(BOB, "b1")
    await sleep(1)
    watch.presence.leave(BOB, "b1")
    await sleep(GRACE / 2)
    watch.presence.arrive(BOB, "b2")
    await sleep(GRACE * 3)
    assert watch.told == [(BOB, "online")]


@in_virtual_time
async def test_a_user_is_online_while_one_device_is_active_and_idle_when_all_are() -> None:
    watch = Watch()
    await watch.presence.watch(ANN, "a1", [BOB])
    watch.presence.arrive(BOB, "phone")
    watch.presence.arrive(BOB, "laptop")
    watch.presence.update(BOB, "phone", "idle")
    await sleep(1)
    assert watch.told == [(BOB, "online")]
    watch.presence.leave(BOB, "laptop")
    await sleep(GRACE + 1)
    assert watch.told == [(BOB, "online"), (BOB, "idle")]


@in_virtual_time
async def test_changes_that_cancel_out_are_not_told() -> None:
    watch = Watch()
    watch.presence.arrive(BOB, "b1")
    await watch.presence.watch(ANN, "a1", [BOB])
    for _ in range(20):
        watch.presence.update(BOB, "b1", "idle")
        watch.presence.update(BOB, "b1", "active")
    await sleep(1)
    assert watch.told == []


@in_virtual_time
async def test_who_changes_all_the_time_is_told_of_once_a_second_and_at_last_as_they_are() -> None:
    watch = Watch()
    watch.presence.arrive(BOB, "b1")
    watch.presence.arrive(BOB, "b2")
    await watch.presence.watch(ANN, "a1", [BOB])
    watch.presence.update(BOB, "b2", "idle")
    for _ in range(20):
        watch.presence.update(BOB, "b1", "idle")
        await sleep(SETTLE * 1.5)
        watch.presence.update(BOB, "b1", "active")
        await sleep(SETTLE * 1.5)
    assert 2 <= len(watch.told) <= 20 * 3 * SETTLE / CALM + 1
    watch.presence.update(BOB, "b1", "idle")
    await sleep(CALM + SETTLE * 2)
    assert watch.told[-1] == (BOB, "idle")
    assert all(before != after for before, after in itertools.pairwise(watch.told))


@in_virtual_time
async def test_who_is_calm_is_told_of_within_a_moment() -> None:
    watch = Watch()
    await watch.presence.watch(ANN, "a1", [BOB])
    watch.presence.arrive(BOB, "b1")
    await sleep(CALM * 2)
    watch.presence.update(BOB, "b1", "idle")
    await sleep(SETTLE * 1.5)
    assert watch.told == [(BOB, "online"), (BOB, "idle")]


@in_virtual_time
async def test_who_watches_while_a_change_settles_gets_the_old_state_and_then_the_change() -> None:
    watch = Watch()
    await watch.presence.watch(ANN, "a1", [BOB])
    watch.presence.arrive(BOB, "b1")
    assert await watch.presence.watch(ANN, "a2", [BOB]) == {BOB: "offline"}
    await sleep(SETTLE * 2)
    assert watch.told == [(BOB, "online")]


@in_virtual_time
async def test_a_storm_of_users_nobody_watches_tells_nothing_and_looks_nothing_up() -> None:
    watch = Watch()
    for number in range(1000):
        watch.presence.arrive(UserId(str(number)), "d")
    for number in range(1000):
        watch.presence.leave(UserId(str(number)), "d")
    await sleep(GRACE + 1)
    assert watch.told == []
    assert watch.store.gets == 0


@in_virtual_time
async def test_watching_others_replaces_and_leaving_ends_it() -> None:
    watch = Watch()
    carl = UserId("carl")
    await watch.presence.watch(ANN, "a1", [BOB])
    await watch.presence.watch(ANN, "a1", [carl])
    watch.presence.arrive(BOB, "b1")
    watch.presence.arrive(carl, "c1")
    await sleep(1)
    watch.presence.leave(ANN, "a1")
    assert watch.presence.watched_by("a1") == frozenset()
    watch.presence.update(carl, "c1", "idle")
    await sleep(1)
    assert watch.told == [(carl, "online")]


@in_virtual_time
async def test_who_goes_one_after_the_other_is_told_one_after_the_other() -> None:
    watch = Watch()
    users = [UserId(str(number)) for number in range(5)]
    await watch.presence.watch(ANN, "a1", users)
    for user_id in users:
        watch.presence.arrive(user_id, user_id)
    await sleep(1)
    watch.told.clear()
    for user_id in users:
        watch.presence.leave(user_id, user_id)
        await sleep(1)
    await sleep(GRACE)
    assert watch.told == [(user_id, "offline") for user_id in users]


@in_virtual_time
async def test_a_long_list_counts_for_more() -> None:
    watch = Watch({"presence": "6/minute"})
    await watch.presence.watch(ANN, "a1", [UserId(str(number)) for number in range(MAX_WATCHED)])
    with pytest.raises(RateLimited):
        await watch.presence.watch(ANN, "a1", [])


@in_virtual_time
async def test_watching_is_bounded() -> None:
    watch = Watch({"presence": "3/minute"})
    with pytest.raises(InvalidRequest):
        await watch.presence.watch(ANN, "a1", [UserId(str(number)) for number in range(MAX_WATCHED + 1)])
    for _ in range(3):
        await watch.presence.watch(ANN, "a1", [])
    with pytest.raises(RateLimited):
        watch.presence.update(ANN, "a1", "idle")
