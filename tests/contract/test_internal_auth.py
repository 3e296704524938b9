"""Whatever another service sends to auth, it gets an answer or a known error, and nothing goes wrong inside."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parlour.auth.internal import router
from parlour.platform.bus import MemoryBus
from parlour.platform.contracts import (
    CHANGES_PATH,
    LONGEST_NAME,
    MOST_ASKED,
    PROFILES_PATH,
    SESSION_REVOKED,
    USER_CHANGED,
    USERNAMES_PATH,
    Changes,
    SessionRevoked,
    UserChanged,
)
from parlour.platform.health import Health
from parlour.platform.http import create_application
from parlour.platform.ids import uuid7
from parlour.platform.sql import Database

from ..http_services import SECRET, any_body
from ..unit.auth.world import CountingHasher, ManualClock, World, an_auth


@pytest.fixture(scope="module")
def service() -> str:
    return "parlour.auth"


@pytest.fixture
async def world(database: Database) -> World:
    clock, hasher, bus = ManualClock(), CountingHasher(), MemoryBus()
    world = World(an_auth(database, hasher, bus, clock), clock, hasher, bus, database)
    await world.auth.start()
    await world.register("ann")
    return world


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    application = create_application(
        [router(world.auth, SECRET)], world.auth.verifier, Health("0", world.clock), version="0"
    )
    transport = httpx.ASGITransport(application)
    headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://auth.test", headers=headers) as client:
        yield client


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from([PROFILES_PATH, USERNAMES_PATH, CHANGES_PATH]), body=any_body("ids", "names", "since"))
async def test_any_body_is_answered(http: httpx.AsyncClient, path: str, body: bytes) -> None:
    answer = await http.post(path, content=body)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert answer.json().get("profiles", {}).keys() <= {"ann"}
    else:
        assert answer.json()["error"]["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("path", "question", "status"),
    [
        (PROFILES_PATH, {"ids": [uuid7()] * MOST_ASKED}, 200),
        (PROFILES_PATH, {"ids": [uuid7()] * (MOST_ASKED + 1)}, 400),
        (PROFILES_PATH, {"ids": ["x" * 65]}, 400),
        (USERNAMES_PATH, {"names": ["\U0001f600" * LONGEST_NAME] * MOST_ASKED}, 200),
        (USERNAMES_PATH, {"names": ["ann"] * (MOST_ASKED + 1)}, 400),
        (USERNAMES_PATH, {"names": ["x" * (LONGEST_NAME + 1)]}, 400),
        (USERNAMES_PATH, {"names": ["a\0b"]}, 200),
        (PROFILES_PATH, {"ids": ["a\0b", "\0" * 36]}, 200),
        (CHANGES_PATH, {"since": 2**53}, 200),
        (CHANGES_PATH, {"since": 2**53 + 1}, 400),
        (CHANGES_PATH, {"since": -1}, 400),
    ],
    ids=[
        "most-ids",
        "too-many-ids",
        "too-long-id",
        "most-names",
        "too-many-names",
        "too-long-name",
        "nul-name",
        "nul-id",
        "never",
        "after-never",
        "before-all",
    ],
)
async def test_questions_are_bounded(http: httpx.AsyncClient, path: str, question: Any, status: int) -> None:
    assert (await http.post(path, json=question)).status_code == status


async def test_who_is_asked_about_is_told_without_an_address(http: httpx.AsyncClient) -> None:
    answer = await http.post(USERNAMES_PATH, json={"names": ["ANN"]})
    [(name, profile)] = answer.json()["profiles"].items()
    assert name == "ann"
    assert profile.keys() == {"id", "username", "display_name", "role", "disabled"}


async def test_no_user_has_a_way_in(world: World, http: httpx.AsyncClient) -> None:
    grant = await world.register("ben")
    for path in (PROFILES_PATH, USERNAMES_PATH, CHANGES_PATH):
        headers = {"authorization": f"Bearer {grant.access_token}"}
        assert (await http.post(path, json={"ids": [], "names": [], "since": 0}, headers=headers)).status_code == 401


async def test_what_changed_is_told_as_the_bus_tells_it(world: World, http: httpx.AsyncClient) -> None:
    told: list[SessionRevoked | UserChanged] = []
    world.bus.subscribe(SESSION_REVOKED, lambda body: told.append(msgspec.json.decode(body, type=SessionRevoked)))
    world.bus.subscribe(USER_CHANGED, lambda body: told.append(msgspec.json.decode(body, type=UserChanged)))
    ben, cleo = world.principal(await world.register("ben")), world.principal(await world.register("cleo"))
    world.clock.advance(1)
    since = world.clock.now()
    await world.auth.sessions.log_out(ben)
    await world.auth.accounts.rename(cleo, "Cleo")

    async def asked(since: int) -> list[SessionRevoked | UserChanged]:
        answer = msgspec.json.decode((await http.post(CHANGES_PATH, json={"since": since})).content, type=Changes)
        return [*answer.sessions, *answer.users]

    assert len(told) == 2
    for _ in range(2):
        assert await asked(since) == told
    assert await asked(0) == told
    assert await asked(since + 1) == []
    world.clock.advance(3 * 86_400)
    assert await asked(0) == []
