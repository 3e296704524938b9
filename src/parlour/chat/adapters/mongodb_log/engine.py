"""Calls to MongoDB: by whole majorities, each behind the guard, and no driver's error leaves."""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

import pymongo
from pymongo import AsyncMongoClient, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError, ConfigurationError, InvalidURI, OperationFailure, PyMongoError

from parlour.platform.errors import Unavailable
from parlour.platform.guard import Guard

logger = logging.getLogger(__name__)

T = TypeVar("T")

Document = dict[str, Any]

_DUPLICATE = 11000
_BUILDING = 3_600


class Engine:
    """One database. Every call may be repeated: what it writes is kept by a unique key, or is not older than what is there."""

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        """Take `mongodb://…/database?…`; `timeout` in seconds bounds each attempt of a call. Nothing is connected yet.

        Raises:
            ValueError: the URL is none of MongoDB's.
        """
        milliseconds = int(timeout * 1000)
        try:
            self._client: AsyncMongoClient[Document] = AsyncMongoClient(
                url,
                appname="parlour",
                w="majority",
                journal=True,
                readConcernLevel="majority",
                readPreference="primary",  # a secondary may not have yet what was answered
                retryWrites=False,  # the guard repeats what fails; the driver's way writes a record of its own for each call
                serverSelectionTimeoutMS=milliseconds,
                connectTimeoutMS=milliseconds,
                timeoutMS=milliseconds,
            )
        except (InvalidURI, ConfigurationError, ValueError) as error:
            raise ValueError(f"this is no URL of MongoDB: {error}") from error
        self._database = self._client.get_default_database("parlour")
        self._guard = Guard("mongodb", Unavailable, timeout=timeout + 1)

    async def find(
        self,
        collection: str,
        query: Document,
        *,
        without: str | None = None,
        only: Sequence[str] = (),
        order: int = 0,
        by: str = "seq",
        limit: int = 0,
    ) -> list[Document]:
        """Return documents, `by` a field upwards or downwards where `order` is 1 or -1; `without` a field, or with `only` some."""
        projection = {without: 0} if without else dict.fromkeys(only, 1) or None

        async def work() -> list[Document]:
            cursor = self._database[collection].find(query, projection, limit=limit)
            if order:
                cursor = cursor.sort(by, order)
            return await cursor.to_list()

        return await self.call(work)

    async def aggregate(self, collection: str, pipeline: Sequence[Document]) -> list[Document]:
        """Return what a pipeline makes of a collection."""

        async def work() -> list[Document]:
            return await (await self._database[collection].aggregate(pipeline)).to_list()

        return await self.call(work)

    async def insert(self, collection: str, documents: Sequence[Document]) -> int:
        """Insert documents in their order, up to the first whose unique key is taken; return how many were inserted."""

        async def work() -> int:
            try:
                await self._database[collection].insert_many(documents, ordered=True)
            except BulkWriteError as error:
                return min(_taken(error))
            return len(documents)

        return await self.call(work)

    async def insert_missing(self, collection: str, documents: Sequence[Document]) -> None:
        """Insert those documents whose unique keys are not taken."""

        async def work() -> None:
            try:
                await self._database[collection].insert_many(documents, ordered=False)
            except BulkWriteError as error:
                _taken(error)

        await self.call(work)

    async def update(self, collection: str, updates: Sequence[UpdateOne]) -> None:
        """Do updates in any order; an upsert whose document is there, but is not what its filter wants, does nothing."""

        async def work(some: Sequence[UpdateOne]) -> list[UpdateOne]:
            try:
                await self._database[collection].bulk_write(some, ordered=False)
            except BulkWriteError as error:
                return [some[index] for index in _taken(error)]
            return []

        refused = await self.call(lambda: work(updates))
        if refused:  # a document that another process made at the same moment may be the older one; now all are there
            await self.call(lambda: work(refused))

    async def ping(self) -> None:
        """Raise `Unavailable` unless the primary answers."""
        await self.call(lambda: self._database.command("ping"))

    async def admin(self, command: Document) -> Document:
        """Run a repeatable command on `admin` and return the answer, which may be that it is refused (`ok: 0`, `errmsg`, `code`)."""

        async def work() -> Document:
            return await self._client.admin.command(command, check=False)

        return await self.call(work)

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what `work()` returns; it may be done more than once.

        Raises:
            Unavailable: MongoDB failed, did not answer in time, or is away.
        """

        async def attempt() -> T:
            with _translated():
                return await work()

        return await self._guard.call(attempt, repeatable=True)

    async def create_indexes(self, collection: str, indexes: Sequence[IndexModel]) -> None:
        """Make indexes, and the collection, where they are missing; over a large one that takes its time, up to `_BUILDING` seconds.

        Raises:
            Unavailable: MongoDB failed, or is away.
        """
        with _translated(), pymongo.timeout(_BUILDING):
            await self._database[collection].create_indexes(indexes)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.close()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        told = error.code if isinstance(error, OperationFailure) else error  # its text may hold the document
        logger.warning("MongoDB failed: %s %s", type(error).__name__, told)
        raise Unavailable(retry_after=1) from error


def _taken(error: BulkWriteError) -> list[int]:
    """Return the places of the documents whose unique key was taken; raise the error where it has another cause as well."""
    details = error.details
    failures: list[Document] = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or any(each["code"] != _DUPLICATE for each in failures) or not failures:
        raise error
    return [each["index"] for each in failures]
