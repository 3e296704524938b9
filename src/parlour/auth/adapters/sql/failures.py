"""Counters of failed logins in SQL."""

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from parlour.auth.adapters.tables import login_failures
from parlour.auth.model import BackOff, Failures
from parlour.platform.sql import Database

_columns = login_failures.c


class SqlFailureStore:
    """`ports.FailureStore` in the table `login_failures`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, keys: Sequence[str]) -> dict[str, Failures]:
        """Return those counters that exist."""
        rows = await self._database.rows(sa.select(login_failures).where(_columns.key.in_(keys)))
        return {row[0]: Failures(*row[1:]) for row in rows}

    async def add(self, policies: Mapping[str, BackOff], now: int) -> dict[str, Failures]:
        """Count one more failure under each key."""
        counted: dict[str, Failures] = {}
        async with self._database.transaction() as connection:
            # Sorted, so that two who count the same keys wait for each other instead of deadlocking.
            for key in sorted(policies):
                blank = self._database.insert(login_failures).values(key=key, count=0, last_at=now, blocked_until=0)
                await connection.execute(blank.on_conflict_do_nothing(index_elements=["key"]))
                row = (
                    await connection.execute(
                        sa.select(_columns.count, _columns.last_at, _columns.blocked_until)
                        .where(_columns.key == key)
                        .with_for_update()
                    )
                ).one()
                counted[key] = policies[key].after(Failures(*row), now)
                await connection.execute(
                    login_failures.update().where(_columns.key == key).values(msgspec.structs.asdict(counted[key]))
                )
        return counted

    async def forget(self, keys: Sequence[str]) -> None:
        """Set counters back to zero."""
        async with self._database.transaction() as connection:
            await connection.execute(login_failures.delete().where(_columns.key.in_(keys)))

    async def purge(self, before: int, keep: int) -> int:
        """Delete the old and the many."""
        newest = sa.select(_columns.key).order_by(_columns.last_at.desc(), _columns.key).limit(keep)
        async with self._database.transaction() as connection:
            gone = await connection.execute(
                login_failures.delete().where((_columns.last_at < before) | _columns.key.not_in(newest))
            )
            return gone.rowcount
