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
"""Seconds for which a head is in Redis after it was read from the log: by how much it may lag where a raise was lost."""

_DOUBT: Final = LIFETIME + 1.0
"""Seconds after a gap for which no head is believed: what others are just filling in outlives theirs by less than the rest."""

_RAISE = """
local function below(key, seq)
  local known = redis.call('GET', key)
  return known and tonumber(string.match(known, '%d+') or 0) < seq, known
end
for i = 1, #KEYS, 2 do
  local raised = ARGV[(i + 1) / 2 + 1]
  local seq = tonumber(string.match(raised, '%d+'))
  if below(KEYS[i], seq) then redis.pcall('SET', KEYS[i], raised, 'KEEPTTL') end
  local lower, known = below(KEYS[i + 1], seq)
  if lower or not known then redis.pcall('SET', KEYS[i + 1], seq, 'PX', ARGV[1]) end
end
return 0
"""
"""Raise the heads that are known, and remember of each what it is not below: the event may be an old one, of a command that was repeated,
so that it is no head where none is known. A Redis that takes no writes is no gap."""

_FILL = """
for i = 1, #KEYS, 2 do
  local read, least = ARGV[(i + 1) / 2 + 1], -1
  for _, known in ipairs({redis.call('GET', KEYS[i]) or '', redis.call('GET', KEYS[i + 1]) or ''}) do
    least = math.max(least, tonumber(string.match(known, '%d+') or -1))
  end
  if least <= tonumber(string.match(read, '%d+')) then redis.call('SET', KEYS[i], read, 'PX', ARGV[1]) end
end
return 0
"""
"""Fill in what was read from the log, where no raise says that it is too low by now."""


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

    A raise goes over `line` before what is published there of the events: who hears of them finds it. It raises what is known and fills
    in nothing: what is there was read from the log at most `LIFETIME` ago, or raised since. What it is not below is kept beside it, for
    as long after each raise as anybody may fill in what they began to read before. A line that had to drop something tells all others
    once it can; from then on no head is believed for as long as one may be left of before. So is none while `trusted()` says that it
    could not be heard.
    """

    def __init__(self, redis: RedisEngine, line: Line, clock: Clock, *, trusted: Callable[[], bool]) -> None:
        self._redis = redis
        self._line = line
        self._now = clock.monotonic
        self._trusted = trusted
        self._doubted = -math.inf
        self._fill = redis.script(_FILL)
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
            if value is None:
                self._count["miss"].inc()
            elif (tail := _decoded(value)) is None:
                self._count["failed"].inc()
            else:
                found[room_id] = tail
                self._count["hit"].inc()
        return found

    def begin(self) -> float:
        """See SharedHeads."""
        return self._now()

    async def put(self, tails: Mapping[RoomId, Tail], begun: float) -> None:
        """See SharedHeads."""
        left = LIFETIME - (self._now() - begun)
        if tails and left > 0 and not self._in_doubt():
            try:
                await self._fill(*self._named(tails, left))
            except BusUnavailable:
                self._count["failed"].inc(len(tails))

    def committed(self, tails: Mapping[RoomId, Tail]) -> None:
        """See SharedHeads."""
        keys, arguments = self._named(tails, LIFETIME)
        self._line.execute("EVAL", _RAISE, str(len(keys)), *keys, *arguments)

    def _named(self, tails: Mapping[RoomId, Tail], lifetime: float) -> tuple[list[str], list[str]]:
        keys = [key for room_id in tails for key in (self._key(room_id), self._redis.key("head-least", room_id))]
        return keys, [str(max(1, int(lifetime * 1000))), *(f"{tail.seq} {tail.at}" for tail in tails.values())]

    def _in_doubt(self) -> bool:
        return self._now() < self._doubted or not self._trusted()

    def _gap(self) -> None:
        self._doubted = self._now() + _DOUBT

    def _key(self, room_id: RoomId) -> str:
        return self._redis.key("head", room_id)


def _decoded(value: bytes | str) -> Tail | None:
    try:
        seq, at = map(int, value.split())
    except ValueError:
        return None
    return Tail(seq, at)
