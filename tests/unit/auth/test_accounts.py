"""Registering, one's own account, and managing those of others."""

import asyncio
from pathlib import Path

import pytest

from parlour.auth.errors import (
    EmailTaken,
    LastOwner,
    LoginSlowed,
    PasswordIsName,
    PasswordTooShort,
    UsernameTaken,
    UserNotFound,
    WrongPassword,
)
from parlour.auth.model import may_manage
from parlour.auth.service import Origin
from parlour.platform.errors import Forbidden, InvalidRequest, RateLimited
from parlour.platform.ids import UserId, uuid7
from parlour.platform.permissions import Role
from parlour.platform.rates import DEFAULT_RATES
from parlour.platform.tokens import SessionEnded

from .world import ELSEWHERE, ORIGIN, PASSWORD, World, a_world

NEW = "quite another secret"


async def test_the_first_account_is_the_owner_and_the_next_are_members(world: World) -> None:
    assert (await world.register("ann")).user.role is Role.OWNER
    assert (await world.register("bob")).user.role is Role.MEMBER


async def test_of_many_first_accounts_at_once_one_is_the_owner(world: World) -> None:
    grants = await asyncio.gather(*(world.register(f"ann{number}") for number in range(8)))
    assert [grant.user.role for grant in grants].count(Role.OWNER) == 1


async def test_who_asks_whether_many_addresses_have_accounts_is_slowed(tmp_path: Path) -> None:
    """What is refused without asking the store is not counted; the machine itself never is."""
    async with a_world(tmp_path, rates={"register": DEFAULT_RATES["register"]}) as world:
        await world.register()

        async def ask(origin: Origin, password: str = PASSWORD) -> None:
            await world.auth.accounts.register("ann", "ann@example.org", password, None, origin)

        for _ in range(20):
            with pytest.raises(PasswordTooShort):
                await ask(ELSEWHERE, "short")
        for _ in range(5):
            with pytest.raises(UsernameTaken):
                await ask(ELSEWHERE)
        with pytest.raises(RateLimited) as refused:
            await ask(ELSEWHERE)
        assert 60 < (refused.value.retry_after or 0) < 400
        for _ in range(20):
            with pytest.raises(UsernameTaken):
                await ask(Origin("127.0.0.1"))


async def test_names_and_addresses_are_unique_whatever_their_case(world: World) -> None:
    await world.register()
    with pytest.raises(UsernameTaken):
        await world.auth.accounts.register("ANN", "other@example.org", PASSWORD, None, ORIGIN)
    with pytest.raises(EmailTaken):
        await world.auth.accounts.register("other", "ANN@example.org", PASSWORD, None, ORIGIN)


