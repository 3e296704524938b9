"""The bus of several nodes, over Redis: a channel a topic."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

from parlour.platform.bus import Handler, Handlers, Unsubscribe

logger = logging.getLogger(__name__)

_BACKLOG: Final = 10_000
"""Messages of a topic that wait for a handler which awaits something; what is more is dropped."""


class Line(Protocol):
    """The part that a bus needs of a line between nodes (`parlour.realtime.redis_line.RedisLine`)."""

    def subscribe(self, channel: str, handler: Callable[[bytes], None]) -> None:
        """Call `handler(payload)` for what other nodes publish on `channel`."""
        ...

    def unsubscribe(self, channel: str) -> None:
        """Hear `channel` no more."""
        ...

    def publish(self, channels: Iterable[str], payload: bytes) -> None:
        """Send to every other node that subscribes; never raises, never waits."""
        ...

    async def settled(self) -> bool:
        """Wait until the subscriptions up to now are in force; False where the engine is away."""
        ...

    def on_gap(self, listener: Callable[[], None]) -> None:
        """Call `listener()` when something may have been lost."""
        ...

    def drop(self, reason: str, count: int = 1) -> None:
        """Count what is dropped."""
        ...


class RedisBus:
    """A `Bus` of all nodes; its line is started and closed by its owner, and may carry other things as well.

    What is published here is handled here at once, as on a `MemoryBus`, whether or not Redis is there, and by every other node that
    subscribes soon afterwards, in the order that everything on this line was published in. A handler that is not async is done before
    the line hands over what comes next, on whatever channel.

    While Redis is away messages reach the handlers of this node alone; `on_gap` tells when it is back.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._handlers = Handlers()
        self._subscribed: Counter[str] = Counter()
        self._backlogs: dict[str, deque[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(self, topic: str, payload: bytes) -> None:
        """See Bus."""
        self._line.publish((_channel(topic),), payload)
        await self._handlers.run(topic, payload)

    def subscribe(self, topic: str, handler: Handler) -> Unsubscribe:
        """See Bus."""
        remove = self._handlers.add(topic, handler)
        self._subscribed[topic] += 1
        if self._subscribed[topic] == 1:
            self._line.subscribe(_channel(topic), lambda payload: self._hear(topic, payload))
        active = True

        def unsubscribe() -> None:
            nonlocal active
            if active:
                active = False
                remove()
                self._subscribed[topic] -= 1
                if not self._subscribed[topic]:
                    del self._subscribed[topic]
                    self._line.unsubscribe(_channel(topic))

        return unsubscribe

    async def settled(self) -> bool:
        """See Bus."""
        return await self._line.settled()

    def on_gap(self, listener: Callable[[], None]) -> None:
        """See Bus."""
        self._line.on_gap(listener)

    async def close(self) -> None:
        """Stop the handlers that are under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _hear(self, topic: str, payload: bytes) -> None:
        backlog = self._backlogs.get(topic)
        if backlog is None:
            self._begin(topic, payload)
        elif len(backlog) < _BACKLOG:
            backlog.append(payload)
        else:
            self._line.drop("overflow")

    def _begin(self, topic: str, payload: bytes) -> None:
        waiting = self._handlers.begin(topic, payload)
        if waiting:
            self._backlogs[topic] = deque()
            task = asyncio.create_task(self._finish(topic, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _finish(self, topic: str, waiting: list[Awaitable[None]]) -> None:
        """Await handlers, then hand over what has come meanwhile."""
        backlog = self._backlogs[topic]
        try:
            while True:
                for each in waiting:
                    await each
                if not backlog:
                    return
                waiting = self._handlers.begin(topic, backlog.popleft())
        finally:
            del self._backlogs[topic]


def _channel(topic: str) -> str:
    return "bus:" + topic
