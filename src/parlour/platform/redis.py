"""Redis: one guarded pool of connections, and the failures that are clean."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from parlour.platform.bus import BusUnavailable
from parlour.platform.guard import Guard

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks that use Redis and wait for their ends.

    Again and again, since before Python 3.12 `asyncio.wait_for`, in which redis-py writes, can swallow a cancellation.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)


class RedisEngine:
    """The server that `redis://user:password@host:port/db` names, or `rediss://` over TLS.

    Failure: whatever the driver raises leaves as `BusUnavailable` (retry_after 1 s). A call that failed may have been done; nothing
    is repeated unless the caller says that it may be. Nothing waits for longer than `timeout` seconds, for each of its steps.
    Nothing in Redis has to outlive it: it may be emptied or restarted at any time, and everything in it is made anew from elsewhere.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "parlour:",
        name: str = "redis",
        timeout: float = 2.0,
        connections: int = 32,
        failures: int = 5,
    ) -> None:
        """Name the server; nothing is opened yet. Every key of `key` begins with `prefix`; after `failures` in a row it counts as away.

        `name` is what metrics call it.

        Raises:
            ImportError: redis-py is missing.
            ValueError: the URL is none of Redis.
        """
        try:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
            from redis.exceptions import RedisError
        except ImportError as error:
            raise ImportError("A bus on Redis needs redis-py: pip install 'redis[hiredis]'") from error
        self._prefix = prefix
        self._errors = (RedisError, OSError)
        self._guard = Guard(name, BusUnavailable, timeout=timeout, concurrent=connections, failures=failures)
        self._redis: Redis = Redis.from_url(
            url,
            protocol=2,
            max_connections=connections,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),  # the guard repeats what may be repeated
            driver_info=None,
        )

    def key(self, *parts: str) -> str:
        """Return the name of a key."""
        return self._prefix + ":".join(parts)

    async def call(self, work: Callable[["Redis"], Awaitable[T]], *, repeatable: bool = False) -> T:
        """Return what `work(client)` returns; where that may be `repeatable`, a failure is tried again a little later.

        Raises:
            BusUnavailable: it failed, took too long, or was refused because Redis is away.
        """

        async def translated() -> T:
            try:
                return await work(self._redis)
            except self._errors as error:
                raise BusUnavailable(retry_after=1) from error

        return await self._guard.call(translated, repeatable=repeatable)

    def script(self, source: str) -> Callable[..., Awaitable[Any]]:
        """Return `run(keys, arguments, repeatable=False)` of a Lua script, which Redis runs as one step.

        Raises:
            BusUnavailable: as `call`.
        """
        registered = self._redis.register_script(source)

        async def run(
            keys: Sequence[str], arguments: Sequence[str | bytes | float], *, repeatable: bool = False
        ) -> Any:
            return await self.call(lambda _: registered(keys=keys, args=arguments), repeatable=repeatable)

        return run

    async def check(self) -> None:
        """Ask the server for an answer.

        Raises:
            BusUnavailable: there is none.
        """
        await self.call(lambda redis: redis.ping())

    async def close(self) -> None:
        """Close every connection."""
        await self._redis.aclose()
