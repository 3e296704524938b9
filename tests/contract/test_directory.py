"""What every Directory promises chat: the auth service in the same process, and one behind HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from parlour.auth.internal import router
from parlour.chat.adapters.http_directory import LONGEST_LOOK_UP, HttpDirectory
from parlour.chat.ports import Directory
from parlour.platform.bus import Bus, MemoryBus
from parlour.platform.clock import Clock, SystemClock
from parlour.platform.contracts import MOST_ASKED
from parlour.platform.errors import Unavailable
from parlour.platform.health import Health
from parlour.platform.http import create_application
from parlour.platform.ids import UserId, uuid7
from parlour.platform.metrics import ENGINE_AWAY
from parlour.platform.permissions import Role
from parlour.platform.redis import RedisEngine
from parlour.platform.redis_bus import RedisBus
from parlour.platform.services import ServiceClient
from parlour.platform.sql import Database, migrate, open_database
from parlour.realtime.redis_line import RedisLine

from ..http_services import SECRET, SayingServer, ServedApplication
from ..redis_server import RedisServer
from ..unit.auth.world import CountingHasher, ManualClock, World, an_auth


@pytest.fixture(scope="module")
def service() -> str:
    return "parlour.auth"


class House:
    """An auth service, and the directory that a chat service has of it."""

    directory: Directory

    def __init__(self, world: World) -> None:
        self.world = world
        self.marked = asyncio.Event()

    async def told(self) -> None:
        """Whatever the auth service has published, the directory has heard."""
        self.marked.clear()
        await self.world.bus.publish("mark", b"")
        await asyncio.wait_for(self.marked.wait(), 30)


@asynccontextmanager
async def a_bus(redis: RedisServer, prefix: str) -> AsyncIterator[RedisBus]:
    line = RedisLine(redis.url, prefix=prefix)
    bus = RedisBus(line)
    await line.start()
    yield bus
    await line.close()
    await bus.close()


async def served(world: World, opened: AsyncExitStack) -> ServedApplication:
    application = create_application(
        [router(world.auth, SECRET)], world.auth.verifier, Health("0", world.clock), version="0"
    )
    return await opened.enter_async_context(ServedApplication(application))


class Asking(ServiceClient):
    """Counts what it asks; an answer can be held up."""

    def __init__(self, url: str) -> None:
        super().__init__("auth", url, SECRET, timeout=30.0)
        self.asked: list[int] = []
        self.answered = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def call(self, path: str, request: Any, kind: Any, *, repeatable: bool) -> Any:
        self.asked.append(len(getattr(request, "ids", None) or request.names))
        answer = await super().call(path, request, kind, repeatable=repeatable)
        self.answered.set()
        await self.gate.wait()
        return answer


def a_world(database: Database, bus: Any) -> World:
    clock, hasher = ManualClock(), CountingHasher()
    return World(an_auth(database, hasher, bus, clock), clock, hasher, bus, database)


@pytest.fixture(params=["local", "http", "http-redis"])
async def house(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[House]:
    async with AsyncExitStack() as opened:
        bus: Any = MemoryBus()
        heard: Bus = bus
        redis: RedisEngine | None = None
        if request.param == "http-redis":
            server: RedisServer = request.getfixturevalue("redis")
            prefix = server.prefix()
            redis = RedisEngine(server.url, prefix=prefix)
            opened.push_async_callback(redis.close)
            bus = await opened.enter_async_context(a_bus(server, prefix))
            heard = await opened.enter_async_context(a_bus(server, prefix))
        house = House(a_world(database, bus))
        await house.world.auth.start()
        if request.param == "local":
            house.directory = house.world.auth.directory
        else:
            client = Asking((await served(house.world, opened)).url)
            opened.push_async_callback(client.close)
            house.directory = directory = HttpDirectory(client, heard, SystemClock(), redis, longest_look_up=30.0)
            opened.push_async_callback(directory.close)
        heard.subscribe("mark", lambda _: house.marked.set())
        assert await heard.settled()
        yield house


async def test_those_who_exist_are_found_by_id(house: House) -> None:
    ann, ben = (await house.world.register("ann")).user, (await house.world.register("ben")).user
    found = await house.directory.profiles([ann.id, UserId(uuid7()), ben.id, ann.id])
    assert {user_id: profile.username for user_id, profile in found.items()} == {ann.id: "ann", ben.id: "ben"}
    assert found[ann.id].role == Role.OWNER
    assert await house.directory.profiles([]) == {}
    assert await house.directory.profiles(iter([ann.id])) == {ann.id: found[ann.id]}


async def test_those_who_exist_are_found_by_name_in_any_case(house: House) -> None:
    ann, zoe = (await house.world.register("ann")).user, (await house.world.register("Zoë.K")).user
    found = await house.directory.by_usernames(["ANN", "nobody", "zoë.k", "ann", "ＡＮＮ", "ZOE\u0308.K"])
    assert {name: profile.id for name, profile in found.items()} == {
        "ann": ann.id,
        "zoë.k": zoe.id,
        "ａｎｎ": ann.id,
        "zoe\u0308.k": zoe.id,
    }
    assert await house.directory.by_usernames([]) == {}


async def test_what_can_be_no_name_is_nobodys(house: House) -> None:
    await house.world.register("ann")
    assert (
        await house.directory.by_usernames(["", "x" * 8_000, "İ" * 200, "\0", "\ud800", "a b", "'", "ann"])
    ).keys() == {"ann"}


async def test_who_was_met_is_remembered_until_they_change(house: House) -> None:
    ann = await house.world.register("ann")
    await house.world.register("ben")
    assert house.directory.remembered(["ann", "ben"]) == {}
    met = (await house.directory.by_usernames(["ann", "nobody"]))["ann"]
    strange = ["ben", "nobody", "", "x" * 8_000, "\0", "\ud800"]
    assert house.directory.remembered(iter(["ANN", *strange])) == {"ann": met}
    await house.world.auth.accounts.rename(house.world.principal(ann), "Ann B.")
    await house.told()
    assert house.directory.remembered(["ann"]) == {}


async def test_any_number_is_found(house: House) -> None:
    count = MOST_ASKED + 100
    seeded = await house.world.auth.administration.seed(count, prefix="guest")
    wanted = [user.user_id for user in seeded] + [UserId(uuid7()) for _ in range(MOST_ASKED)]
    assert (await house.directory.profiles(wanted)).keys() == {user.user_id for user in seeded}
    names = [user.username.upper() for user in seeded] + [f"nobody{number}" for number in range(MOST_ASKED)]
    found = await house.directory.by_usernames(names)
    assert {name: profile.id for name, profile in found.items()} == {user.username: user.user_id for user in seeded}


async def test_a_new_user_is_found_at_once_though_asked_for_before(house: House) -> None:
    for _ in range(2):
        assert await house.directory.by_usernames(["ann"]) == {}
    ann = (await house.world.register("ann")).user
    assert (await house.directory.by_usernames(["ann"])).keys() == {"ann"}
    assert (await house.directory.profiles([ann.id])).keys() == {ann.id}


async def test_a_change_that_was_told_is_seen(house: House) -> None:
    world = house.world
    owner, ben = await world.register("ann"), await world.register("ben")
    user_id = ben.user.id

    async def seen() -> tuple[str, str, bool]:
        by_id = (await house.directory.profiles([user_id]))[user_id]
        assert (await house.directory.by_usernames(["ben"]))["ben"] == by_id
        return by_id.display_name, by_id.role, by_id.disabled

    assert await seen() == ("ben", "member", False)
    for number in range(5):
        await world.auth.accounts.rename(world.principal(ben), f"Ben {number}")
        await house.told()
        assert await seen() == (f"Ben {number}", "member", False)
    await world.auth.accounts.manage(world.principal(owner), user_id, Role.ADMIN, None)
    await house.told()
    assert (await seen())[1] == "admin"
    await world.auth.accounts.manage(world.principal(owner), user_id, None, True)
    await house.told()
    assert (await seen())[2] is True


async def test_many_ask_at_once(house: House) -> None:
    seeded = await house.world.auth.administration.seed(50)
    ids = [user.user_id for user in seeded]
    answers = await asyncio.gather(*(house.directory.profiles(ids[number % 25 :]) for number in range(100)))
    assert [len(answer) for answer in answers] == [50 - number % 25 for number in range(100)]


# What the one behind HTTP promises besides


@asynccontextmanager
async def asking(
    database: Database,
    clock: Clock,
    redis: RedisServer | None = None,
    nodes: int = 1,
    longest_look_up: float = 30.0,
) -> AsyncIterator[tuple[World, ServedApplication, list[tuple[Asking, HttpDirectory]]]]:
    """An auth service and the directories of chat nodes, on one bus."""
    async with AsyncExitStack() as opened:
        bus = MemoryBus()
        world = a_world(database, bus)
        await world.auth.start()
        service = await served(world, opened)
        prefix = redis.prefix() if redis else ""
        directories = []
        for _ in range(nodes):
            client = Asking(service.url)
            opened.push_async_callback(client.close)
            engine = RedisEngine(redis.url, prefix=prefix) if redis else None
            if engine:
                opened.push_async_callback(engine.close)
            directory = HttpDirectory(client, bus, clock, engine, longest_look_up=longest_look_up)
            opened.push_async_callback(directory.close)
            directories.append((client, directory))
        yield world, service, directories


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/parlour.db")
    await migrate(database, "parlour.auth")
    yield database
    await database.close()


async def test_many_cost_one_question_and_other_nodes_none(own: Database, redis: RedisServer) -> None:
    async with asking(own, SystemClock(), redis, nodes=2) as (world, _, [(first, one), (second, other)]):
        ids = [user.user_id for user in await world.auth.administration.seed(30)]
        assert (await one.profiles(ids[:10])).keys() == set(ids[:10])
        assert (await one.profiles(ids)).keys() == set(ids)
        assert first.asked == [10, 20]
        assert (await other.profiles(ids)).keys() == set(ids)
        assert second.asked == []


async def test_questions_are_split(own: Database) -> None:
    async with asking(own, SystemClock()) as (_, _, [(client, directory)]):
        await directory.profiles([UserId(uuid7()) for _ in range(2 * MOST_ASKED + 1)])
        await directory.by_usernames([f"nobody{number}" for number in range(MOST_ASKED + 1)])
    assert client.asked == [MOST_ASKED, MOST_ASKED, 1, MOST_ASKED, 1]


async def test_news_that_are_lost_leave_nothing_older_than_a_minute(own: Database) -> None:
    clock = ManualClock()
    async with asking(own, clock) as (world, _, [(client, directory)]):
        ann = await world.register("ann")
        await directory.profiles([ann.user.id])
        directory._unsubscribe()
        await world.auth.accounts.rename(world.principal(ann), "Ann B.")
        clock.advance(59.9)
        assert (await directory.profiles([ann.user.id]))[ann.user.id].display_name == "ann"
        clock.advance(0.2)
        assert (await directory.profiles([ann.user.id]))[ann.user.id].display_name == "Ann B."
        assert client.asked == [1, 1]


async def test_what_another_auth_process_remembers_is_not_passed_on(own: Database) -> None:
    """The one that answers may hear of the change later than who asks it."""
    async with asking(own, SystemClock()) as (world, _, [(_, directory)]):
        ann = await world.register("ann")
        await directory.by_usernames(["ann"])
        elsewhere = an_auth(own, CountingHasher(), MemoryBus(), world.clock)
        await elsewhere.start()
        await elsewhere.accounts.rename(world.principal(ann), "Ann B.")
        directory._profiles.forget(ann.user.id)
        assert (await directory.profiles([ann.user.id]))[ann.user.id].display_name == "Ann B."
        assert (await directory.by_usernames(["ann"]))["ann"].display_name == "Ann B."


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "redis"])
async def test_what_changes_while_it_is_being_asked_for_is_not_remembered(
    own: Database, shared: bool, request: pytest.FixtureRequest
) -> None:
    redis = request.getfixturevalue("redis") if shared else None
    async with asking(own, SystemClock(), redis, nodes=2) as (world, _, [(client, directory), (_, other)]):
        ann = await world.register("ann")
        client.gate.clear()
        old = asyncio.create_task(directory.profiles([ann.user.id]))
        await asyncio.wait_for(client.answered.wait(), 30)
        await world.auth.accounts.rename(world.principal(ann), "Ann B.")
        client.gate.set()
        assert (await old)[ann.user.id].display_name == "ann"
        for each in (directory, other):
            assert (await each.profiles([ann.user.id]))[ann.user.id].display_name == "Ann B."


async def test_while_auth_is_away_who_was_met_is_known(own: Database) -> None:
    async with asking(own, SystemClock()) as (world, service, [(_, directory)]):
        ann, ben = (await world.register("ann")).user, (await world.register("ben")).user
        assert (await directory.by_usernames(["ann"])).keys() == {"ann"}
        await service.stop()
        assert (await directory.by_usernames(["ann"])).keys() == {"ann"}
        assert (await directory.profiles([ann.id])).keys() == {ann.id}
        with pytest.raises(Unavailable):
            await directory.profiles([ann.id, ben.id])
        with pytest.raises(Unavailable):
            await directory.by_usernames(["ben"])
        await service.start()
        async with asyncio.timeout(60):
            while True:
                try:
                    assert (await directory.by_usernames(["ann", "ben"])).keys() == {"ann", "ben"}
                    break
                except Unavailable:
                    await asyncio.sleep(0.05)


async def test_while_auth_is_away_who_was_met_is_remembered_however_long(own: Database) -> None:
    clock = ManualClock()
    async with asking(own, clock) as (world, service, [(_, directory)]):
        await world.register("ann")
        await world.register("ben")
        met = await directory.by_usernames(["ann"])
        await service.stop()
        clock.advance(3_600)
        with pytest.raises(Unavailable):
            await directory.by_usernames(["ann", "ben"])
        assert directory.remembered(["ann", "ben"]) == met


async def test_names_that_take_too_long_are_unavailable_and_remembered_when_they_come(own: Database) -> None:
    async with asking(own, SystemClock(), longest_look_up=LONGEST_LOOK_UP) as (world, _, [(client, directory)]):
        await world.register("ann")
        client.gate.clear()
        async with asyncio.timeout(30):
            with pytest.raises(Unavailable):
                await directory.by_usernames(["ann"])
        client.gate.set()
        async with asyncio.timeout(30):
            while not directory.remembered(["ann"]):
                with contextlib.suppress(Unavailable):
                    await directory.by_usernames(["ann"])
        assert client.asked == [1, 1], "the name once, though nobody waited for it any more, and its profile"


async def test_an_auth_service_that_hangs_is_left_alone_though_nobody_waits_as_long_as_its_client() -> None:
    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with SayingServer(hang) as server:
        client = ServiceClient("hung", server.url, SECRET, timeout=0.5)
        directory = HttpDirectory(client, MemoryBus(), SystemClock(), longest_look_up=0.05)
        async with asyncio.timeout(30):
            while not ENGINE_AWAY.labels("hung")._value.get():
                with pytest.raises(Unavailable):
                    await directory.by_usernames(["ann"])
        await directory.close()
        await client.close()
