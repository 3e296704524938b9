"""The tasks that run beside a server: one that fails ends the process instead of leaving it half alive."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from parlour.platform import metrics
from parlour.platform.errors import Internal, Unavailable

logger = logging.getLogger(__name__)


class Supervisor:
    """Runs named coroutines until `stop()`; calls `on_failure` once when one of them ends by itself."""

    def __init__(self, on_failure: Callable[[], None]) -> None:
        self._on_failure = on_failure
        self._tasks: list[asyncio.Task[Any]] = []
        self._stopping = False
        self.failed = False

    def start(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Run `work` from now on."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if self._stopping or self.failed:
            return
        self.failed = True
        error = None if task.cancelled() else task.exception()
        logger.critical("a background task ended; stopping", exc_info=error, extra={"task": task.get_name()})
        self._on_failure()

    async def stop(self) -> None:
        """Cancel every task, the last started first, and wait until each has finished what it must."""
        self._stopping = True
        for task in reversed(self._tasks):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def keep_looking(look: Callable[[], Awaitable[None]], interval: float, *, away: str, failed: str) -> None:
    """Await `look()` every `interval` seconds until cancelled, whatever it raises; log `away` once while what it asks does not answer."""
    is_away = False
    while True:
        await asyncio.sleep(interval)
        try:
            await look()
        except (Unavailable, Internal):
            if not is_away:
                logger.warning(away)
            is_away = True
        except Exception:
            logger.exception(failed)
        else:
            is_away = False


async def watch_loop_lag(interval: float = 0.5) -> None:
    """Observe how much later than asked the loop comes back: the first sign of something that blocks it."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + interval
        await asyncio.sleep(interval)
        metrics.LOOP_LAG_SECONDS.observe(max(0.0, loop.time() - due))
