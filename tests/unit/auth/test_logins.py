"""Logging in: the same for all who fail, slower for those who go on failing, never for the owner's own device."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from parlour.auth.errors import AccountDisabled, InvalidCredentials, LoginSlowed
from parlour.auth.model import MINUTE, PER_ACCOUNT, PER_ADDRESS, BackOff, Failures
from parlour.auth.service import Origin
from parlour.auth.service.throttle import address_counter
from parlour.platform.errors import RateLimited
from parlour.platform.tokens import SessionEnded

from .world import ELSEWHERE, ORIGIN, PASSWORD, World, a_world


async def fail(world: World, times: int, login: str = "ann", origin: Origin = ELSEWHERE) -> None:
    for _ in range(times):
        with pytest.raises(InvalidCredentials):
            await world.auth.logins.log_in(login, "a wrong password", origin)


async def slowed(world: World, login: str = "ann", origin: Origin = ELSEWHERE, password: str = PASSWORD) -> float:
    with pytest.raises(LoginSlowed) as refused:
        await world.auth.logins.log_in(login, password, origin)
    assert refused.value.retry_after is not None
    return refused.value.retry_after


@pytest.mark.parametrize("login", ["ann", "ANN", " ann ", "ann@example.org", "Ann@Example.org"])
async def test_username_or_address_in_any_case_will_do(world: World, login: str) -> None:
    registered = await world.register()
    grant = await world.auth.logins.log_in(login, PASSWORD, ELSEWHERE)
    assert grant.user == registered.user
    assert world.principal(grant).session_id != world.principal(registered).session_id


@pytest.mark.parametrize("login", ["ann", "ann@example.org", "nobody", "nobody@example.org", "", "\x00", "@"])
async def test_failures_look_and_cost_the_same_whether_the_account_exists(world: World, login: str) -> None:
    await world.register()
    await fail(world, 1, login)
    assert len(world.hasher.verified) == 1


@pytest.mark.parametrize("login", ["ann", "nobody"])
async def test_from_the_fifth_failure_on_each_waits_longer(world: World, login: str) -> None:
    await world.register()
    await fail(world, 5, login)
    for minutes in (1, 5, 15, 60, 60):
        assert await slowed(world, login) == minutes * 60
        world.clock.advance(minutes * 60 - 1)
        assert await slowed(world, login) == 1
        world.clock.advance(1)
        await fail(world, 1, login)
    assert len(world.hasher.verified) == 10  # while it waits nothing is hashed, not even the right password


async def test_success_counts_anew(world: World) -> None:
    await world.register()
    for _ in range(3):
        await fail(world, 4)
        await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)


async def test_success_by_address_sets_back_what_failed_by_username(world: World) -> None:
    await world.register()
    await fail(world, 4)
    await world.auth.logins.log_in("ann@example.org", PASSWORD, ELSEWHERE)
    await fail(world, 4)


async def test_a_day_without_failures_counts_anew(world: World) -> None:
    await world.register()
    await fail(world, 4)
    world.clock.advance(24 * 3600)
    await fail(world, 4)
    assert await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)


async def test_a_known_device_is_not_slowed_by_the_failures_of_others(world: World) -> None:
    known = await world.register()
    await fail(world, 5)
    await slowed(world)
    device = msgspec.structs.replace(ORIGIN, device_token=known.device_token)
    again = await world.auth.logins.log_in("ann", PASSWORD, device)
    assert again.device_token == known.device_token


async def test_a_known_device_is_slowed_by_its_own_failures_only(world: World) -> None:
    known = await world.register()
    device = msgspec.structs.replace(ORIGIN, device_token=known.device_token)
    await fail(world, 5, origin=device)
    assert await slowed(world, origin=device) == 60
    assert await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)


async def test_a_device_is_known_to_its_own_accounts_only(world: World) -> None:
    await world.register()
    bob = await world.register("bob")
    await fail(world, 5)
    await slowed(world, origin=msgspec.structs.replace(ORIGIN, device_token=bob.device_token))
    await slowed(world, origin=msgspec.structs.replace(ORIGIN, device_token="made-up"))


async def test_one_device_serves_several_accounts(world: World) -> None:
    ann = await world.register()
    device = msgspec.structs.replace(ORIGIN, device_token=ann.device_token)
    bob = await world.register("bob", device)
    assert bob.device_token == ann.device_token
    carl = await world.register("carl")
    again = await world.auth.logins.log_in("carl", PASSWORD, device)
    assert again.device_token == ann.device_token != carl.device_token


async def test_a_device_token_of_the_clients_own_making_is_replaced(world: World) -> None:
    await world.register()
    grant = await world.auth.logins.log_in("ann", PASSWORD, Origin("192.0.2.1", "", "1234"))
    assert grant.device_token != "1234"


async def test_an_address_is_slowed_only_after_many_failures(world: World) -> None:
    await world.register()
    for number in range(PER_ADDRESS.threshold):
        await fail(world, 1, f"nobody{number}", Origin("203.0.113.5"))
    assert await slowed(world, origin=Origin("203.0.113.5")) == 60
    assert await world.auth.logins.log_in("ann", PASSWORD, Origin("203.0.113.6"))


async def test_a_restart_forgets_no_failures(tmp_path: Path) -> None:
    async with a_world(tmp_path) as before:
        await before.register()
        await fail(before, 5)
        clock = before.clock
    async with a_world(tmp_path, clock) as after:
        assert await slowed(after) == 60


async def test_many_attempts_at_once_do_not_outrun_the_count(world: World) -> None:
    await world.register()

    async def attempt() -> str:
        try:
            await world.auth.logins.log_in("ann", "a wrong password", ELSEWHERE)
        except (InvalidCredentials, LoginSlowed) as refused:
            return refused.code
        return "ok"

    answers = await asyncio.gather(*(attempt() for _ in range(50)))
    assert set(answers) == {"invalid_credentials", "login_slowed"}
    assert len(world.hasher.verified) <= PER_ACCOUNT.threshold + 3


async def test_many_right_logins_at_once_all_succeed(world: World) -> None:
    await world.register()
    grants = await asyncio.gather(*(world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE) for _ in range(20)))
    assert len({grant.refresh_token for grant in grants}) == 20


async def test_who_is_known_is_hashed_for_before_strangers(world: World) -> None:
    """On a device from which the account was logged in to, or logged in; the device of another account makes nobody known."""
    ann, bob = await world.register(), await world.register("bob")
    for token in (None, bob.device_token, ann.device_token):
        await world.auth.logins.log_in("ann", PASSWORD, Origin("198.51.100.9", device_token=token))
    await world.auth.logins.confirm(ann.user.id, PASSWORD)
    assert world.hasher.strangers == ["198.51.100.9", "198.51.100.9", None, None]


async def test_strangers_do_not_use_up_the_rate_of_a_known_device_at_their_address(tmp_path: Path) -> None:
    async with a_world(tmp_path, rates={"login": "60/minute, burst 3"}) as world:
        ann = await world.register()
        for number in range(3):
            await fail(world, 1, f"nobody{number}")
        with pytest.raises(RateLimited):
            await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)
        known = msgspec.structs.replace(ELSEWHERE, device_token=ann.device_token)
        assert await world.auth.logins.log_in("ann", PASSWORD, known)


async def test_a_disabled_account_is_told_so_only_with_the_right_password(world: World) -> None:
    await world.register("owner")
    ann = await world.register()
    await world.auth.administration.set_disabled("ann")
    await fail(world, 1)
    with pytest.raises(AccountDisabled):
        await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)
    with pytest.raises(AccountDisabled):
        await world.auth.sessions.refresh(ann.refresh_token, ORIGIN)
    with pytest.raises(SessionEnded):
        world.principal(ann)


async def test_a_login_that_began_before_the_password_changed_gets_no_session(world: World) -> None:
    await world.register()
    verify = world.hasher.verify

    async def verify_while_it_changes(encoded: str | None, password: str, *, stranger: str | None = None) -> bool:
        matched = await verify(encoded, password, stranger=stranger)
        await world.auth.administration.reset_password("ann", "another long password")
        return matched

    world.hasher.verify = verify_while_it_changes  # the change has to come between two awaits
    with pytest.raises(InvalidCredentials):
        await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)
    assert await world.auth.administration.list_sessions("ann") == []


async def test_a_hash_with_old_parameters_is_renewed_by_a_login(world: World) -> None:
    await world.register()
    world.hasher.version = "v2"
    await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)
    await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)
    assert [str(encoded)[:2] for encoded in world.hasher.verified] == ["v1", "v2"]


def test_the_back_off_rule() -> None:
    rule = BackOff(threshold=3)
    assert [rule.wait(failures) // MINUTE for failures in range(1, 9)] == [0, 0, 1, 5, 15, 60, 60, 60]
    assert rule.after(None, 7) == Failures(1, 7, 0)
    assert rule.after(Failures(2, 7, 0), 9) == Failures(3, 9, 9 + MINUTE)
    assert rule.after(Failures(9, 7, 0), 7 + rule.forget) == Failures(1, 7 + rule.forget, 0)


@pytest.mark.parametrize(
    ("address", "counter"),
    [
        ("192.0.2.7", "address:192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "address:192.0.2.7"),
        ("unix:", "address:unix:"),
    ],
)
def test_a_subscriber_is_one_address(address: str, counter: str) -> None:
    assert address_counter(address) == counter
