"""Signing keys in SQL."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from parlour.auth.adapters.tables import signing_keys
from parlour.auth.model import SigningKey
from parlour.platform.sql import Database

_columns = signing_keys.c


class SqlKeyStore:
    """`ports.KeyStore` in the table `signing_keys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keys(self) -> list[SigningKey]:
        """Return all keys, the oldest first."""
        rows = await self._database.rows(sa.select(signing_keys).order_by(_columns.signs_from, _columns.kid))
        return [SigningKey(*row) for row in rows]

    async def add(self, key: SigningKey, *, only_first: bool = False) -> bool:
        """Store a key."""
        async with self._database.transaction() as connection:
            if only_first and (await connection.execute(sa.select(_columns.kid).limit(1))).first():
                return False
            await connection.execute(signing_keys.insert(), msgspec.structs.asdict(key))
            return True

    async def note_long_tokens(self, kid: str, until: int) -> None:
        """Remember tokens of more than the usual lifetime."""
        async with self._database.transaction() as connection:
            await connection.execute(
                signing_keys.update()
                .where(_columns.kid == kid, _columns.long_tokens_until < until)
                .values(long_tokens_until=until)
            )

    async def remove(self, kids: Sequence[str]) -> None:
        """Delete keys."""
        async with self._database.transaction() as connection:
            await connection.execute(signing_keys.delete().where(_columns.kid.in_(kids)))
