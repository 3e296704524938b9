"""The bus: small messages between services and nodes, and its one-process adapter."""

import inspect
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Protocol

from parlour.platform.errors import Unavailable

logger = logging.getLogger(__name__)

Handler = Callable[[bytes], Awaitable[None] | None]
Unsubscribe = Callable[[], None]


class BusUnavailable(Unavailable):
    """What the nodes of this server share does not answer.

    Wait `retry_after` seconds, then repeat.
    """

    code = "bus_unavailable"


class Bus(Protocol):
    """Publish and subscribe by topic.

    Delivery: at most once, to whoever is subscribed at that moment; nothing is kept. Order: messages of one publisher on one topic
    arrive in the order published. A handler that raises is logged and costs the other handlers nothing. When the engine behind a bus
    is away, `publish` raises nothing and the message reaches the handlers of this process alone: whoever needs certainty reads the
    source of truth again, at the latest when `on_gap` tells so.
    """

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand `payload` to every subscriber of `topic`; returns when the local ones have run."""
        ...

    def subscribe(self, topic: str, handler: Handler) -> Unsubscribe:
        """Call `handler(payload)` for every message on `topic` until the returned function is called."""
        ...

    async def settled(self) -> bool:
        """Wait until what was subscribed to up to now is in force everywhere; False where the engine is away.

        What is read from its source after True misses no change that is published: it is in what was read, or it is heard.
        """
        ...

    def on_gap(self, listener: Callable[[], None]) -> None:
        """Call `listener()` whenever messages of other nodes may have been lost."""
        ...


class Handlers:
    """The handlers of one process by topic."""

    def __init__(self) -> None:
        self._handlers: defaultdict[str, list[Handler]] = defaultdict(list)

    def add(self, topic: str, handler: Handler) -> Unsubscribe:
        """Add `handler` to `topic`; the returned function removes it again."""
        self._handlers[topic].append(handler)

        def remove() -> None:
            handlers = self._handlers.get(topic, [])
            if handler in handlers:
                handlers.remove(handler)
            if not handlers:
                self._handlers.pop(topic, None)

        return remove

    async def run(self, topic: str, payload: bytes) -> None:
        """Run every handler of `topic` with `payload`, one after the other."""
        for handler in tuple(self._handlers.get(topic, ())):
            rest = _call(topic, handler, payload)
            if rest is not None:
                await rest

    def begin(self, topic: str, payload: bytes) -> list[Awaitable[None]]:
        """Run every handler of `topic` with `payload`, and return what is left of the async ones; none of it raises."""
        called = [_call(topic, handler, payload) for handler in tuple(self._handlers.get(topic, ()))]
        return [rest for rest in called if rest is not None]


class MemoryBus:
    """The bus of one process: `publish` runs the handlers in the order they subscribed, and nothing is ever lost."""

    def __init__(self) -> None:
        self._handlers = Handlers()

    async def publish(self, topic: str, payload: bytes) -> None:
        """See Bus."""
        await self._handlers.run(topic, payload)

    def subscribe(self, topic: str, handler: Handler) -> Unsubscribe:
        """See Bus."""
        return self._handlers.add(topic, handler)

    async def settled(self) -> bool:
        """See Bus."""
        return True

    def on_gap(self, listener: Callable[[], None]) -> None:
        """See Bus; there are no gaps."""


def _call(topic: str, handler: Handler, payload: bytes) -> Awaitable[None] | None:
    """Call a handler, and return what is left of it where it is async."""
    try:
        outcome = handler(payload)
    except Exception:
        logger.exception("bus handler failed", extra={"topic": topic})
        return None
    return _awaited(topic, outcome) if inspect.isawaitable(outcome) else None


async def _awaited(topic: str, outcome: Awaitable[None]) -> None:
    try:
        await outcome
    except Exception:
        logger.exception("bus handler failed", extra={"topic": topic})
