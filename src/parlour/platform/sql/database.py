"""What every SQL database promises, and the failures that are clean."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Executable, Row, Table, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from parlour.platform.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
AnyRow = Row[*tuple[Any, ...]]


class DatabaseUnavailable(Unavailable):
    """The database does not answer.

    Wait `retry_after` seconds, then repeat.
    """

    code = "database_unavailable"


class Claim(ABC):
    """Something that one process holds in a database."""

    @abstractmethod
    async def held(self) -> bool:
        """Tell whether it is held still, within some seconds; never raises. What was lost stays lost: claim it again."""

    @abstractmethod
    async def release(self) -> None:
        """Let others have it; never raises."""


class Database(ABC):
    """A SQL database: users, sessions, rooms, members, calls.

    Failure: what the driver raises leaves as `DatabaseUnavailable` (retry_after 1 s), except `IntegrityError`, which the adapter that
    knows the constraint turns into an error of its own. An operation that raised has changed nothing, unless the connection was lost
    during the commit itself: then repeat it idempotently. No operation waits for longer than the timeout it was made with, for each of
    its steps.
    """

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Give a connection in a transaction that writes; it commits on exit and rolls back when the block raises.

        What a transaction read may change under it by another's (READ COMMITTED): lock what a decision rests on, by `with_for_update`
        or `alone`.
        """

    @abstractmethod
    async def alone(self, connection: AsyncConnection, what: str) -> None:
        """Wait until no other transaction, of any process, is `alone` with `what`, and be it until this one ends."""

    @abstractmethod
    async def claim(self, what: str) -> Claim | None:
        """Be the one process that holds `what`, until it is released, lost, or this is closed; None where another one is.

        What is lost is another's at once: who acts on a claim asks `held` every second or so. Of two who claim at once one gets it.
        """

    @abstractmethod
    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """Return an INSERT that can say what to do on a conflict, which every engine writes in its own way."""

    @abstractmethod
    async def rows(self, query: Executable, **parameters: Any) -> Sequence[AnyRow]:
        """Return all rows of one query; it needs no transaction to see one moment.

        A query that is built once and takes `parameters` costs less than half of one that is built for each call.
        """

    @abstractmethod
    async def row(self, query: Executable) -> AnyRow | None:
        """Return the first row of one query, None where there is none; as `rows`."""

    @abstractmethod
    async def snapshot(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, several queries that have to see one moment and write nothing; it returns values, not cursors."""

    async def check(self) -> None:
        """Ask the engine for an answer.

        Raises:
            DatabaseUnavailable: there is none.
        """
        await self.row(text("SELECT 1"))

    @abstractmethod
    async def backup(self, path: Path) -> None:
        """Copy the database as it is at one moment into a new file with mode 0600, while it is being used.

        Raises:
            DatabaseUnavailable: it cannot be read, or the file not be written.
            ValueError: this engine has tools of its own for that.
        """

    @abstractmethod
    async def close(self) -> None:
        """Close every connection."""


class translated:  # noqa: N801 - reads as the statement it is
    """Turn what a driver raises into `DatabaseUnavailable`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, IntegrityError):
            return
        if isinstance(error, DBAPIError | PoolTimeoutError | sqlite3.Error | OSError):
            raise DatabaseUnavailable(retry_after=1) from error
