"""Broker and presence of one process."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

from parlour.chat.errors import Busy
from parlour.chat.model import Appended, NewEvent
from parlour.chat.ports import Pending
from parlour.platform.errors import ParlourError, Unavailable
from parlour.platform.ids import RoomId, UserId

_Waiting = tuple[NewEvent, Pending]


class MemoryBroker:
    """A `Broker` whose worker runs on the same loop; what was accepted is lost with the process, and unacknowledged."""

    def __init__(self, *, bound: int = 10_000, largest: int = 256) -> None:
        """Let at most `bound` commands wait, and hand at most `largest` to the worker at once."""
        self._bound = bound
        self._largest = largest
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._stopping = False

    def submit(self, command: NewEvent) -> Pending:
        """Have a command done; who stops waiting does not undo it.

        Raises:
            Busy: too many wait already.
            Unavailable: the process is about to end, or the log is away.
        """
        if self._stopping:
            raise Unavailable(retry_after=1)
        if len(self._waiting) >= self._bound:
            raise Busy(retry_after=1)
        future: Pending = asyncio.get_running_loop().create_future()
        self._waiting.append((command, future))
        self._wake.set()
        return future

    async def run(self, work: Callable[[Sequence[NewEvent]], Awaitable[Sequence[Appended | ParlourError]]]) -> None:
        """Feed batches to `work` until cancelled; then what was accepted is finished first."""
        feeding = asyncio.create_task(self._feed(work))
        try:
            await asyncio.shield(feeding)
        except asyncio.CancelledError:
            self._stopping = True
            self._wake.set()
            await feeding
            raise

    async def _feed(self, work: Callable[[Sequence[NewEvent]], Awaitable[Sequence[Appended | ParlourError]]]) -> None:
        while self._waiting or not self._stopping:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            try:
                answers: Sequence[Appended | Exception] = await work([command for command, _ in batch])
            except Exception as error:
                answers = [error] * len(batch)
            self._settle(batch, answers)

    def _settle(self, batch: Sequence[_Waiting], answers: Sequence[Appended | Exception]) -> None:
        """Answer a batch, and fail what waits of rooms that found the log away: worked now, it would overtake the resent."""
        away: dict[RoomId, Exception] = {}
        for (command, future), answer in zip(batch, answers, strict=True):
            _settle(future, answer)
            if isinstance(answer, Unavailable) or not isinstance(answer, Appended | ParlourError):
                away[command.room_id] = answer
        if away:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                error = away.get(each[0].room_id)
                if error is None:
                    self._waiting.append(each)
                else:
                    _settle(each[1], error)


def _settle(future: Pending, answer: Appended | Exception) -> None:
    if future.done():  # the sender has gone
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


class MemoryPresence:
    """A `PresenceStore` of one process: a user is as present as the most present of their devices."""

    def __init__(self) -> None:
        self._devices: dict[UserId, dict[str, str]] = {}

    def set(self, user_id: UserId, device: str, state: str | None) -> str:
        """See PresenceStore."""
        devices = self._devices.setdefault(user_id, {})
        if state is None:
            devices.pop(device, None)
        else:
            devices[device] = state
        if not devices:
            del self._devices[user_id]
        return self.state(user_id)

    def get(self, user_ids: Iterable[UserId]) -> dict[UserId, str]:
        """See PresenceStore."""
        return {user_id: self.state(user_id) for user_id in user_ids}

    async def follow(self, user_ids: Collection[UserId]) -> None:
        """See PresenceStore; all there is is known."""

    def unfollow(self, user_ids: Iterable[UserId]) -> None:
        """See PresenceStore."""

    def on_change(self, listener: Callable[[UserId, str], None]) -> None:
        """See PresenceStore; there is no elsewhere."""

    def state(self, user_id: UserId) -> str:
        """Return a user's state."""
        devices = self._devices.get(user_id)
        if not devices:
            return "offline"
        return "online" if "active" in devices.values() else "idle"

    def users(self) -> Iterable[UserId]:
        """Return the users who have devices."""
        return self._devices.keys()
