"""The bus: small messages between services and nodes, and its one-process adapter."""

import inspect
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Protocol

logger = logging.getLogger(__name__)

Handler = Callable[[bytes], Awaitable[None] | None]
Unsubscribe = Callable[[], None]


class Bus(Protocol):
    """Publish and subscribe by topic.

    Delivery: at most once, to whoever is subscribed at that moment; nothing is kept. Order: messages of one publisher on one topic
    arrive in the order published. A handler that raises is logged and costs the other handlers nothing. When the engine behind a bus
    is away, `publish` raises nothing and the message is lost: whoever needs certainty reads the source of truth again.
    """

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand `payload` to every subscriber of `topic`; returns when the local ones have run."""
        ...

    def subscribe(self, topic: str, handler: Handler) -> Unsubscribe:
        """Call `handler(payload)` for every message on `topic` until the returned function is called."""
        ...


class MemoryBus:
    """The bus of one process: `publish` runs the handlers in the order they subscribed."""

    def __init__(self) -> None:
        self._handlers: defaultdict[str, list[Handler]] = defaultdict(list)

    async def publish(self, topic: str, payload: bytes) -> None:
        """Run every handler of `topic` with `payload`."""
        for handler in tuple(self._handlers.get(topic, ())):
            try:
                outcome = handler(payload)
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception:
                logger.exception("bus handler failed", extra={"topic": topic})

    def subscribe(self, topic: str, handler: Handler) -> Unsubscribe:
        """Add `handler` to `topic`; the returned function removes it again."""
        self._handlers[topic].append(handler)

        def unsubscribe() -> None:
            handlers = self._handlers.get(topic, [])
            if handler in handlers:
                handlers.remove(handler)
            if not handlers:
                self._handlers.pop(topic, None)

        return unsubscribe
