"""Rate limits that several processes count together, in Redis."""

from parlour.platform.bus import BusUnavailable
from parlour.platform.errors import RateLimited
from parlour.platform.rates import RateLimits, is_loopback, refusal
from parlour.platform.redis import RedisEngine

_CHECK = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local interval, tolerance, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = full_at - now - tolerance
if wait > 0 then return math.ceil(wait) end
full_at = full_at + interval * cost
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.max(1, math.ceil((full_at - now) / 1000)))
return 0
"""
"""GCRA by the clock of Redis, in µs: how long to wait; 0 where it passed and was counted. A key is kept until it is as good as new."""


class RedisRates:
    """A `SharedRates` of all processes that share a Redis, one round trip a check.

    While Redis is away each process counts for itself, as `RateLimits` does: with n processes a key may do n times as much, but never
    without bound, and nobody is refused for Redis's sake. What was counted alone is forgotten once Redis is back.
    """

    def __init__(self, redis: RedisEngine, local: RateLimits) -> None:
        self._redis = redis
        self._local = local
        self._run = redis.script(_CHECK)

    async def check(self, name: str, key: str, cost: int = 1) -> None:
        """See SharedRates."""
        interval, tolerance = self._local.rate(name)
        keys = [self._redis.key("rate", name, key)]
        try:
            wait: int = await self._run(keys, [interval * 1e6, tolerance * 1e6, cost])
        except BusUnavailable:
            self._local.check(name, key, cost)
            return
        if wait:
            raise RateLimited(retry_after=refusal(wait / 1e6))

    async def check_address(self, name: str, address: str) -> None:
        """See SharedRates."""
        if not is_loopback(address):
            await self.check(name, address)
