"""Presence over the nodes that share a Redis: each keeps its own devices, and tells what that makes of each user."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Final, Literal, cast

import msgspec

from parlour.chat.adapters.memory import MemoryPresence
from parlour.platform.bus import Bus, Unsubscribe
from parlour.platform.errors import Unavailable
from parlour.platform.ids import UserId
from parlour.platform.redis import RedisEngine, end

logger = logging.getLogger(__name__)

TTL: Final = 20.0
"""Seconds after its last sign of life for which a node's users count; with `BEAT` more they are gone, within 30 s altogether."""

BEAT: Final = 5.0
"""Seconds between two signs of life."""

_KEEP: Final = 3_600
"""Seconds for which a user's hash is kept; its nodes renew it three times in that time."""

_CHUNK: Final = 200
_AGAIN: Final = 1.0
_PRESENCE: Final = {"offline": 0, "idle": 1, "online": 2}

_BEAT = """
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], ms + ARGV[2], ARGV[1])
return {known and 1 or 0, redis.call('ZRANGE', KEYS[1], 0, -1)}
"""
"""Live for ARGV[2] ms more; whether node ARGV[1] was still alive, and which nodes are."""

_READ = """
local alive = {}
for _, node in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do alive[node] = true end
local found = {}
for i = 2, #KEYS do
  local fields, kept = redis.call('HGETALL', KEYS[i]), {}
  for j = 1, #fields, 2 do
    if alive[fields[j]] then
      kept[#kept + 1] = fields[j]
      kept[#kept + 1] = fields[j + 1]
    else
      redis.call('HDEL', KEYS[i], fields[j])
    end
  end
  found[i - 1] = kept
end
return found
"""
"""What the living nodes tell of each user; what dead ones told is forgotten (one that was only away tells again)."""


_State = Literal["offline", "idle", "online"]


class _Told(msgspec.Struct, array_like=True):
    """What a node tells of a user; the later `version` of one node counts."""

    node: str
    version: int
    state: _State


class _Followed:
    """What is known of a user's devices at other nodes: state by node, with when it was heard."""

    def __init__(self, unfollow: Unsubscribe, loading: "asyncio.Task[None]") -> None:
        self.unfollow = unfollow
        self.loading = loading
        self.nodes: dict[str, tuple[_Told, int]] = {}

    def state(self) -> str:
        return max((told.state for told, _ in self.nodes.values()), key=_PRESENCE.__getitem__, default="offline")


