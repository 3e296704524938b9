"""What has to be made once before an engine is of use: while it cannot be, everything else goes on."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

from parlour.platform.errors import Unavailable

logger = logging.getLogger(__name__)

FIRST = 10.0
"""Seconds for which a process that starts waits for it."""

AGAIN = 1.0
"""Seconds between two attempts, and up to as much again by chance, so that processes spread."""

TELL_EVERY = 60.0
"""Seconds between two lines of the log for one reason."""


class Preparation:
    """Something that is made once, safe to be made again: tried when the process starts, and if need be for as long as it runs.

    `begin` it before anything is served, and have `run` go on beside the server. Only `Unavailable` is tried again.
    """

    def __init__(self, what: str, make: Callable[[], Awaitable[None]], error: type[Unavailable]) -> None:
        """Name what is made, as logs do; `error` is what `check` raises until it is."""
        self._what = what
        self._make = make
        self._error = error
        self._done = asyncio.Event()
        self._told = ("", 0.0)  # why it could not be made, and when that was logged

    async def begin(self) -> None:
        """Try to make it, for `FIRST` seconds at most."""
        try:
            async with asyncio.timeout(FIRST):
                await self._make()
        except (Unavailable, TimeoutError) as error:
            self._tell(error)
        else:
            self._done.set()

    async def run(self) -> NoReturn:
        """Make it, however often that has to be tried; then rest until cancelled."""
        while not self._done.is_set():
            await asyncio.sleep(AGAIN * random.uniform(1, 2))  # noqa: S311 - to spread
            try:
                await self._make()
            except Unavailable as error:
                self._tell(error)
                continue
            self._done.set()
            logger.info("made at last", extra={"what": self._what})
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody sets it")

    def _tell(self, error: Exception) -> None:
        """Log why, once a minute and where it is another reason: an engine may be there and refuse it for good."""
        reason, now = repr(error.__cause__ or error), time.monotonic()
        if reason != self._told[0] or now - self._told[1] >= TELL_EVERY:
            self._told = reason, now
            logger.warning("going on without, until it can be made", extra={"what": self._what, "error": reason})

    async def wait(self) -> None:
        """Return once it is made."""
        await self._done.wait()

    def check(self) -> None:
        """Pass once it is made.

        Raises:
            Unavailable: it is not yet, of the kind that was named.
        """
        if not self._done.is_set():
            raise self._error(retry_after=AGAIN)
