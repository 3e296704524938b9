"""The two connections of a `RedisLine`: how each is opened, served, watched, and opened again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from redis.asyncio import Connection

logger = logging.getLogger(__name__)

Handler = Callable[[bytes], None]

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes of a message; a larger one is dropped wherever it comes from."""

CALM: Final = 1.0
"""Seconds between two gaps that are told, two notices of loss, and two lines in the log."""

_BATCH_BYTES: Final = 1024 * 1024
_BATCH_COMMANDS: Final = 1_000
_CHANNELS_A_COMMAND: Final = 1_000
_MESSAGES_A_TURN: Final = 64
_PING_EVERY: Final = 5.0
_ASK_EVERY: Final = 0.2
"""The same on the connection that reads, so that a server that hangs is noticed soon."""
_QUIET: Final = 0.6
"""Seconds without a byte on it, although it was asked, after which what it may have to tell counts as unheard."""
_SILENCE: Final = 15.0
"""Seconds without a byte, although pings were sent, after which a connection counts as lost."""
_FIRST_DELAY: Final = 0.05
_LONGEST_DELAY: Final = 2.0
_LASTING: Final = 5.0
"""Seconds that a connection has to last for the next attempt to come at once."""

_Entry = tuple[tuple[str | bytes, ...], int, "asyncio.Future[int] | None"]


