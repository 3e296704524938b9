"""Answers of workers to the nodes that wait for them, over the line that the events of rooms take."""

from collections.abc import Callable, Iterable
from typing import Protocol


class Line(Protocol):
    """The part that answers need of a line between nodes (`parlour.realtime.redis_line.RedisLine`)."""

    def subscribe(self, channel: str, handler: Callable[[bytes], None]) -> None:
        """Call `handler(payload)` for what other nodes publish on `channel`."""
        ...

    def unsubscribe(self, channel: str) -> None:
        """Hear `channel` no more."""
        ...

    def on_gap(self, listener: Callable[[], None]) -> None:
        """Call `listener()` whenever something that this node should have heard may have been lost."""
        ...

    def publish(self, channels: Iterable[str], payload: bytes) -> None:
        """Send to every other node that subscribes; never raises, never waits."""
        ...


class RedisAnswers:
    """`Answers` over a line that is started and closed by its owner; to this node they need no line.

    While Redis is away they are lost; whoever waits is told so once it is back, and repeats the command.
    """

    def __init__(self, line: Line, node_id: str) -> None:
        self._line = line
        self._node_id = node_id
        self._handlers: list[tuple[Callable[[bytes], None], Callable[[], None]]] = []
        line.on_gap(self._gap)

    def send(self, node_id: str, payload: bytes) -> None:
        """See Answers."""
        if node_id == self._node_id:
            self._receive(payload)
        else:
            self._line.publish((_channel(node_id),), payload)

    def listen(self, handler: Callable[[bytes], None], lost: Callable[[], None]) -> Callable[[], None]:
        """See Answers."""
        listener = handler, lost
        self._handlers.append(listener)
        if len(self._handlers) == 1:
            self._line.subscribe(_channel(self._node_id), self._receive)

        def unlisten() -> None:
            if listener in self._handlers:
                self._handlers.remove(listener)
                if not self._handlers:
                    self._line.unsubscribe(_channel(self._node_id))

        return unlisten

    def _receive(self, payload: bytes) -> None:
        for handler, _ in tuple(self._handlers):
            handler(payload)

    def _gap(self) -> None:
        for _, lost in tuple(self._handlers):
            lost()


def _channel(node_id: str) -> str:
    return f"answers:{node_id}"
