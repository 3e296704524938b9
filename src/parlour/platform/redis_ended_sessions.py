"""Ended sessions in Redis: a sorted set by the time until which each matters."""

from collections.abc import Iterable
from typing import Any

from parlour.platform.clock import Clock
from parlour.platform.ids import SessionId, is_uuid
from parlour.platform.redis import RedisEngine

_KEPT = 24 * 3_600_000
"""Milliseconds after its time for which a session is kept: a node whose clock is ahead removes nothing that others need."""


class RedisEndedSessions:
    """An `EndedSessions` of all nodes that share a Redis; what is over for a day is removed whenever something is added.

    While Redis is away both methods raise `BusUnavailable`: whoever adds has the accounts database to add from again, and whoever
    reads goes on with what it knew and reads again.
    """

    def __init__(self, redis: RedisEngine, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._key = redis.key("sessions", "ended")

    async def add(self, session_ids: Iterable[SessionId], until: int) -> None:
        """See EndedSessions."""
        scores = dict.fromkeys(session_ids, until)
        if not scores:
            return

        async def write(client: Any) -> None:
            pipeline = client.pipeline(transaction=False)
            pipeline.zremrangebyscore(self._key, "-inf", self._clock.now() - _KEPT)
            pipeline.zadd(self._key, scores, gt=True)
            await pipeline.execute()

        await self._redis.call(write, repeatable=True)

    async def all(self) -> dict[SessionId, int]:
        """See EndedSessions."""

        async def read(client: Any) -> Any:
            return await client.zrangebyscore(self._key, f"({self._clock.now()}", "+inf", withscores=True)

        found = await self._redis.call(read, repeatable=True)
        named = ((member.decode("utf-8", "replace"), int(until)) for member, until in found)
        return {SessionId(member): until for member, until in named if is_uuid(member)}
