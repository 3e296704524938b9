"""What the command line does, and that a running server notices."""

import asyncio
from pathlib import Path

import pytest

from parlour.auth.errors import InvalidCredentials, LastOwner, UserNotFound
from parlour.auth.service import Auth
from parlour.platform import supervision
from parlour.platform.bus import MemoryBus
from parlour.platform.contracts import SESSION_REVOKED
from parlour.platform.permissions import Role
from parlour.platform.tokens import SessionEnded

from .world import ELSEWHERE, ORIGIN, PASSWORD, CountingHasher, ManualClock, World, a_world, an_auth


async def test_users_of_any_role_can_be_made(world: World) -> None:
    first = await world.auth.administration.create_user("root", "root@example.org", PASSWORD)
    second = await world.auth.administration.create_user(
        "helper", "helper@example.org", PASSWORD, display_name="A Helper", role=Role.MODERATOR
    )
    assert (first.role, second.role) == (Role.OWNER, Role.MODERATOR)
    assert (await world.auth.logins.log_in("helper", PASSWORD, ORIGIN)).user == second


async def test_a_reset_password_ends_every_session_and_every_wait(world: World) -> None:
    grant = await world.register()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await world.auth.logins.log_in("ann", "a wrong password", ELSEWHERE)
    assert await world.auth.administration.reset_password("ann@example.org", "quite another secret") == 1
    with pytest.raises(SessionEnded):
        world.principal(grant)
    assert await world.auth.logins.log_in("ann", "quite another secret", ELSEWHERE)


async def test_sessions_are_listed_and_revoked(world: World) -> None:
    grant = await world.register()
    await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)
    sessions = await world.auth.administration.list_sessions("ann")
    assert len(sessions) == 2
    assert await world.auth.administration.revoke_sessions("ann", world.principal(grant).session_id) == 1
    assert await world.auth.administration.revoke_sessions("ann") == 1
    assert await world.auth.administration.revoke_sessions("ann") == 0


async def test_there_must_be_such_a_user_and_an_owner_left(world: World) -> None:
    with pytest.raises(UserNotFound):
        await world.auth.administration.reset_password("nobody", PASSWORD)
    await world.register()
    with pytest.raises(LastOwner):
        await world.auth.administration.set_role("ann", Role.MEMBER)


async def test_seeding_makes_users_who_are_logged_in(world: World) -> None:
    await world.register("user2")
    seeded = await world.auth.administration.seed(3, password=PASSWORD, lifetime=86_400_000)
    assert [user.username for user in seeded] == ["user1", "user3", "user4"]
    world.clock.advance(80_000)
    for user in seeded:
        principal = world.auth.verifier.verify(user.access_token)
        assert (principal.user_id, principal.session_id) == (user.user_id, user.session_id)
        assert principal.role is Role.MEMBER
    assert await world.auth.logins.log_in("user3", PASSWORD, ORIGIN)
    await world.auth.administration.revoke_sessions("user1")
    with pytest.raises(SessionEnded):
        world.auth.verifier.verify(seeded[0].access_token)
    assert await world.auth.administration.seed(0) == []


async def test_seeding_an_empty_server_begins_with_its_owner(world: World) -> None:
    seeded = await world.auth.administration.seed(2)
    roles = [world.auth.verifier.verify(user.access_token).role for user in seeded]
    assert roles == [Role.OWNER, Role.MEMBER]
    with pytest.raises(InvalidCredentials):
        await world.auth.logins.log_in("user1", PASSWORD, ORIGIN)


async def test_what_another_process_revokes_is_told_once(world: World, tmp_path: Path) -> None:
    grant = await world.register()
    other = await world.register("bob")
    async with a_world(tmp_path, world.clock) as admin:
        await admin.auth.administration.revoke_sessions("ann")
    await world.auth._watch.look()
    await world.auth._watch.look()
    with pytest.raises(SessionEnded):
        world.principal(grant)
    assert world.principal(other)
    assert [(told.user_id, told.reason) for told in world.revoked] == [(grant.user.id, "revoked")]


async def test_what_another_process_changes_is_told_once(world: World, tmp_path: Path) -> None:
    await world.register("owner")
    grant = await world.register()
    assert (await world.auth.directory.profiles([grant.user.id]))[grant.user.id].role == "member"
    world.clock.advance(1)
    async with a_world(tmp_path, world.clock) as admin:
        await admin.auth.administration.set_role("ann", Role.ADMIN)
    await world.auth._watch.look()
    await world.auth._watch.look()
    assert (await world.auth.directory.profiles([grant.user.id]))[grant.user.id].role == "admin"
    assert [told.role for told in world.changed] == ["admin"]


async def test_a_revocation_that_was_slow_to_be_written_is_found(world: World, tmp_path: Path) -> None:
    grant = await world.register()
    async with a_world(tmp_path, ManualClock(world.clock.now())) as admin:
        for _ in range(20):
            world.clock.advance(0.5)
            await world.auth._watch.look()
        await admin.auth.administration.revoke_sessions("ann")  # its clock says ten seconds ago
    await world.auth._watch.look()
    with pytest.raises(SessionEnded):
        world.principal(grant)


async def test_the_watch_survives_a_database_that_is_away(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = await world.register()
    bus = MemoryBus()
    told = asyncio.Event()
    bus.subscribe(SESSION_REVOKED, lambda _payload: told.set())
    auth: Auth = an_auth(world.database, CountingHasher(), bus, world.clock)
    await auth.start()
    auth._watch._interval = 0.01
    async with world.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE sessions RENAME TO away")
    warned = asyncio.Event()
    monkeypatch.setattr(supervision.logger, "warning", lambda _message: warned.set())
    watching = asyncio.create_task(auth.run())
    await asyncio.wait_for(warned.wait(), 5)
    async with world.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO sessions")
    async with a_world(tmp_path, world.clock) as admin:
        await admin.auth.administration.revoke_sessions("ann")
    await asyncio.wait_for(told.wait(), 5)
    watching.cancel()
    await asyncio.wait({watching})  # before the database closes, which its read under way would wait for in vain
    with pytest.raises(SessionEnded):
        auth.verifier.verify(grant.access_token)


async def test_a_revocation_is_found_by_a_process_whose_clock_was_hours_ahead(world: World, tmp_path: Path) -> None:
    grant = await world.register()
    right = ManualClock(world.clock.now())
    world.clock.wall += 7_200_000
    await world.auth._watch.look()
    world.clock.wall -= 7_200_000
    async with a_world(tmp_path, right) as admin:
        await admin.auth.administration.revoke_sessions("ann")
    await world.auth._watch.look()
    with pytest.raises(SessionEnded):
        world.principal(grant)


async def test_what_was_revoked_while_the_clock_was_hours_ahead_is_found_when_it_is_right(
    world: World, tmp_path: Path
) -> None:
    grant = await world.register()
    right = ManualClock(world.clock.now())
    world.clock.wall += 7_200_000
    await world.auth._watch.look()
    async with a_world(tmp_path, right) as admin:
        await admin.auth.administration.revoke_sessions("ann")
    for _ in range(100):
        world.clock.advance(0.5)
        await world.auth._watch.look()
    assert world.revoked == []
    world.clock.wall -= 7_200_000
    await world.auth._watch.look()
    assert [told.user_id for told in world.revoked] == [grant.user.id]
    with pytest.raises(SessionEnded):
        world.principal(grant)
