"""The directory and what it remembers."""

import asyncio
from collections.abc import Iterable

import pytest

from parlour.auth.adapters.sql import SqlAccountStore
from parlour.auth.model import User
from parlour.auth.service import Directory
from parlour.platform.clock import Clock
from parlour.platform.errors import Forbidden, InvalidRequest, RateLimited
from parlour.platform.ids import UserId, uuid7
from parlour.platform.permissions import Role
from parlour.platform.rates import RateLimits
from parlour.platform.sql import Database

from .world import ORIGIN, PASSWORD, World


class CountingStore(SqlAccountStore):
    """Counts queries, and can be held up in the middle of one."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.queries = 0
        self.fetched = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def users(self, user_ids: Iterable[UserId]) -> list[User]:
        self.queries += 1
        found = await super().users(user_ids)
        self.fetched.set()
        if self.gate is not None:
            await self.gate.wait()
        return found

    async def users_by_name(self, username_keys: Iterable[str]) -> list[User]:
        self.queries += 1
        return await super().users_by_name(username_keys)


@pytest.fixture
def store(world: World) -> CountingStore:
    return CountingStore(world.database)


@pytest.fixture
def directory(world: World, store: CountingStore) -> Directory:
    return Directory(store, world.bus, world.clock, RateLimits(world.clock))


async def test_profiles_come_in_one_query_and_are_remembered(
    world: World, directory: Directory, store: CountingStore
) -> None:
    ids = [(await world.register(f"user{number}")).user.id for number in range(5)]
    profiles = await directory.profiles([*ids, UserId(uuid7())])
    assert profiles.keys() == set(ids)
    assert profiles[ids[0]].username == "user0"
    assert not hasattr(profiles[ids[0]], "email")
    assert await directory.profiles(ids) == profiles
    assert store.queries == 1
    world.clock.advance(61)
    await directory.profiles(ids)
    assert store.queries == 2


async def test_usernames_are_found_in_any_case_under_the_name_asked_for(
    world: World, directory: Directory, store: CountingStore
) -> None:
    ann = await world.register("Straße")
    found = await directory.by_usernames(["STRASSE", "straße", "nobody"])
    assert {name: profile.id for name, profile in found.items()} == {"strasse": ann.user.id, "straße": ann.user.id}
    await directory.by_usernames(["straße"])
    assert store.queries == 1


async def test_who_is_remembered_is_so_past_the_time_without_a_query(
    world: World, directory: Directory, store: CountingStore
) -> None:
    ann = await world.register("Straße")
    assert directory.remembered(["straße"]) == {}
    found = await directory.by_usernames(["straße"])
    world.clock.advance(61)
    assert directory.remembered(["STRASSE", "nobody"]) == {"strasse": found["straße"]}
    assert store.queries == 1
    await world.auth.accounts.rename(world.principal(ann), "Ann Lee")
    assert directory.remembered(["straße"]) == {}


async def test_a_name_that_nobody_has_is_found_as_soon_as_somebody_has_it(world: World, directory: Directory) -> None:
    assert await directory.by_usernames(["ann"]) == {}
    await world.register()
    assert "ann" in await directory.by_usernames(["ann"])


async def test_a_change_is_seen_at_once(world: World, directory: Directory) -> None:
    grant = await world.register()
    await directory.profiles([grant.user.id])
    await world.auth.accounts.rename(world.principal(grant), "Ann Lee")
    assert (await directory.profiles([grant.user.id]))[grant.user.id].display_name == "Ann Lee"
    assert (await directory.by_usernames(["ann"]))["ann"].display_name == "Ann Lee"


async def test_a_change_told_while_the_old_row_is_fetched_is_not_overwritten_by_it(
    world: World, directory: Directory, store: CountingStore
) -> None:
    grant = await world.register()
    store.gate = asyncio.Event()
    fetching = asyncio.create_task(directory.profiles([grant.user.id]))
    await store.fetched.wait()
    await world.auth.accounts.rename(world.principal(grant), "Ann Lee")
    store.gate.set()
    await fetching
    assert (await directory.profiles([grant.user.id]))[grant.user.id].display_name == "Ann Lee"


async def test_only_so_many_are_remembered(world: World, store: CountingStore) -> None:
    directory = Directory(store, world.bus, world.clock, RateLimits(world.clock), size=2)
    ids = [(await world.register(f"user{number}")).user.id for number in range(3)]
    await directory.profiles(ids)
    assert len(directory._profiles) == len(directory._ids) == 2


async def test_search_finds_prefixes_of_both_names_page_by_page(world: World, directory: Directory) -> None:
    me = world.principal(await world.register("zoe"))
    for number in range(5):
        await world.register(f"ann{number}")
    await world.auth.accounts.register("bob", "bob@example.org", PASSWORD, "Annabel", ORIGIN)
    first = await directory.search(me, " @ANN", limit=4)
    assert [user.username for user in first.users] == ["ann0", "ann1", "ann2", "ann3"]
    second = await directory.search(me, "ann", cursor=first.cursor, limit=4)
    assert [user.username for user in second.users] == ["ann4", "bob"]
    assert second.cursor is None
    assert (await directory.search(me, "%")).users == []
    assert len((await directory.search(me, limit=9_999)).users) == 7


async def test_users_are_named_by_id_to_anybody_and_disabled_ones_too(world: World, directory: Directory) -> None:
    await world.register("owner")
    ann, bob = await world.register("ann"), await world.register("bob")
    await world.auth.administration.set_disabled("bob")
    await world.auth.administration.set_role("ann", Role.GUEST)
    guest = world.principal(await world.auth.logins.log_in("ann", PASSWORD, ORIGIN))
    page = await directory.named(guest, [bob.user.id, UserId("nobody"), ann.user.id, bob.user.id])
    assert [user.username for user in page.users] == ["bob", "ann"]
    with pytest.raises(InvalidRequest):
        await directory.named(guest, [UserId(str(number)) for number in range(101)])


async def test_only_those_who_manage_users_find_disabled_ones(world: World, directory: Directory) -> None:
    owner = world.principal(await world.register("owner"))
    member = world.principal(await world.register("member"))
    await world.register("gone")
    await world.auth.administration.set_disabled("gone")
    assert [user.disabled for user in (await directory.search(owner, "gone")).users] == [True]
    assert (await directory.search(member, "gone")).users == []


async def test_guests_have_no_directory_and_nobody_may_hammer_it(world: World, store: CountingStore) -> None:
    clock: Clock = world.clock
    await world.register("owner")
    ann = await world.register()
    await world.auth.administration.set_role("ann", Role.GUEST)
    guest = world.principal(await world.auth.logins.log_in("ann", PASSWORD, ORIGIN))
    strict = Directory(store, world.bus, clock, RateLimits(clock, {"directory": "1/minute"}))
    with pytest.raises(Forbidden):
        await strict.search(guest)
    await world.auth.administration.set_role("ann", Role.MEMBER)
    member = world.principal(await world.auth.logins.log_in("ann", PASSWORD, ORIGIN))
    assert member.user_id == ann.user.id
    await strict.search(member)
    with pytest.raises(RateLimited):
        await strict.search(member)
