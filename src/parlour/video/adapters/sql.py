"""Calls in SQL: a row each for as long as it lives or is yet to be told to the log."""

import logging
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from parlour.platform.sql import Database
from parlour.video.adapters.tables import calls
from parlour.video.model import Call, CallId

logger = logging.getLogger(__name__)


class SqlCallStore:
    """A `CallStore` on the SQL database. Calls are few and short, so a row is written whole."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> list[Call]:
        """Return what is kept."""
        kept = []
        for call_id, state in await self._database.rows(sa.select(calls.c.id, calls.c.state).order_by(calls.c.id)):
            try:
                kept.append(msgspec.json.decode(state, type=Call))
            except msgspec.DecodeError:
                logger.exception("a kept call cannot be read", extra={"call_id": call_id})
        return kept

    async def write(self, kept: Sequence[Call], gone: Sequence[CallId]) -> None:
        """Keep calls as they are now, in place of what was kept of them, and forget others."""
        rows = [{"id": call.id, "state": msgspec.json.encode(call).decode()} for call in kept]
        replaced = [*gone, *(row["id"] for row in rows)]
        async with self._database.transaction() as connection:
            if replaced:
                await connection.execute(sa.delete(calls).where(calls.c.id == sa.bindparam("key")), _keys(replaced))
            if rows:
                await connection.execute(sa.insert(calls), rows)


def _keys(ids: Sequence[str]) -> list[dict[str, str]]:
    return [{"key": each} for each in ids]
