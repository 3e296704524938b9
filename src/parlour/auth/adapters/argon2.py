"""Argon2id (RFC 9106) in threads of low priority."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from parlour.auth.adapters.turns import Turns
from parlour.platform.metrics import PASSWORD_SECONDS

T = TypeVar("T")

_NICENESS = 19
"""On one core that the event loop uses to 70 %, the loop's timers fire 4.8 ms late (p95) beside a hashing thread of usual priority, and
0.23 ms late beside one of this, which is what they do without any hashing."""


class Argon2Hasher:
    """`ports.PasswordHasher` by argon2-cffi, which lets go of the GIL while it hashes.

    The defaults are OWASP's first choice for Argon2id, 19 MiB and 2 passes in 1 lane: about 20 ms a hash, 50 hashes/s a thread.
    """

    def __init__(
        self, *, threads: int | None = None, queue: int = 100, memory_kib: int = 19_456, passes: int = 2
    ) -> None:
        """Hash in `threads` (half the cores) and let at most `queue` callers wait, three quarters of them strangers."""
        self._threads = threads or max(1, (os.cpu_count() or 1) // 2)
        self._turns = Turns(self._threads, queue)
        self._seconds = 0.02  # moving average of one hash, for retry_after
        self._pool = ThreadPoolExecutor(self._threads, "argon2", initializer=_lower_priority)
        self._argon2 = argon2.PasswordHasher(passes, memory_kib, parallelism=1)
        self._nobodys = self._pool.submit(self._argon2.hash, os.urandom(16).hex())  # beside the rest of a start

    async def hash(self, password: str, *, stranger: str | None = None) -> str:
        """Return the encoded hash of a password."""
        return await self._run(lambda: self._argon2.hash(password), stranger)

    async def verify(self, encoded: str | None, password: str, *, stranger: str | None = None) -> bool:
        """Tell whether it is the password of `encoded`; without an account the same work is done on nobody's hash."""
        matches = await self._run(lambda: self._matches(encoded or self._nobodys.result(), password), stranger)
        return matches and encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Tell whether `encoded` was made with other parameters."""
        return self._argon2.check_needs_rehash(encoded)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, encoded: str, password: str) -> bool:
        try:
            return self._argon2.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T], stranger: str | None = None) -> T:
        retry_after = round(max(1.0, (self._turns.waiting + self._threads) * self._seconds / self._threads), 1)
        begun = time.perf_counter()
        async with self._turns.counted(stranger, retry_after):
            await self._turns.take(known=stranger is None, retry_after=retry_after)
            try:
                return await self._in_thread(work)
            finally:
                PASSWORD_SECONDS.observe(time.perf_counter() - begun)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            future = self._pool.submit(self._timed, work)
        except RuntimeError:  # it is closed
            self._turns.free()
            raise
        # Not when the caller stops waiting but when the thread is free: a hash that has begun goes on after its caller was cancelled.
        future.add_done_callback(lambda _: None if loop.is_closed() else loop.call_soon_threadsafe(self._turns.free))
        return await asyncio.wrap_future(future)

    def _timed(self, work: Callable[[], T]) -> T:
        begun = time.perf_counter()
        try:
            return work()
        finally:
            self._seconds += (time.perf_counter() - begun - self._seconds) / 8


def _lower_priority() -> None:
    if sys.platform == "linux":  # where a priority belongs to a thread; elsewhere this would slow the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
