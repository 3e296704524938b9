"""Loads by key, gathered into batches: a storm of connections costs a few queries instead of thousands."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

GATHER = 0.003
"""Seconds between two batches in a storm: a query costs some hundred µs however many keys it has."""


class BatchLoader(Generic[K, V]):
    """One loader a kind of thing; `fetch` takes many keys and returns what exists of them.

    Keys asked for in one turn of the loop share a batch, and while a batch is under way, and `GATHER` longer, all further
    ones wait and form the next; the same key twice is fetched once. Nothing is remembered. When `fetch` raises, all who waited for
    that batch get the error.
    """

    def __init__(self, fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, largest: int = 500) -> None:
        """Fetch at most `largest` keys at once."""
        self._fetch = fetch
        self._largest = largest
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._running: asyncio.Task[None] | None = None

    async def load(self, key: K) -> V | None:
        """Return what `fetch` has for `key`, None where it has nothing."""
        return await asyncio.shield(self._enqueue(key))

    async def load_many(self, keys: Sequence[K]) -> dict[K, V]:
        """Return what `fetch` has for each of `keys`."""
        futures = [self._enqueue(key) for key in keys]
        if futures:
            await asyncio.wait(futures)
        found = zip(keys, [future.result() for future in futures], strict=True)
        return {key: value for key, value in found if value is not None}

    def _enqueue(self, key: K) -> "asyncio.Future[V | None]":
        future = self._waiting.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._waiting[key] = loop.create_future()
            future.add_done_callback(_retrieve)  # those who wait may all have been cancelled
            if self._running is None:
                self._running = loop.create_task(self._run())
        return future

    async def _run(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[: self._largest]
                batch = [self._waiting.pop(key) for key in keys]
                try:
                    found = await self._fetch(keys)
                except Exception as error:
                    for future in batch:
                        future.set_exception(error)
                except asyncio.CancelledError:
                    for future in batch:
                        future.cancel()
                    raise
                else:
                    for key, future in zip(keys, batch, strict=True):
                        future.set_result(found.get(key))
                if self._waiting:
                    await asyncio.sleep(GATHER)
        finally:
            self._running = None
            for future in self._waiting.values():
                future.cancel()
            self._waiting.clear()


def _retrieve(future: "asyncio.Future[V | None]") -> None:
    if not future.cancelled():
        future.exception()