class Publisher:
    """The connection that writes: everything of a turn in one write, the next write when it is answered."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        max_queue: int,
        drop: Callable[[str, int], None],
        notify_loss: Callable[[], None],
    ) -> None:
        self.tried = asyncio.Event()
        self._connect = connect
        self._max_queue = max_queue
        self._drop = drop
        self._notify_loss = notify_loss
        self._queue: deque[_Entry] = deque()
        self._bytes = 0
        self._flying: list[_Entry] = []
        self._filled = asyncio.Event()
        self._away = False
        self._lost = False
        self._notified_at = -math.inf

    def publish(self, channels: list[bytes], message: bytes) -> None:
        """Queue a message to channels, or drop it."""
        if len(message) > MAX_MESSAGE or not self._has_place(len(message) * len(channels)):
            self._refuse()
            return
        for channel in channels:
            self._put(("PUBLISH", channel, message), len(message), None)

    def execute(self, command: tuple[str | bytes, ...]) -> None:
        """Queue a command, or drop it."""
        size = sum(map(len, command))
        if not self._has_place(size):
            self._refuse()
            return
        self._put(command, size, None)

    async def ask(self, *command: str | bytes) -> int:
        """Queue a command and return the number that it is answered with; 0 where it was dropped or is answered otherwise."""
        size = sum(map(len, command))
        if not self._has_place(size):
            return 0
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._put(command, size, answered)
        return await answered

    def _has_place(self, size: int) -> bool:
        return not self._away and self._bytes + size <= self._max_queue

    def _refuse(self) -> None:
        self._lost = True
        self._drop("away" if self._away else "overflow", 1)

    def _put(self, command: tuple[str | bytes, ...], size: int, answered: asyncio.Future[int] | None) -> None:
        self._queue.append((command, size, answered))
        self._bytes += size
        self._filled.set()

    async def run(self) -> None:
        """Connect, write, and connect again, until cancelled."""
        try:
            await _keep_connected(self._connect, self._serve, self._went_away)
        finally:
            self._away = True
            self._discard()

    def _went_away(self) -> None:
        self._away = True
        self.tried.set()
        self._discard()

    def _discard(self) -> None:
        entries = list(self._queue)
        self._queue.clear()
        self._bytes = 0
        self._forget(entries)

    def _forget(self, entries: list[_Entry]) -> None:
        if entries:
            self._lost = True
            self._drop("away", len(entries))
        for _, _, answered in entries:
            if answered is not None and not answered.done():
                answered.set_result(0)

    async def _serve(self, connection: Connection) -> None:
        self._away = False
        self.tried.set()
        try:
            await self._write(connection)
        finally:  # whether Redis took it is not known
            flying, self._flying = self._flying, []
            self._forget(flying)

    async def _write(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if self._lost and loop.time() - self._notified_at >= CALM:
                self._lost = False
                self._notified_at = loop.time()
                self._notify_loss()
            if not self._queue:
                self._filled.clear()
                try:
                    async with asyncio.timeout(CALM if self._lost else _PING_EVERY):
                        await self._filled.wait()
                except TimeoutError:
                    if self._lost:
                        continue
                    self._put(("PING",), 4, None)
            self._flying = self._batch()
            await connection.send_packed_command(connection.pack_commands([entry[0] for entry in self._flying]))
            for _, _, answered in self._flying:
                answer = await self._answer(connection)
                if answered is not None and not answered.done():
                    answered.set_result(answer)
            self._flying = []

    def _batch(self) -> list[_Entry]:
        batch: list[_Entry] = []
        size = 0
        while self._queue and len(batch) < _BATCH_COMMANDS and size < _BATCH_BYTES:
            entry = self._queue.popleft()
            size += entry[1]
            batch.append(entry)
        self._bytes -= size
        return batch

    async def _answer(self, connection: Connection) -> int:
        from redis.exceptions import ResponseError

        try:
            answer = await connection.read_response()
        except ResponseError:
            self._lost = True
            self._drop("refused", 1)
            return 0
        return answer if isinstance(answer, int) else 0


class Subscriber:
    """The connection that reads: subscriptions in batches, messages as they come."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        receive: Callable[[Handler, bytes], None],
        restored: Callable[[], None],
    ) -> None:
        self.tried = asyncio.Event()
        self._connect = connect
        self._receive = receive
        self._restored = restored
        self._handlers: dict[bytes, Handler] = {}
        self._changed: dict[bytes, None] = {}
        self._asked: set[bytes] = set()
        self._asked_for = 0  # changes asked for on this connection, each of which is confirmed, in order
        self._confirmed = 0
        self._wake = asyncio.Event()
        self._settling: list[asyncio.Future[bool]] = []
        self._awaiting: deque[tuple[int, asyncio.Future[bool]]] = deque()
        self._away = True
        self._missed = False
        self._heard_at = 0.0

    @property
    def away(self) -> bool:
        """Whether Redis cannot be heard, as far as is known: there is no connection, or it has been quiet for `_QUIET` seconds."""
        return self._away or asyncio.get_running_loop().time() - self._heard_at > _QUIET

    def want(self, channel: bytes, handler: Handler) -> None:
        """Subscribe soon."""
        self._handlers[channel] = handler
        self._changed[channel] = None
        self._wake.set()

    def unwant(self, channel: bytes) -> None:
        """Unsubscribe soon, and hand over nothing more."""
        self._handlers.pop(channel, None)
        self._changed[channel] = None
        self._wake.set()

    async def settled(self) -> bool:
        """See RedisLine.settled."""
        if self._away:
            return False
        if not self._changed and self._confirmed == self._asked_for:
            return True
        return await self._settle()

    def _settle(self) -> asyncio.Future[bool]:
        settled: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._settling.append(settled)
        self._wake.set()
        return settled

    async def run(self) -> None:
        """Connect, subscribe, read, and connect again, until cancelled."""
        try:
            await _keep_connected(self._connect, self._serve, self._went_away)
        finally:
            self._went_away()

    def _went_away(self) -> None:
        self._away = True
        self._missed = True
        self.tried.set()
        self._unsettle()

    def _unsettle(self) -> None:
        waiting = [*self._settling, *(settled for _, settled in self._awaiting)]
        self._settling = []
        self._awaiting.clear()
        for settled in waiting:
            if not settled.done():
                settled.set_result(False)

    async def _serve(self, connection: Connection) -> None:
        self._asked.clear()
        self._asked_for = self._confirmed = 0
        self._changed = dict.fromkeys(self._handlers)
        self._heard_at = asyncio.get_running_loop().time()
        self._away = False
        if self._missed:
            self._settle().add_done_callback(lambda settled: self._restored() if settled.result() else None)
        self._missed = True  # from now on whatever ends this connection
        self.tried.set()
        tasks = [asyncio.create_task(self._read(connection)), asyncio.create_task(self._write(connection))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(tasks)
            self._unsettle()
            self._away = True
        raise next(failure for task in tasks if not task.cancelled() and (failure := task.exception()))

    async def _write(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._changed and not self._settling:
                self._wake.clear()
                try:
                    async with asyncio.timeout(_ASK_EVERY):
                        await self._wake.wait()
                except TimeoutError:
                    await connection.send_command("PING")
            if loop.time() - self._heard_at > _SILENCE:
                raise ConnectionError("Redis does not answer on the connection that reads")
            changed, self._changed = self._changed, {}
            wanted = [each for each in changed if each in self._handlers and each not in self._asked]
            unwanted = [each for each in changed if each not in self._handlers and each in self._asked]
            commands = [*_in_parts("UNSUBSCRIBE", unwanted), *_in_parts("SUBSCRIBE", wanted)]
            self._asked.difference_update(unwanted)
            self._asked.update(wanted)
            self._asked_for += len(wanted) + len(unwanted)
            self._awaiting.extend((self._asked_for, settled) for settled in self._settling)
            self._settling = []
            if commands:
                await connection.send_packed_command(connection.pack_commands(commands))
            self._confirm(0)

    def _confirm(self, count: int) -> None:
        self._confirmed += count
        while self._awaiting and self._awaiting[0][0] <= self._confirmed:
            settled = self._awaiting.popleft()[1]
            if not settled.done():
                settled.set_result(True)

    async def _read(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for _ in range(_MESSAGES_A_TURN):
                reply: Any = await connection.read_response(timeout=math.inf)
                self._heard_at = loop.time()
                if reply[0] == b"message":
                    handler = self._handlers.get(reply[1])
                    if handler is not None:
                        self._receive(handler, reply[2])
                elif reply[0] in (b"subscribe", b"unsubscribe"):
                    self._confirm(1)
            await asyncio.sleep(0)  # what was read together is read without a pause; others have their turn


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their ends.

    Again and again, since before Python 3.12 `asyncio.wait_for`, in which redis-py writes, can swallow a cancellation.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)


def connector(url: str, timeout: float) -> Callable[[], Awaitable[Connection]]:
    """Return what opens a connection to the server that `url` names, within `timeout` seconds.

    Raises:
        ImportError: redis-py is missing.
        ValueError: the URL is none of Redis.
    """
    try:
        from redis.asyncio import Connection
        from redis.asyncio.connection import parse_url
    except ImportError as error:
        raise ImportError("Nodes that share Redis need redis-py: pip install 'redis[hiredis]'") from error

    settings: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "protocol": 2,
        "driver_info": None,
        **parse_url(url),
    }
    kind: Callable[..., Connection] = settings.pop("connection_class", Connection)

    async def connect() -> Connection:
        connection = kind(**settings)
        await connection.connect()  # type: ignore[no-untyped-call]  # redis-py does not say that it returns nothing
        await connection.send_command("PING")  # a proxy may accept for a server that is away
        await connection.read_response()
        return connection

    return connect


async def _keep_connected(
    connect: Callable[[], Awaitable[Connection]],
    serve: Callable[[Connection], Awaitable[None]],
    went_away: Callable[[], None],
) -> None:
    """Serve one connection after the other, until cancelled; between two of them a random while that doubles."""
    from redis.exceptions import RedisError

    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        began = loop.time()
        connection: Connection | None = None
        try:
            connection = await connect()
            await serve(connection)
        except (RedisError, OSError) as error:
            if connection is None or loop.time() - began < _LASTING:
                failures += 1
            else:
                failures = 0
            if connection is None:
                went_away()
            if failures <= 1:
                logger.warning("the connection to Redis is lost", extra={"error": str(error)})
        except Exception:  # a driver that breaks its promises must not end the line for good
            failures += 1
            logger.exception("the connection to Redis failed")
        finally:
            if connection is not None:
                with contextlib.suppress(RedisError, OSError):
                    await connection.disconnect(nowait=True)
        longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2**failures)
        await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - spreads nodes, keeps no secret


def _in_parts(command: str, channels: list[bytes]) -> list[tuple[str | bytes, ...]]:
    size = _CHANNELS_A_COMMAND
    return [(command, *channels[start : start + size]) for start in range(0, len(channels), size)]
