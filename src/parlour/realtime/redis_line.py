"""Publish and subscribe on Redis: one connection each way, batched, bounded, and restored when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
from collections.abc import Callable, Iterable
from typing import Final

from parlour.realtime.redis_connections import CALM, MAX_MESSAGE, Handler, Publisher, Subscriber, connector, end

logger = logging.getLogger(__name__)

Dropped = Callable[[str, int], None]

_MAX_SENDERS: Final = 10_000
_LOST: Final = "lost"


class RedisLine:
    """What one node says to the others and hears from them, by channel.

    Order: what one line publishes, on whatever channels, is heard by any other in the order published, for each has one connection
    to write and one to read; what a broken connection held back and brings later is dropped. Delivery: at most once, to the lines
    that subscribe when it passes, and never to the publishing one; what goes to several channels at once reaches a line once.

    While Redis is away everything published is dropped at once and nothing raises. Lost connections are tried again after a random
    while and every subscription is restored. Then, and when another line tells that it had to drop something, the `on_gap` listeners
    are called, at most once a second: what was published meanwhile may be lost. `dropped(reason, count)` hears of what is dropped:
    "overflow" (past `max_queue` bytes waiting), "away", "refused" (by Redis), "malformed" and "failed" (a handler raised).

    Raises ImportError where redis-py is missing, ValueError where the URL is none of Redis.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "realtime:",
        max_queue: int = 16 * 1024 * 1024,
        timeout: float = 5.0,
        dropped: Dropped | None = None,
    ) -> None:
        self._id = os.urandom(8)
        self._prefix = prefix
        self._number = 0
        self._last: dict[bytes, int] = {}
        self._tell_dropped = dropped
        self._complained_at = -math.inf
        self._gap_listeners: list[Callable[[], None]] = []
        self._gap_at = -math.inf
        self._gap_timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        connect = connector(url, timeout)
        self._publisher = Publisher(connect, max_queue, self.drop, self._lost_notice)
        self._subscriber = Subscriber(connect, self._receive, self.gap)
        self.subscribe(_LOST, lambda _: self.gap())

    async def start(self) -> None:
        """Connect; returns when that has succeeded or failed once, and goes on trying by itself."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._publisher.run()), asyncio.create_task(self._subscriber.run())]
            await self._publisher.tried.wait()
            await self._subscriber.tried.wait()

    async def close(self) -> None:
        """Send what waits, for a second at most, and disconnect."""
        if self._tasks:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._publisher.ask("PING"), 1.0)
        await end(self._tasks)
        self._tasks = []
        if self._gap_timer is not None:
            self._gap_timer.cancel()
            self._gap_timer = None

    @property
    def connected(self) -> bool:
        """Whether others can be heard, as far as is known: a server that hangs is noticed within a second."""
        return not self._subscriber.away

    def subscribe(self, channel: str, handler: Handler) -> None:
        """Call `handler(payload)` for what others publish on `channel`, one handler each; in force soon (see `settled`)."""
        self._subscriber.want(self._name(channel), handler)

    def unsubscribe(self, channel: str) -> None:
        """Hear `channel` no more, from now on."""
        self._subscriber.unwant(self._name(channel))

    async def settled(self) -> bool:
        """Wait until Redis has confirmed every subscription asked for up to now; False where it is away or goes meanwhile.

        What is read from elsewhere after True misses nothing that is published: it is in what was read, or it is heard.
        """
        return await self._subscriber.settled()

    def publish(self, channels: Iterable[str], payload: bytes) -> None:
        """Send `payload` to whoever subscribes to any of `channels`. Never raises, never waits."""
        self._number += 1
        message = self._id + self._number.to_bytes(8, "big") + payload
        self._publisher.publish([self._name(channel) for channel in channels], message)

    def execute(self, *command: str | bytes) -> None:
        """Have Redis do a command, which answers with a number, before what is published here afterwards. Never raises, never waits.

        While Redis is away it is dropped, and so counted and told to others, as what is published is.
        """
        self._publisher.execute(command)

    async def publish_counted(self, channel: str, payload: bytes) -> int:
        """Send `payload` and return how many connections took it, this line's own included; 0 where it was dropped."""
        self._number += 1
        message = self._id + self._number.to_bytes(8, "big") + payload
        if len(message) > MAX_MESSAGE:
            self.drop("overflow")
            return 0
        return await self._publisher.ask("PUBLISH", self._name(channel), message)

    def on_gap(self, listener: Callable[[], None]) -> None:
        """Call `listener()` whenever something that this node should have heard may have been lost."""
        self._gap_listeners.append(listener)

    def gap(self) -> None:
        """Tell the listeners of a gap, now or, where they were told of one just now, a second after that."""
        loop = asyncio.get_running_loop()
        if self._gap_timer is None:
            self._gap_timer = loop.call_at(max(loop.time(), self._gap_at + CALM), self._tell_gap)

    def drop(self, reason: str, count: int = 1) -> None:
        """Count what was dropped, and log it at most once a second."""
        if self._tell_dropped is not None:
            self._tell_dropped(reason, count)
        now = asyncio.get_running_loop().time()
        if now - self._complained_at >= CALM:
            self._complained_at = now
            logger.warning("messages between nodes are dropped", extra={"reason": reason, "count": count})

    def _tell_gap(self) -> None:
        self._gap_timer = None
        self._gap_at = asyncio.get_running_loop().time()
        for listener in self._gap_listeners:
            try:
                listener()
            except Exception:
                logger.exception("a listener to gaps failed")

    def _lost_notice(self) -> None:
        self.publish((_LOST,), b"")

    def _name(self, channel: str) -> bytes:
        return (self._prefix + channel).encode("utf-8", "surrogatepass")

    def _receive(self, handler: Handler, message: bytes) -> None:
        sender = message[:8]
        if sender == self._id:
            return
        if not 16 <= len(message) <= MAX_MESSAGE:
            self.drop("malformed")
            return
        number = int.from_bytes(message[8:16], "big")
        last = self._last.get(sender)
        if last is None:
            if len(self._last) >= _MAX_SENDERS:
                del self._last[next(iter(self._last))]
        elif number <= last:  # on several of our channels, or from a connection that was given up
            return
        self._last[sender] = number
        try:
            handler(message[16:])
        except Exception:
            logger.exception("the handler of a message between nodes failed")
            self.drop("failed")
