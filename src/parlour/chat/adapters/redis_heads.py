"""Where rooms end, in Redis: raised by whoever writes to them, on the line that tells of it, and never lowered."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from parlour.chat.model import Tail
from parlour.platform import metrics
from parlour.platform.bus import BusUnavailable
from parlour.platform.clock import Clock
from parlour.platform.ids import RoomId
from parlour.platform.redis import RedisEngine

LIFETIME: Final = 5.0
"""Seconds for which a head is in Redis after it was raised or read from the log: by how much it may lag where a raise was lost."""

_RAISE = """
for i, key in ipairs(KEYS) do
  local known = redis.call('GET', key)
  if not known or tonumber(string.match(known, '^%d+')) < tonumber(string.match(ARGV[i + 1], '^%d+')) then
    redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1])
  end
end
return 0
"""


class Line(Protocol):
    """The part that heads need of a line between nodes (`parlour.realtime.redis_line.RedisLine`)."""

    def execute(self, *command: str | bytes) -> None:
        """Have Redis do something before what is published afterwards; never raises, never waits."""
        ...

    def on_gap(self, listener: Callable[[], None]) -> None:
        """Call `listener()` when another line may have lost something."""
        ...


class RedisHeads:
    """`SharedHeads` in Redis.

    A raise goes over `line` before what is published there of the events: who hears of them finds it. A line that had to drop
    something tells all others once it can; from then on no head is believed for as long as one may be left of before. So is none
    while `trusted()` says that it could not be heard.
    """

    def __init__(self, redis: RedisEngine, line: Line, clock: Clock, *, trusted: Callable[[], bool]) -> None:
        self._redis = redis
        self._line = line
        self._now = clock.monotonic
        self._trusted = trusted
        self._doubted = -math.inf
        self._fill = redis.script(_RAISE)
        self._count = {
            outcome: metrics.CACHE_LOOKUPS.labels("heads", "redis", outcome) for outcome in ("hit", "miss", "failed")
        }
        line.on_gap(self._gap)

    async def get(self, room_ids: Sequence[RoomId]) -> dict[RoomId, Tail]:
        """See SharedHeads."""
        if self._in_doubt():
            return {}
        keys = [self._key(room_id) for room_id in room_ids]
        try:
            values = await self._redis.call(lambda redis: redis.mget(keys))
        except BusUnavailable:
            self._count["failed"].inc(len(keys))
            return {}
        if self._in_doubt():  # since it was asked
            return {}
        found: dict[RoomId, Tail] = {}
        for room_id, value in zip(room_ids, values, strict=True):
            tail = _decoded(value) if value is not None else None
            if tail is not None:
                found[room_id] = tail
            self._count["miss" if value is None else "failed" if tail is None else "hit"].inc()
        return found

    async def put(self, tails: Mapping[RoomId, Tail]) -> None:
        """See SharedHeads."""
        if tails and not self._in_doubt():
            try:
                await self._fill(*self._raise(tails))
            except BusUnavailable:
                self._count["failed"].inc(len(tails))

    def committed(self, tails: Mapping[RoomId, Tail]) -> None:
        """See SharedHeads."""
        keys, arguments = self._raise(tails)
        self._line.execute("EVAL", _RAISE, str(len(keys)), *keys, *arguments)

    def _raise(self, tails: Mapping[RoomId, Tail]) -> tuple[list[str], list[str]]:
        values = [f"{tail.seq} {tail.at}" for tail in tails.values()]
        return [self._key(room_id) for room_id in tails], [str(int(LIFETIME * 1000)), *values]

    def _in_doubt(self) -> bool:
        return self._now() < self._doubted or not self._trusted()

    def _gap(self) -> None:
        self._doubted = self._now() + LIFETIME

    def _key(self, room_id: RoomId) -> str:
        return self._redis.key("head", room_id)


def _decoded(value: bytes | str) -> Tail | None:
    try:
        seq, at = map(int, value.split())
    except ValueError:
        return None
    return Tail(seq, at)
