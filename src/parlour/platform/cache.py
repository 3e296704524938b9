"""A read-through cache in two layers: this process, then Redis, then the source."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar, cast

import msgspec

from parlour.platform import metrics
from parlour.platform.bus import Bus, BusUnavailable
from parlour.platform.clock import Clock
from parlour.platform.redis import RedisEngine, end

V = TypeVar("V")

_LEASE_MS: Final = 10_000

_READ = """
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, 1) == 'V' then return {string.sub(value, 2), redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], 'L' .. ARGV[1], 'PX', ARGV[2])
return {}
"""
"""The value and how many ms it has left, or none, and then a lease: the right of whoever read last to fill it."""

_FILL = """
if redis.call('GET', KEYS[1]) ~= 'L' .. ARGV[1] then return 0 end
redis.call('SET', KEYS[1], 'V' .. ARGV[2], 'PX', ARGV[3])
return 1
"""
"""Fill in what was read from the source, unless it was invalidated since, which took the lease away."""


class Cache(Generic[V]):
    """Values by key as `load(key)` gives them, kept for `ttl` seconds in this process and for `shared_ttl` in Redis.

    `get` calls `load` once, however many ask meanwhile. After `await invalidate(key)`, which whoever changed the source calls after
    its commit, no `get` on this node that begins later returns the value of before, and none on any other node as soon as the bus
    has told it; what was being loaded meanwhile is returned to those who asked before, and not kept. Where the bus loses that, and
    where Redis cannot be reached to invalidate, a value lives on for as long as it would have: `ttl` in a process and `shared_ttl`
    in Redis, counted from when its loading began, both layers together for the longer of the two. What permissions rest on takes
    1 s for both. At most `size` values are kept here; the one that was not asked for longest goes.

    While Redis is away, and without it, whatever is not in this process is read from the source.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[str], Awaitable[V]],
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
        self._shared_ttl = shared_ttl
        self._size = size
        self._topic = f"cache.{name}"
        self._bus = bus
        self._redis = redis
        self._name = name
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._values: OrderedDict[str, tuple[float, V]] = OrderedDict()
        self._flights: dict[str, asyncio.Task[V]] = {}
        self._running: set[asyncio.Task[V]] = set()
        if redis is not None:
            self._read = redis.script(_READ)
            self._fill = redis.script(_FILL)
        self._count = {
            (layer, outcome): metrics.CACHE_LOOKUPS.labels(name, layer, outcome)
            for layer, outcomes in (("process", ("hit", "miss")), ("redis", ("hit", "miss", "failed")))
            for outcome in outcomes
        }
        self._unsubscribe = bus.subscribe(self._topic, lambda payload: self._forget(payload.decode("utf-8", "replace")))
        bus.on_gap(self._clear)

    async def get(self, key: str) -> V:
        """Return the value of `key`; raises what `load` raises, and keeps nothing then."""
        kept = self._values.get(key)
        if kept is not None and kept[0] > self._now():
            self._values.move_to_end(key)
            self._count["process", "hit"].inc()
            return kept[1]
        self._count["process", "miss"].inc()
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(key))
            self._running.add(flight)
            flight.add_done_callback(lambda landed: self._landed(key, landed))
        return await asyncio.shield(flight)

    async def invalidate(self, key: str) -> None:
        """Forget the value of `key`, everywhere; raises nothing."""
        self._forget(key)
        if self._redis is not None:
            name = self._key(key)
            try:
                await self._redis.call(lambda redis: redis.delete(name), repeatable=True)
            except BusUnavailable:  # it lives on for `shared_ttl` at most, as promised
                self._count["redis", "failed"].inc()
        await self._bus.publish(self._topic, key.encode())

    async def close(self) -> None:
        """Stop listening, and what is being loaded."""
        self._unsubscribe()
        await end(cast("set[asyncio.Task[None]]", set(self._running)))

    async def _fly(self, key: str) -> V:
        begun = self._now()
        lease = os.urandom(8).hex()
        shared = await self._from_redis(key, lease)
        if shared is not None:
            value, left = shared
            self._keep(key, value, begun + min(self._ttl, left))
            return value
        begun = self._now()
        value = await self._load(key)
        self._keep(key, value, begun + self._ttl)
        await self._to_redis(key, lease, value, begun)
        return value

    async def _from_redis(self, key: str, lease: str) -> tuple[V, float] | None:
        if self._redis is None:
            return None
        try:
            found = await self._read([self._key(key)], [lease, _LEASE_MS])
            if found:
                value: V = self._decode(found[0])
                self._count["redis", "hit"].inc()
                return value, max(0, found[1]) / 1000
        except (BusUnavailable, msgspec.MsgspecError):
            self._count["redis", "failed"].inc()
        else:
            self._count["redis", "miss"].inc()
        return None

    async def _to_redis(self, key: str, lease: str, value: V, begun: float) -> None:
        left = int((self._shared_ttl - (self._now() - begun)) * 1000)
        if self._redis is not None and left > 0:
            try:
                await self._fill([self._key(key)], [lease, self._encode(value), left])
            except BusUnavailable:
                self._count["redis", "failed"].inc()

    def _keep(self, key: str, value: V, until: float) -> None:
        if self._flights.get(key) is not asyncio.current_task():  # invalidated since
            return
        self._values[key] = (until, value)
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def _landed(self, key: str, flight: asyncio.Task[V]) -> None:
        self._running.discard(flight)
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # whoever asked may have gone

    def _forget(self, key: str) -> None:
        self._values.pop(key, None)
        self._flights.pop(key, None)

    def _clear(self) -> None:
        self._values.clear()
        self._flights.clear()

    def _key(self, key: str) -> str:
        assert self._redis is not None  # noqa: S101 - for the type checker
        return self._redis.key("cache", self._name, key)
