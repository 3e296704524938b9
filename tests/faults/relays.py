"""Ways without Toxiproxy, which Go builds: connections relayed by a thread, so that two can be parted, or what one hears be hurt."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable

from scripts.stack.engine import HOST

_PART = 65_536
"""Bytes that are relayed at a time; no more of a connection is held while its ends are parted."""
DELAY = 0.2
"""Seconds that each part takes to come back from far away."""
_RESET_AFTER = 0.3
"""Seconds that a connection lives while connections are reset."""
_CUT_AFTER = 4000
"""Bytes of an answer after which the connection is closed while answers are cut."""


class Relays:
    """A thread with a loop of its own, and every way by who comes and who is reached. Ways make no sense of what passes."""

    def __init__(self, stack: contextlib.ExitStack, free_port: Callable[[], int]) -> None:
        """Run it until the stack is closed."""
        self._free_port = free_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)
        self._thread.start()
        self._ways: dict[tuple[str, str], _Way] = {}
        stack.callback(self._close)

    def make(self, who: str, whom: str, port: int) -> int:
        """Make the way to a port, and return the port where it begins."""
        begin = self._free_port()
        way = self._ways[who, whom] = _Way(port)
        asyncio.run_coroutine_threadsafe(way.serve(begin), self._loop).result(30)
        return begin

    def part(self, who: str, whom: str) -> Callable[[], None]:
        """Have nothing arrive that one of the two sends to the other; return what lets it. As on a network, it arrives then."""
        met = self._ways[who, whom].met
        self._loop.call_soon_threadsafe(met.clear)
        return lambda: self._loop.call_soon_threadsafe(met.set) and None

    def hurt(self, whom: str, kind: str, by: Iterable[str]) -> Callable[[], None]:
        """Do one of the `KINDS` of Toxiproxy's ways to the ways of some to one; return what ends that."""
        ways = [self._ways[who, whom] for who in by]

        def tell(kind: str) -> None:
            for way in ways:
                self._loop.call_soon_threadsafe(way.hurt, kind)

        tell(kind)
        return lambda: tell("")

    def _close(self) -> None:
        async def end() -> None:
            here = asyncio.current_task()
            for task in (tasks := asyncio.all_tasks() - {here}):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()


class _Way:
    """The connections to one port; they rest while `met` is not set."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kind = ""
        self._connections: set[asyncio.StreamWriter] = set()
        self.met = asyncio.Event()
        self.met.set()

    async def serve(self, begin: int) -> None:
        await asyncio.start_server(self._relay, HOST, begin)

    def hurt(self, kind: str) -> None:
        """Hurt what passes from now on in a way, or in none; what has lost bytes in a black hole is of no use after it."""
        if kind == "cut off" or self._kind == "in a black hole":
            self._abort()
        if kind == "with connections reset":
            asyncio.get_running_loop().call_later(_RESET_AFTER, self._abort)
        self._kind = kind

    def _abort(self) -> None:
        for each in self._connections:
            each.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward: asyncio.StreamWriter | None = None
        self._connections.add(writer)
        try:
            await self.met.wait()
            if self._kind == "cut off":
                return
            if self._kind == "with connections reset":
                asyncio.get_running_loop().call_later(_RESET_AFTER, writer.transport.abort)
            back, onward = await asyncio.open_connection(HOST, self._port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(reader, onward))
                both.create_task(self._answer(back, writer))
        except* OSError:
            pass  # one end is gone; the other learns of it
        finally:
            self._connections.discard(writer)
            for each in (writer, onward):
                if each is not None:
                    each.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(_PART):
            await self.met.wait()
            writer.write(part)
            await writer.drain()
        await self.met.wait()
        writer.write_eof()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As `_pass_on`, hurt as it is just now."""
        cut = 0
        while part := await reader.read(_PART):
            await self.met.wait()
            match self._kind:
                case "in a black hole":
                    continue
                case "far away":
                    await asyncio.sleep(DELAY)
                case "with answers cut":
                    part = part[: _CUT_AFTER - cut]
                    cut += len(part)
            writer.write(part)
            await writer.drain()
            if cut == _CUT_AFTER:
                raise ConnectionResetError
        await self.met.wait()
        writer.write_eof()
