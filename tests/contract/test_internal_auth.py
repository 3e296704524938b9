"""Whatever another service sends to auth, it gets an answer or a known error, and nothing goes wrong inside."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parlour.auth.internal import router
from parlour.platform.bus import MemoryBus
from parlour.platform.contracts import (
    LONGEST_NAME,
    MOST_ASKED,
    PROFILES_PATH,
    USERNAMES_PATH,
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
        [router(world.auth.directory, SECRET)], world.auth.verifier, Health("0", world.clock), version="0"
    )
    transport = httpx.ASGITransport(application)  # type: ignore[arg-type]  # Litestar's own ASGI types
    headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://auth.test", headers=headers) as client:
        yield client


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from([PROFILES_PATH, USERNAMES_PATH]), body=any_body("ids", "names"))
async def test_any_body_is_answered(http: httpx.AsyncClient, path: str, body: bytes) -> None:
    answer = await http.post(path, content=body)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert answer.json()["profiles"].keys() <= {"ann"}
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
    for path in (PROFILES_PATH, USERNAMES_PATH):
        headers = {"authorization": f"Bearer {grant.access_token}"}
        assert (await http.post(path, json={"ids": [], "names": []}, headers=headers)).status_code == 401
