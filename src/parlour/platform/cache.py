"""A read-through cache in two layers: this process, then Redis, then the source."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from parlour.platform import metrics
from parlour.platform.bus import Bus
from parlour.platform.clock import Clock
from parlour.platform.redis import RedisEngine, end
from parlour.platform.shared_values import SharedValues

V = TypeVar("V")
R = TypeVar("R")


class Cache(Generic[V]):
    """Values by key as `load(keys)` gives them, kept for `ttl` seconds in this process and for `shared_ttl` in Redis.

    Who asks for many costs one round trip to Redis and one `load` at most. A key is loaded once, however many ask for it meanwhile;
    a key that `load` has nothing of is not remembered. After `await invalidate(key)`, which whoever changed the source calls after
    its commit, no `get` on this node that begins later returns the value of before, and none on any other node as soon as the bus
    has told it; what was being loaded meanwhile is returned to those who asked before, and not kept. Where the bus loses that, and
    where Redis cannot be reached to invalidate, a value lives on for as long as it would have: `ttl` in a process and `shared_ttl`
    in Redis, counted from when its loading began, both layers together for the longer of the two. What permissions rest on takes
    1 s for both. At most `size` values are kept here; the one that was not asked for longest goes.

    Where each node hears of changes anyhow, `forget(key)` on each of them does the same.

    While Redis is away, and without it, whatever is not in this process is read from the source.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[Sequence[str]], Awaitable[Mapping[str, V]]],
        kind: Any,
        *,
        bus: Bus,
        clock: Clock,
        redis: RedisEngine | None = None,
        ttl: float = 1.0,
        shared_ttl: float = 1.0,
        size: int = 10_000,
    ) -> None:
        """Name the cache as its metrics and keys do; `kind` is the type of the values, for msgspec to check what Redis returns."""
        self._load = load
        self._now = clock.monotonic
        self._ttl = ttl
        self._size = size
        self._topic = f"cache.{name}"
        self._bus = bus
        self._shared: SharedValues[V] | None = None
        if redis is not None:
            self._shared = SharedValues(redis, name, kind, clock=clock, ttl=shared_ttl)
        self._values: OrderedDict[str, tuple[float, V]] = OrderedDict()
        self._flights: dict[str, asyncio.Task[dict[str, V]]] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._outdated: set[str] = set()  # whose copies in Redis are yet to be deleted
        self._deleting: set[str] = set()
        self._deleter: asyncio.Task[None] | None = None
        self._count = {outcome: metrics.CACHE_LOOKUPS.labels(name, "process", outcome) for outcome in ("hit", "miss")}
        self._unsubscribe = bus.subscribe(self._topic, lambda payload: self._forget(payload.decode("utf-8", "replace")))
        bus.on_gap(self._clear)

    async def get(self, key: str) -> V:
        """Return the value of `key`; raises what `load` raises, and keeps nothing then.

        Raises:
            KeyError: `load` has nothing of it.
        """
        kept = self._kept(key)
        return kept[1] if kept is not None else (await self._fetched([key]))[key]

    async def get_many(self, keys: Iterable[str]) -> dict[str, V]:
        """Return the values of those that `load` has something of; raises what it raises."""
        found: dict[str, V] = {}
        missing = []
        for key in dict.fromkeys(keys):
            kept = self._kept(key)
            if kept is None:
                missing.append(key)
            else:
                found[key] = kept[1]
        return found | await self._fetched(missing) if missing else found

    def peek(self, key: str) -> V | None:
        """Return what this process kept of `key` last, though its time may be over; None where it has nothing. No look-up counts."""
        kept = self._values.get(key)
        return None if kept is None else kept[1]

    async def invalidate(self, key: str) -> None:
        """Forget the value of `key`, everywhere; raises nothing."""
        self._forget(key)
        await self._delete([key])
        await self._bus.publish(self._topic, key.encode())

    def forget(self, key: str) -> None:
        """Forget the value of `key` here at once, and in Redis soon: for what every node does when it hears of a change."""
        self._forget(key)
        if self._shared is not None:
            self._outdated.add(key)
            if self._deleter is None:
                self._deleter = self._begin(self._delete_outdated())

    async def close(self) -> None:
        """Stop listening, and what is being loaded."""
        self._unsubscribe()
        await end(set(self._running))

    def _kept(self, key: str) -> tuple[float, V] | None:
        kept = self._values.get(key)
        if kept is None or kept[0] <= self._now():
            self._count["miss"].inc()
            return None
        self._values.move_to_end(key)
        self._count["hit"].inc()
        return kept

    async def _fetched(self, keys: Sequence[str]) -> dict[str, V]:
        new = [key for key in keys if key not in self._flights]
        if new:
            self._flights.update(dict.fromkeys(new, self._begin(self._fly(new))))
        flights = {key: self._flights[key] for key in keys}
        for flight in dict.fromkeys(flights.values()):
            await asyncio.shield(flight)
        return {key: flight.result()[key] for key, flight in flights.items() if key in flight.result()}

    async def _fly(self, keys: Sequence[str]) -> dict[str, V]:
        try:
            begun = self._now()
            found = {}
            read = None
            if self._shared is not None:
                read = await self._shared.read(
                    [key for key in keys if key not in self._outdated and key not in self._deleting]
                )
                for key, (value, left) in read.found.items():
                    found[key] = value
                    self._keep(key, value, begun + min(self._ttl, left))
            missing = [key for key in keys if key not in found]
            if missing:
                begun = self._now()
                source = await self._load(missing)
                loaded = {key: source[key] for key in missing if key in source}
                for key, value in loaded.items():
                    self._keep(key, value, begun + self._ttl)
                if self._shared is not None and read is not None:
                    await self._shared.fill(read, loaded, begun)
                found |= loaded
            return found
        finally:
            for key in keys:
                if self._flights.get(key) is asyncio.current_task():
                    del self._flights[key]

    async def _delete_outdated(self) -> None:
        try:
            while self._outdated:
                self._deleting, self._outdated = self._outdated, set()
                await self._delete(self._deleting)
                self._deleting = set()
        finally:
            self._deleter = None

    async def _delete(self, keys: Collection[str]) -> None:
        if self._shared is not None:  # where it fails, they live on for `shared_ttl` at most, as promised
            await self._shared.delete(keys)

    def _keep(self, key: str, value: V, until: float) -> None:
        if self._flights.get(key) is not asyncio.current_task():  # invalidated since
            return
        self._values[key] = (until, value)
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def _begin(self, work: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone

    def _forget(self, key: str) -> None:
        self._values.pop(key, None)
        self._flights.pop(key, None)

    def _clear(self) -> None:
        self._values.clear()
        self._flights.clear()
