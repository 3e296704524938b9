"""The layer of a cache that nodes share: values in Redis that nobody can put back once their source has changed."""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from parlour.platform import metrics
from parlour.platform.bus import BusUnavailable
from parlour.platform.clock import Clock
from parlour.platform.redis import RedisEngine

V = TypeVar("V")

LEASE: Final = 10.0
"""Seconds that who found nothing has to fill it in."""

LARGEST: Final = 256 * 1024
"""Bytes of a value; a larger one is not kept."""

_PART_KEYS: Final = 100
_PART_BYTES: Final = 512 * 1024
"""Of one command: Redis does one after the other, and others wait."""

VOID_SECONDS: Final = 120
"""For at least so long, and for twice that at most, what bears a tag that was made void is not returned."""

_MANY_TAGS: Final = 500
"""Tags made void in `VOID_SECONDS`, past which all are."""

_ALL: Final = "*"

_READ = """
local found, void = {}, {}
for i, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  if value and string.sub(value, 1, 1) == 'V' then
    found[i] = {string.sub(value, 2), redis.call('PTTL', key)}
  else
    redis.call('SET', key, 'L' .. ARGV[1], 'PX', ARGV[2])
    found[i] = {}
  end
end
local now = math.floor(redis.call('TIME')[1] / ARGV[4])
for at = now - 1, now do
  for _, tag in ipairs(redis.call('SMEMBERS', ARGV[3] .. at)) do void[#void + 1] = tag end
end
return {found, void}
"""
"""Each value and how many ms it has left, or nothing, and then a lease: the right of whoever read last to fill it. And the void tags."""

_FILL = """
for i, key in ipairs(KEYS) do
  if redis.call('GET', key) == 'L' .. ARGV[1] then redis.call('SET', key, 'V' .. ARGV[i + 2], 'PX', ARGV[2]) end
end
"""
"""Fill in what was read from the source, unless it was deleted since, which took the lease away."""

_VOID = """
local key = ARGV[1] .. math.floor(redis.call('TIME')[1] / ARGV[2])
for i = 4, #ARGV do redis.call('SADD', key, ARGV[i]) end
if redis.call('SCARD', key) > tonumber(ARGV[3]) then
  redis.call('DEL', key)
  redis.call('SADD', key, '*')
end
redis.call('EXPIRE', key, 3 * ARGV[2])
"""


class Read(msgspec.Struct, Generic[V]):
    """What was there, each value with the seconds that it has left, and the lease of what was not, which `fill` takes."""

    found: dict[str, tuple[V, float]]
    lease: str
    leased: set[str]


class SharedValues(Generic[V]):
    """Values by key in Redis, for `ttl` seconds from when their loading from the source began.

    Who reads what is not there gets a lease of it, the right to fill it in, until the next reader gets one or the key is deleted. Who
    changes the source deletes the key after its commit: then nothing that was loaded before can come back, however slow who loaded it
    is. What `delete` could not reach is gone by itself: `outlives` seconds after a change nothing of before it is there, whatever was
    lost and however long Redis stood still, for lease and value run by Redis's own clock. A value may bear tags, all values of which
    `void` makes void at once.

    Failure: nothing raises; while Redis is away nothing is found and nothing kept. It may be emptied at any time.
    """

    def __init__(self, redis: RedisEngine, name: str, kind: Any, *, clock: Clock, ttl: float) -> None:
        """Name the values as metrics and keys do; `kind` is their type, for msgspec to check what Redis returns."""
        self.outlives = LEASE + ttl
        self._redis = redis
        self._name = name
        self._ttl = ttl
        self._now = clock.monotonic
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(tuple[frozenset[str], kind]).decode
        self._read = redis.script(_READ)
        self._fill = redis.script(_FILL)
        self._void = redis.script(_VOID)
        self._tags = redis.key("cache", name, "void", "")
        self._count = {
            outcome: metrics.CACHE_LOOKUPS.labels(name, "redis", outcome) for outcome in ("hit", "miss", "failed")
        }

    async def read(self, keys: Sequence[str]) -> Read[V]:
        """Return what is there of `keys`, and a lease of the rest; no lease of what bears a void tag."""
        read: Read[V] = Read({}, os.urandom(8).hex(), set())
        for start in range(0, len(keys), _PART_KEYS):
            part = keys[start : start + _PART_KEYS]
            arguments = [read.lease, int(LEASE * 1000), self._tags, VOID_SECONDS]
            try:
                answers, void = await self._read([self._key(key) for key in part], arguments)
            except BusUnavailable:
                self._count["failed"].inc(len(keys) - start)
                break
            self._take(read, part, answers, {tag.decode() for tag in void})
        return read

    def _take(self, read: Read[V], keys: Sequence[str], answers: Sequence[Any], voided: Collection[str]) -> None:
        for key, answer in zip(keys, answers, strict=True):
            if not answer:
                self._count["miss"].inc()
                read.leased.add(key)
                continue
            try:
                tags, value = self._decode(answer[0])
            except msgspec.MsgspecError:
                self._count["failed"].inc()
                continue
            if voided and (_ALL in voided or not tags.isdisjoint(voided)):
                self._count["miss"].inc()
                continue
            read.found[key] = value, max(0, answer[1]) / 1000
            self._count["hit"].inc()

    async def fill(
        self, read: Read[V], values: Mapping[str, V], begun: float, tags: Mapping[str, Collection[str]] | None = None
    ) -> None:
        """Keep what was loaded of the keys that `read` has the lease of; the loading `begun` at that monotonic time."""
        part: dict[str, bytes] = {}
        size = 0
        for key in read.leased & values.keys():
            value = self._encode((sorted(tags[key]) if tags else (), values[key]))
            if len(value) > LARGEST:
                continue
            if len(part) == _PART_KEYS or size + len(value) > _PART_BYTES:
                await self._fill_part(read.lease, part, begun)
                part, size = {}, 0
            part[self._key(key)] = value
            size += len(value)
        await self._fill_part(read.lease, part, begun)

    async def _fill_part(self, lease: str, part: Mapping[str, bytes], begun: float) -> None:
        left = int((self._ttl - (self._now() - begun)) * 1000)
        if part and left > 0:
            try:
                await self._fill(list(part), [lease, left, *part.values()])
            except BusUnavailable:
                self._count["failed"].inc(len(part))

    async def delete(self, keys: Collection[str], *, repeatable: bool = True) -> bool:
        """Forget the values of `keys`, after their source has changed; tell whether Redis did. Try again unless not `repeatable`."""
        names = [self._key(key) for key in keys]
        if names:
            try:
                await self._redis.call(lambda redis: redis.delete(*names), repeatable=repeatable)
            except BusUnavailable:
                self._count["failed"].inc(len(names))
                return False
        return True

    async def void(self, tags: Collection[str]) -> bool:
        """Forget all values that bear one of `tags`, after that has changed; tell whether Redis did."""
        if tags:
            try:
                await self._void([], [self._tags, VOID_SECONDS, _MANY_TAGS, *tags])
            except BusUnavailable:
                self._count["failed"].inc(len(tags))
                return False
        return True

    def _key(self, key: str) -> str:
        return self._redis.key("cache", self._name, key)
