"""A Redis server of a test run's own, and a proxy before it that counts and cuts."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from scripts.stack.engine import HOST, Engine
from scripts.stack.redis import redis

from .ports import ENGINES, free_port

DATABASES = 1_000


class RedisServer:
    """Started when it is made; nothing of it outlives it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port(ENGINES)
        self._engine: Engine = redis(port=self.port, root=folder, databases=DATABASES)
        self._numbers = count()
        self._databases = iter(range(1, DATABASES))
        self._engine.start()

    @property
    def url(self) -> str:
        """Its address, database 0."""
        return self._engine.url

    def start(self) -> None:
        """Start it again where it does not run, with nothing in it."""
        self._engine.start()

    def stop(self) -> None:
        """End it."""
        self._engine.stop()

    def kill(self) -> None:
        """End it as a crash does."""
        pid = self._engine.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self._engine.stop()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it do nothing, with every connection open, until the block ends."""
        pid = self._engine.pid()
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def create(self) -> str:
        """The URL of a database that nobody has used."""
        return f"{self.url.rpartition('/')[0]}/{next(self._databases)}"

    def prefix(self) -> str:
        """A prefix that no other test has."""
        return f"test{next(self._numbers)}:"

    def command(self, *words: str) -> str:
        """What it answers to a command, as it stands on the wire."""
        with socket.create_connection((HOST, self.port), timeout=20) as connection:
            encoded = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
            connection.sendall(b"*%d\r\n%s" % (len(words), encoded) + b"*1\r\n$4\r\nQUIT\r\n")
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return answer.removesuffix(b"+OK\r\n").decode()


class RedisProxy:
    """Between a node and Redis: counts what Redis sends, cuts connections, and refuses new ones while it is `cut`."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._writers: set[asyncio.StreamWriter] = set()
        self.received = 0
        self.cut = False

    async def __aenter__(self) -> "RedisProxy":
        self._listening = await asyncio.start_server(self._accept, HOST, 0)
        self.url = f"redis://{HOST}:{self._listening.sockets[0].getsockname()[1]}/0"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        self.disconnect()

    def disconnect(self) -> None:
        """Cut every connection that there is."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut:
            writer.transport.abort()
            return
        with contextlib.suppress(OSError):
            from_server, to_server = await asyncio.open_connection(HOST, self._server.port)
            self._writers |= {writer, to_server}
            pumps = [
                asyncio.create_task(self._pump(reader, to_server, 0)),
                asyncio.create_task(self._pump(from_server, writer, 1)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to_server.close()
            self._writers -= {writer, to_server}
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: int) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.received += counts * len(data)
                writer.write(data)
                await writer.drain()