async def test_of_one_name_registered_at_once_one_succeeds(world: World) -> None:
    answers = await asyncio.gather(*(world.register() for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(UsernameTaken) == 4


async def test_the_display_name_is_the_username_where_none_is_given(world: World) -> None:
    assert (await world.register("Ann")).user.display_name == "Ann"
    grant = await world.auth.accounts.register("bob", "b@x.org", PASSWORD, " Bob  the\tB. ", ORIGIN)
    assert grant.user.display_name == "Bob the B."


async def test_a_refused_password_makes_no_account(world: World) -> None:
    with pytest.raises(PasswordTooShort):
        await world.auth.accounts.register("ann", "ann@example.org", "short", None, ORIGIN)
    with pytest.raises(PasswordIsName):
        await world.auth.accounts.register("annabel_lee", "ann@example.org", "AnnabelLee", None, ORIGIN)
    with pytest.raises(UserNotFound):
        await world.auth.administration.find("ann")


async def test_a_new_display_name_is_told(world: World) -> None:
    grant = await world.register()
    world.clock.advance(1)
    user = await world.auth.accounts.rename(world.principal(grant), "Ann Lee")
    assert user == await world.auth.accounts.me(world.principal(grant))
    assert (user.display_name, user.updated_at) == ("Ann Lee", world.clock.now())
    assert [told.display_name for told in world.changed] == ["Ann Lee"]


async def test_a_new_password_ends_all_other_sessions(world: World) -> None:
    grant = await world.register()
    other = await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)
    await world.auth.accounts.change_password(world.principal(grant), PASSWORD, NEW)
    with pytest.raises(SessionEnded):
        world.principal(other)
    assert world.principal(grant)
    assert await world.auth.sessions.refresh(grant.refresh_token, ORIGIN)
    assert await world.auth.logins.log_in("ann", NEW, ELSEWHERE)
    assert [told.reason for told in world.revoked] == ["password_changed"]


async def test_the_present_password_must_be_right_and_cannot_be_guessed_here(world: World) -> None:
    grant = await world.register()
    principal = world.principal(grant)
    for _ in range(5):
        with pytest.raises(WrongPassword):
            await world.auth.accounts.change_password(principal, "a wrong password", NEW)
    with pytest.raises(LoginSlowed) as refused:
        await world.auth.accounts.change_password(principal, PASSWORD, NEW)
    assert refused.value.retry_after == 60
    assert await world.auth.logins.log_in("ann", PASSWORD, ELSEWHERE)


async def test_a_new_password_obeys_the_rules(world: World) -> None:
    grant = await world.register()
    with pytest.raises(PasswordTooShort):
        await world.auth.accounts.change_password(world.principal(grant), PASSWORD, "short")


async def test_switching_an_account_off_ends_its_sessions_and_on_again_lets_it_in(world: World) -> None:
    owner = world.principal(await world.register("owner"))
    ann = await world.register()
    user = await world.auth.accounts.manage(owner, ann.user.id, None, disabled=True)
    assert user.disabled
    with pytest.raises(SessionEnded):
        world.principal(ann)
    assert [told.reason for told in world.revoked] == ["user_disabled"]
    assert [told.disabled for told in world.changed] == [True]
    await world.auth.accounts.manage(owner, ann.user.id, None, disabled=False)
    assert await world.auth.logins.log_in("ann", PASSWORD, ORIGIN)


async def test_a_demotion_ends_sessions_and_a_promotion_does_not(world: World) -> None:
    owner = world.principal(await world.register("owner"))
    ann = await world.register()
    await world.auth.accounts.manage(owner, ann.user.id, Role.ADMIN, None)
    assert world.principal(ann)
    promoted = await world.auth.sessions.refresh(ann.refresh_token, ORIGIN)
    assert world.principal(promoted).role is Role.ADMIN
    await world.auth.accounts.manage(owner, ann.user.id, Role.GUEST, None)
    with pytest.raises(SessionEnded):
        world.principal(promoted)
    assert [told.reason for told in world.revoked] == ["role_changed"]


async def test_the_last_owner_stays_one(world: World) -> None:
    owner = world.principal(await world.register("owner"))
    with pytest.raises(LastOwner):
        await world.auth.accounts.manage(owner, owner.user_id, Role.MEMBER, None)
    with pytest.raises(LastOwner):
        await world.auth.accounts.manage(owner, owner.user_id, None, disabled=True)
    ann = await world.register()
    await world.auth.accounts.manage(owner, ann.user.id, Role.OWNER, None)
    assert (await world.auth.accounts.manage(owner, owner.user_id, Role.MEMBER, None)).role is Role.MEMBER


async def test_managing_needs_the_permission_a_change_and_a_user(world: World) -> None:
    owner = world.principal(await world.register("owner"))
    ann = await world.register()
    with pytest.raises(Forbidden):
        await world.auth.accounts.manage(world.principal(ann), ann.user.id, Role.OWNER, None)
    with pytest.raises(InvalidRequest):
        await world.auth.accounts.manage(owner, ann.user.id, None, None)
    with pytest.raises(UserNotFound):
        await world.auth.accounts.manage(owner, UserId(uuid7()), Role.GUEST, None)


@pytest.mark.parametrize(
    ("actor", "target", "new", "permitted"),
    [
        (Role.OWNER, Role.OWNER, Role.MEMBER, True),
        (Role.OWNER, Role.MEMBER, Role.OWNER, True),
        (Role.ADMIN, Role.OWNER, Role.MEMBER, False),
        (Role.ADMIN, Role.OWNER, None, False),
        (Role.ADMIN, Role.MEMBER, Role.OWNER, False),
        (Role.ADMIN, Role.ADMIN, Role.MEMBER, True),
        (Role.ADMIN, Role.MEMBER, Role.ADMIN, True),
        (Role.ADMIN, Role.MEMBER, None, True),
    ],
)
def test_only_owners_touch_or_make_owners(actor: Role, target: Role, new: Role | None, permitted: bool) -> None:
    assert may_manage(actor, target, new) is permitted
