"""Refreshing, reuse, grace, expiry and revocation."""

import asyncio
import base64
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from parlour.auth.errors import RefreshTokenExpired, RefreshTokenInvalid, RefreshTokenReused, SessionNotFound
from parlour.auth.model import DAY, Lifetimes, RefreshOutcome, Session, StoredToken, judge_refresh
from parlour.auth.service.refresh_tokens import is_authentic, mint, new_family_key, session_named_by
from parlour.platform.ids import SessionId, UserId, uuid7
from parlour.platform.tokens import SessionEnded, TokenExpired

from .world import ELSEWHERE, ORIGIN, PASSWORD, World, a_world

DAYS = DAY // 1000


async def test_a_refresh_token_is_spent_for_the_next_pair(world: World) -> None:
    first = await world.register()
    world.clock.advance(60)
    second = await world.auth.sessions.refresh(first.refresh_token, ORIGIN)
    assert second.refresh_token != first.refresh_token
    assert world.principal(second).session_id == world.principal(first).session_id
    assert second.user == first.user
    assert second.expires_in == 600


async def test_an_access_token_lives_ten_minutes(world: World) -> None:
    grant = await world.register()
    world.clock.advance(599)
    assert world.principal(grant)
    world.clock.advance(1)
    with pytest.raises(TokenExpired):
        world.principal(grant)


async def test_reuse_past_the_grace_ends_the_session_and_tells_its_sockets(world: World) -> None:
    first = await world.register()
    second = await world.auth.sessions.refresh(first.refresh_token, ORIGIN)
    world.clock.advance(10)
    with pytest.raises(RefreshTokenReused):
        await world.auth.sessions.refresh(first.refresh_token, ELSEWHERE)
    with pytest.raises(SessionEnded):
        world.principal(second)
    with pytest.raises(SessionEnded):
        await world.auth.sessions.refresh(second.refresh_token, ORIGIN)
    [told] = world.revoked
    assert (told.user_id, told.reason) == (first.user.id, "token_reused")


async def test_reuse_is_noticed_however_long_ago_the_token_was_spent(world: World) -> None:
    grant = first = await world.register()
    for _ in range(8):
        world.clock.advance(10 * DAYS)
        grant = await world.auth.sessions.refresh(grant.refresh_token, ORIGIN)
    with pytest.raises(RefreshTokenReused):
        await world.auth.sessions.refresh(first.refresh_token, ORIGIN)
    with pytest.raises(SessionEnded):
        await world.auth.sessions.refresh(grant.refresh_token, ORIGIN)


async def test_a_session_keeps_no_long_list_of_spent_tokens(world: World) -> None:
    grant = await world.register()
    for _ in range(30):
        world.clock.advance(600)
        grant = await world.auth.sessions.refresh(grant.refresh_token, ORIGIN)
    kept = await world.database.row(sa.text("SELECT count(*) FROM refresh_tokens"))
    assert kept is not None
    assert kept[0] <= 2


async def test_two_tabs_that_refresh_at_once_both_go_on(world: World) -> None:
    first = await world.register()
    tabs = await asyncio.gather(*(world.auth.sessions.refresh(first.refresh_token, ORIGIN) for _ in range(2)))
    assert len({tab.refresh_token for tab in tabs}) == 2
    for tab in tabs:
        assert world.principal(tab)
    world.clock.advance(600)
    later = [await world.auth.sessions.refresh(tab.refresh_token, ORIGIN) for tab in tabs]
    world.clock.advance(600)
    for tab in later:
        assert await world.auth.sessions.refresh(tab.refresh_token, ORIGIN)
    assert world.revoked == []


async def test_a_session_ends_after_thirty_idle_days(world: World) -> None:
    grant = await world.register()
    world.clock.advance(30 * DAYS - 1)
    grant = await world.auth.sessions.refresh(grant.refresh_token, ORIGIN)
    world.clock.advance(30 * DAYS)
    with pytest.raises(RefreshTokenExpired):
        await world.auth.sessions.refresh(grant.refresh_token, ORIGIN)
    assert await world.auth.sessions.live(grant.user.id) == []


async def test_a_session_ends_after_ninety_days_whatever_its_use(world: World) -> None:
    grant = await world.register()
    for _ in range(8):
        world.clock.advance(10 * DAYS)
        grant = await world.auth.sessions.refresh(grant.refresh_token, ORIGIN)
    world.clock.advance(10 * DAYS)
    with pytest.raises(RefreshTokenExpired):
        await world.auth.sessions.refresh(grant.refresh_token, ORIGIN)


@pytest.mark.parametrize("token", ["", "x", "x" * 86, "é" * 86, "=" * 86, "A" * 5000])
async def test_what_is_no_refresh_token_is_refused(world: World, token: str) -> None:
    with pytest.raises(RefreshTokenInvalid):
        await world.auth.sessions.refresh(token, ORIGIN)


async def test_an_invented_token_of_a_known_session_ends_nothing(world: World) -> None:
    grant = await world.register()
    session_id = world.principal(grant).session_id
    invented = mint(session_id, new_family_key()).token
    with pytest.raises(RefreshTokenInvalid):
        await world.auth.sessions.refresh(invented, ELSEWHERE)
    with pytest.raises(RefreshTokenInvalid):
        await world.auth.sessions.log_out_with(invented)
    assert world.principal(grant)