class RedisPresence:
    """A `PresenceStore` of all nodes.

    In Redis: the hash `presence:{user}` holds what each node tells, and the sorted set `presence:nodes` until when each node is alive,
    so that a sign of life costs one command however many users a node has. A change is written first and then published on the
    user's topic of the bus, so that who follows hears it or reads it. Writes are grouped: one round trip for all changes meanwhile.

    While Redis is away `set` and `get` go on: this node's devices count as ever, those elsewhere as they were last known. When it is
    back everything is told and read again; nobody is taken for gone until every node has had its `ttl` to tell that it is alive.
    A node that ends, however it does, leaves its users present for `ttl` seconds, in which they come back elsewhere.
    """

    def __init__(self, redis: RedisEngine, bus: Bus, *, ttl: float = TTL, beat: float = BEAT) -> None:
        self._redis = redis
        self._bus = bus
        self._ttl = ttl
        self._beat = beat
        self._node = os.urandom(8).hex()
        self._own = MemoryPresence()
        self._shared: dict[UserId, str] = {}
        self._changed: dict[UserId, None] = {}
        self._wake = asyncio.Event()
        self._version = 0
        self._followed: dict[UserId, _Followed] = {}
        self._heard = 0
        self._unsure_until = 0.0
        self._reload = False
        self._listeners: list[Callable[[UserId, str], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._decode = msgspec.msgpack.Decoder(_Told).decode
        self._run_beat = redis.script(_BEAT)
        self._run_read = redis.script(_READ)
        bus.on_gap(self._gap)

    async def start(self) -> None:
        """Give the first sign of life, and go on."""
        with contextlib.suppress(Unavailable):
            await self._live()
        self._tasks = [asyncio.create_task(self._share_forever()), asyncio.create_task(self._live_forever())]

    async def close(self) -> None:
        """Say nothing more."""
        await end([*self._tasks, *(followed.loading for followed in self._followed.values())])
        self.unfollow(tuple(self._followed))

    def set(self, user_id: UserId, device: str, state: str | None) -> str:
        """See PresenceStore."""
        own = self._own.set(user_id, device, state)
        if own != self._shared.get(user_id, "offline"):
            self._changed[user_id] = None
            self._wake.set()
        return self._state(user_id)

    def get(self, user_ids: Iterable[UserId]) -> dict[UserId, str]:
        """See PresenceStore."""
        return {user_id: self._state(user_id) for user_id in user_ids}

    async def follow(self, user_ids: Collection[UserId]) -> None:
        """See PresenceStore."""
        new = [user_id for user_id in user_ids if user_id not in self._followed]
        if new:
            loading = asyncio.create_task(self._load(new))
            for user_id in new:
                self._followed[user_id] = _Followed(self._bus.subscribe(_topic(user_id), self._hear(user_id)), loading)
        loads = {self._followed[user_id].loading for user_id in user_ids}
        await asyncio.gather(*(asyncio.shield(load) for load in loads if not load.done()))

    def unfollow(self, user_ids: Iterable[UserId]) -> None:
        """See PresenceStore."""
        for user_id in user_ids:
            followed = self._followed.pop(user_id, None)
            if followed is not None:
                followed.unfollow()

    def on_change(self, listener: Callable[[UserId, str], None]) -> None:
        """See PresenceStore."""
        self._listeners.append(listener)

    def _state(self, user_id: UserId) -> str:
        own = self._own.state(user_id)
        followed = self._followed.get(user_id)
        return own if followed is None else max(own, followed.state(), key=_PRESENCE.__getitem__)

    # What other nodes tell

    def _hear(self, user_id: UserId) -> Callable[[bytes], None]:
        return lambda payload: self._change(user_id, lambda followed: self._take_all(followed, [payload]))

    def _take_all(self, followed: _Followed, payloads: Iterable[bytes]) -> AbstractSet[str]:
        """Take what nodes tell, and return which ones that are."""
        nodes = set()
        for payload in payloads:
            try:
                told = self._decode(payload)
            except msgspec.MsgspecError:
                logger.warning("a malformed presence was dropped")
                continue
            nodes.add(told.node)
            if told.node != self._node:
                self._take(followed, told)
        return nodes

    def _take(self, followed: _Followed, told: _Told) -> None:
        known = followed.nodes.get(told.node)
        if known is None or known[0].version < told.version:
            self._heard += 1
            followed.nodes[told.node] = (told, self._heard)

    def _change(self, user_id: UserId, change: Callable[[_Followed], object]) -> None:
        followed = self._followed.get(user_id)
        if followed is None:
            return
        before = self._state(user_id)
        change(followed)
        if self._state(user_id) != before:
            for listener in self._listeners:
                listener(user_id, before)

    async def _load(self, user_ids: list[UserId]) -> None:
        try:
            await self._bus.settled()
            for start in range(0, len(user_ids), _CHUNK):
                await self._read(user_ids[start : start + _CHUNK])
        except Unavailable:
            self._reload = True  # with the next sign of life

    async def _read(self, user_ids: list[UserId]) -> None:
        since = self._heard
        keys = [self._redis.key("presence", user_id) for user_id in user_ids]
        found = await self._run_read([self._redis.key("presence", "nodes"), *keys], [], repeatable=True)
        sure = asyncio.get_running_loop().time() >= self._unsure_until
        for user_id, fields in zip(user_ids, found, strict=True):

            def replace(followed: _Followed, payloads: list[bytes] = fields[1::2]) -> None:
                there = self._take_all(followed, payloads)
                if sure:
                    _forget(followed, there, since)

            self._change(user_id, replace)

    def _gap(self) -> None:
        self._reload = True

    # What this node tells

    async def _share_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._changed:
                try:
                    await self._share()
                except Unavailable:
                    await asyncio.sleep(_AGAIN)

    async def _share(self) -> None:
        changed = list(self._changed)[:_CHUNK]
        for user_id in changed:
            del self._changed[user_id]
        told: dict[UserId, _Told] = {}
        for user_id in changed:
            self._version += 1
            told[user_id] = _Told(self._node, self._version, cast("_State", self._own.state(user_id)))
        try:
            await self._write(told)
        except Unavailable:
            self._changed.update(dict.fromkeys(changed))
            raise
        for user_id, each in told.items():
            if each.state == "offline":
                self._shared.pop(user_id, None)
            else:
                self._shared[user_id] = each.state
            if self._own.state(user_id) != each.state:
                self._changed[user_id] = None
            await self._bus.publish(_topic(user_id), msgspec.msgpack.encode(each))

    async def _write(self, told: dict[UserId, _Told]) -> None:
        async def write(client: Any) -> None:
            pipeline = client.pipeline(transaction=False)
            for user_id, each in told.items():
                key = self._redis.key("presence", user_id)
                if each.state == "offline":
                    pipeline.hdel(key, self._node)
                else:
                    pipeline.hset(key, self._node, msgspec.msgpack.encode(each))
                    pipeline.expire(key, _KEEP)
            await pipeline.execute()

        await self._redis.call(write, repeatable=True)

    async def _live_forever(self) -> None:
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            await asyncio.sleep(self._beat)
            try:
                await self._live()
                if self._reload:
                    self._reload = loop.time() < self._unsure_until
                    await self._load(list(self._followed))
                if loop.time() - renewed > _KEEP / 3:
                    renewed = loop.time()
                    self._share_again()
            except Unavailable:
                self._doubt()

    async def _live(self) -> None:
        since = self._heard
        known, alive = await self._run_beat(
            [self._redis.key("presence", "nodes")], [self._node, int(self._ttl * 1000)], repeatable=True
        )
        loop = asyncio.get_running_loop()
        if not known:  # the first time, or Redis was emptied, or it took this node for dead
            self._doubt()
            self._share_again()
        elif loop.time() >= self._unsure_until:
            self._bury({node.decode() for node in alive}, since)

    def _doubt(self) -> None:
        """Take nobody for gone for as long as it takes every living node to tell that it is there; then look."""
        self._unsure_until = asyncio.get_running_loop().time() + self._ttl
        self._reload = True

    def _share_again(self) -> None:
        self._changed.update(dict.fromkeys([*self._shared, *self._own.users()]))
        if self._changed:
            self._wake.set()

    def _bury(self, alive: AbstractSet[str], since: int) -> None:
        for user_id, followed in tuple(self._followed.items()):
            if not followed.nodes.keys() <= alive:
                self._change(user_id, lambda followed: _forget(followed, alive, since))


def _forget(followed: _Followed, but: AbstractSet[str], since: int) -> None:
    """Forget what all nodes `but` those told, except for what was heard after `since`, when it was asked who is there."""
    for node in [node for node, (_, heard) in followed.nodes.items() if heard <= since and node not in but]:
        del followed.nodes[node]


def _topic(user_id: UserId) -> str:
    return "presence:" + user_id
