"""The brokers under contract, the way back to their senders, and a worker that can be held up."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from parlour.chat.model import Appended, NewEvent, RoomEvent
from parlour.chat.ports import Broker, Pending
from parlour.platform.errors import InvalidRequest, ParlourError, Unavailable
from parlour.platform.ids import EventId, uuid7

Make = Callable[..., Awaitable[Broker]]


class MemoryAnswers:
    """The `Answers` of one process, which is the only node."""

    def __init__(self) -> None:
        self._handlers: list[Callable[[bytes], None]] = []
        self.told_of_loss: list[Callable[[], None]] = []

    def send(self, node_id: str, payload: bytes) -> None:
        """Hand an answer to whoever listens, whatever node is named."""
        for handler in tuple(self._handlers):
            handler(payload)

    def listen(self, handler: Callable[[bytes], None], lost: Callable[[], None]) -> Callable[[], None]:
        """Call `handler` for every answer until the returned function is called."""
        self._handlers.append(handler)
        self.told_of_loss.append(lost)
        return lambda: self._handlers.remove(handler)


class Log:
    """A worker that can be held up, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[NewEvent]] = []
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.bad: set[str] = set()
        self.away: set[str] = set()
        self.at_once = 0
        self.most_at_once = 0

    async def __call__(self, batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        self.batches.append(list(batch))
        self.begun.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.open.wait()
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.failure is not None:
            raise self.failure
        errors: dict[str, ParlourError] = {each: InvalidRequest() for each in self.bad}
        errors.update({each: Unavailable() for each in self.away})
        return [errors.get(each.client_id) or answer(each) for each in batch]


def answer(new: NewEvent) -> Appended:
    return Appended(RoomEvent(new.room_id, 1, EventId(uuid7()), new.type, new.sender_id, new.client_id, 0, new.data))


def start(broker: Broker, commands: Sequence[NewEvent]) -> list[Pending]:
    return [broker.submit(command) for command in commands]


async def stop(running: asyncio.Task[None]) -> None:
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