def test_every_bit_of_a_refresh_token_counts() -> None:
    session_id, key = SessionId(uuid7()), new_family_key()
    token = mint(session_id, key).token
    assert session_named_by(token) == session_id
    assert is_authentic(token, key)
    raw = bytearray(base64.urlsafe_b64decode(token + "=="))
    for position in range(len(raw)):
        forged = raw.copy()
        forged[position] ^= 1
        assert not is_authentic(base64.urlsafe_b64encode(forged).decode().rstrip("="), key)


async def test_only_hashes_of_tokens_are_stored(world: World, tmp_path: Path) -> None:
    grant = await world.register()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert grant.refresh_token.encode() not in stored
    assert grant.device_token is not None
    assert grant.device_token.encode() not in stored


async def test_the_list_tells_devices_and_last_use(world: World) -> None:
    first = await world.register()
    world.clock.advance(5)
    await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)
    sessions = await world.auth.sessions.live(first.user.id)
    assert [(session.device, session.address) for session in sessions] == [
        ("curl/8.5.0", "198.51.100.9"),
        ("Firefox on Linux", "192.0.2.7"),
    ]
    world.clock.advance(5)
    await world.auth.sessions.refresh(first.refresh_token, ELSEWHERE)
    sessions = await world.auth.sessions.live(first.user.id)
    assert sessions[0].id == world.principal(first).session_id
    assert sessions[0].last_used_at == world.clock.now()
    assert sessions[0].address == "198.51.100.9"


async def test_logging_out_ends_the_session_once(world: World) -> None:
    grant = await world.register()
    await world.auth.sessions.log_out(world.principal(grant))
    await world.auth.sessions.log_out_with(grant.refresh_token)
    assert [(told.reason, len(told.session_ids)) for told in world.revoked] == [("logout", 1)]
    with pytest.raises(SessionEnded):
        world.principal(grant)


async def test_all_others_can_be_ended_and_only_ones_own(world: World) -> None:
    kept = await world.register()
    others = [await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE) for _ in range(3)]
    stranger = await world.register("bob")
    mine = world.principal(kept)
    with pytest.raises(SessionNotFound):
        await world.auth.sessions.revoke(mine.user_id, world.principal(stranger).session_id)
    with pytest.raises(SessionNotFound):
        await world.auth.sessions.revoke(mine.user_id, SessionId("nonsense"))
    assert await world.auth.sessions.revoke_all(mine.user_id, keep=mine.session_id) == 3
    assert [session.id for session in await world.auth.sessions.live(mine.user_id)] == [mine.session_id]
    for other in others:
        with pytest.raises(SessionEnded):
            world.principal(other)
    assert world.principal(kept)
    assert world.principal(stranger)
    assert sum(len(told.session_ids) for told in world.revoked) == 3


async def test_revocations_are_remembered_over_a_restart(tmp_path: Path) -> None:
    async with a_world(tmp_path) as before:
        grant = await before.register()
        await before.auth.sessions.log_out(before.principal(grant))
        clock = before.clock
    async with a_world(tmp_path, clock) as after:
        with pytest.raises(SessionEnded):
            after.principal(grant)


async def test_ended_sessions_are_deleted_in_time(world: World) -> None:
    grant = await world.register()
    await world.auth.sessions.log_out(world.principal(grant))
    world.clock.advance(8 * DAYS)
    await world.auth.sessions.purge(world.clock.now())
    with pytest.raises(RefreshTokenInvalid):
        await world.auth.sessions.refresh(grant.refresh_token, ORIGIN)


TIMES = st.integers(0, 100 * DAY)


@given(
    last_used=TIMES,
    revoked=st.none() | TIMES,
    token=st.none() | st.builds(StoredToken, issued_at=TIMES, spent_at=st.none() | TIMES),
    now=TIMES,
)
def test_a_refresh_token_passes_only_in_a_live_session_unspent_or_just_spent(
    last_used: int, revoked: int | None, token: StoredToken | None, now: int
) -> None:
    lifetimes = Lifetimes()
    session = Session(SessionId("s"), UserId("u"), "", "", 0, last_used, lifetimes.session, 0, b"", revoked)
    outcome = judge_refresh(session, token, now, lifetimes)
    live = revoked is None and now < session.expires_at and now < last_used + lifetimes.idle
    fresh = token is not None and now < token.issued_at + lifetimes.idle
    unspent = token is not None and token.spent_at is None
    just_spent = token is not None and token.spent_at is not None and now < token.spent_at + lifetimes.grace
    assert (outcome is RefreshOutcome.ROTATED) == (live and fresh and unspent)
    assert (outcome is RefreshOutcome.SIBLING) == (live and fresh and just_spent)
    assert (outcome is RefreshOutcome.REVOKED) == (revoked is not None)
    assert outcome is not RefreshOutcome.REUSED or (live and not unspent)


def test_the_usual_lifetimes() -> None:
    assert Lifetimes() == Lifetimes(access=600_000, session=90 * DAY, idle=30 * DAY, grace=10_000, key_lead=5_000)
