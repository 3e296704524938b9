"""The engines that the contract suites run against: embedded ones, and real servers of this test run's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parlour.platform.sql import Database, migrate, open_database

from ..postgresql_server import PostgresqlServer


@pytest.fixture(scope="session")
def templates() -> set[str]:
    """The databases that are copied for tests: each has the tables of one service."""
    return set()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, service: str, tmp_path: Path, templates: set[str]
) -> AsyncIterator[Database]:
    """An empty database with the tables of the module's `service`."""
    if request.param == "sqlite":
        database = open_database(f"sqlite:///{tmp_path}/parlour.db")
        await migrate(database, service)
        yield database
        await database.close()
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    template = service.replace(".", "_")
    if template not in templates:
        first = open_database(server.create(template))
        await migrate(first, service)
        await first.close()
        templates.add(template)
    url = server.create(template=template)
    database = open_database(url)
    yield database
    await database.close()
    server.drop(url)
