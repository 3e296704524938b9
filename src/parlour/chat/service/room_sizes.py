"""How many members a room has, remembered for a while: what decides whether all of a room hear of small things."""

from collections.abc import Sequence

from parlour.chat.ports import RoomStore
from parlour.platform.bus import Bus
from parlour.platform.cache import Cache
from parlour.platform.clock import Clock
from parlour.platform.ids import RoomId
from parlour.platform.redis import RedisEngine

LIFETIME = 60.0
"""Seconds by which a number may lag."""


def room_sizes(store: RoomStore, bus: Bus, clock: Clock, redis: RedisEngine | None = None) -> Cache[int]:
    """Return the numbers of members by room id; `get` raises `Unavailable` when the store is away."""

    async def count(room_ids: Sequence[str]) -> dict[str, int]:
        return {room_id: await store.count_members(RoomId(room_id)) for room_id in room_ids}

    return Cache(
        "room_sizes",
        count,
        int,
        bus=bus,
        clock=clock,
        redis=redis,
        ttl=LIFETIME,
        shared_ttl=LIFETIME,
    )
