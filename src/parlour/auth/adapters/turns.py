"""Whose password is hashed next: those whom we know first, and of strangers only a few of each address."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from parlour.auth.errors import PasswordsBusy
from parlour.platform.errors import RateLimited
from parlour.platform.rates import is_loopback

MAX_OF_ADDRESS = 4
"""Passwords of one address of strangers that are hashed or wait at a time: one address cannot fill the queue."""

_KEPT = 4
"""One part in so many of the queue is kept for those whom we know."""


class Turns:
    """A number of places, and the bounded queue of who waits for one.

    A stranger is named by an address, someone whom we know (logged in, or on a known device) by None.
    """

    def __init__(self, places: int, queue: int) -> None:
        self._free = places
        self._bounds = {True: queue, False: queue - queue // _KEPT}
        self._known: deque[asyncio.Future[None]] = deque()
        self._strangers: deque[asyncio.Future[None]] = deque()
        self._of_address: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._known) + len(self._strangers)

    @asynccontextmanager
    async def counted(self, stranger: str | None, retry_after: float) -> AsyncIterator[None]:
        """Count a stranger as one of their address; the machine itself is exempt, as it is for sockets.

        Raises:
            RateLimited: enough of that address are counted.
        """
        if stranger is None or is_loopback(stranger):
            yield
            return
        if self._of_address[stranger] >= MAX_OF_ADDRESS:
            raise RateLimited(retry_after=retry_after)
        self._of_address[stranger] += 1
        try:
            yield
        finally:
            self._of_address[stranger] -= 1
            if not self._of_address[stranger]:
                del self._of_address[stranger]

    async def take(self, *, known: bool, retry_after: float) -> None:
        """Return when a place is the caller's, until `free`; at once where one is free.

        Raises:
            PasswordsBusy: too many wait.
        """
        if self._free:
            self._free -= 1
            return
        if self.waiting >= self._bounds[known]:
            raise PasswordsBusy(retry_after=retry_after)
        queue = self._known if known else self._strangers
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):
                    queue.remove(turn)
            else:  # it came in the moment in which the caller was cancelled
                self.free()
            raise

    def free(self) -> None:
        """Give a place back, to the one who waits for it."""
        for queue in (self._known, self._strangers):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
