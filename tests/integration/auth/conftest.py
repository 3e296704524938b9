"""Parlour's HTTP application with the routes of auth alone."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from parlour.auth.adapters.argon2 import Argon2Hasher
from parlour.auth.http import router
from parlour.platform.bus import MemoryBus
from parlour.platform.health import Health
from parlour.platform.http import create_application
from parlour.platform.sql import migrate, open_database

from ...unit.auth.world import ManualClock, World, an_auth

NewClient = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[World]:
    database = open_database(f"sqlite:///{tmp_path}/parlour.db")
    await migrate(database, "parlour.auth")
    clock, bus = ManualClock(), MemoryBus()
    hasher = Argon2Hasher(threads=1, queue=4, memory_kib=8192, passes=1)
    world = World(an_auth(database, hasher, bus, clock), clock, hasher, bus, database)
    await world.auth.start()
    yield world
    hasher.close()
    await database.close()


@pytest.fixture
async def new_client(server: World) -> AsyncIterator[NewClient]:
    application = create_application(
        [router(server.auth, ["https://app.example.org", ""])],
        server.auth.verifier,
        Health("0", server.clock),
        version="0",
    )
    clients: list[httpx.AsyncClient] = []

    def new_client(
        address: str = "192.0.2.7", base_url: str = "http://parlour.test", **options: object
    ) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(application, client=(address, 12345))
        clients.append(httpx.AsyncClient(transport=transport, base_url=base_url, **options))
        return clients[-1]

    yield new_client
    for client in clients:
        await client.aclose()


@pytest.fixture
def client(new_client: NewClient) -> httpx.AsyncClient:
    return new_client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
