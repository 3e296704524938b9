"""HTTP servers of tests: an application under uvicorn on a port that it keeps, and one that says whatever a test wants."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec
import uvicorn
from hypothesis import strategies as st

from parlour.platform.ids import uuid4, uuid7

from .ports import free_port, own

PORTS = own(range(31_000, 31_100))

SECRET = "a secret of services, for tests"


class ServedApplication:
    """An ASGI application on a loopback port; `stop` cuts its connections, `start` serves on the same port again."""

    def __init__(self, application: object) -> None:
        self._application = application
        self.port = free_port(PORTS)
        self.url = f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> "ServedApplication":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        config = uvicorn.Config(
            self._application,
            host="127.0.0.1",
            port=self.port,
            loop="none",
            lifespan="off",
            access_log=False,
            log_level="critical",
            timeout_graceful_shutdown=0,
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server._serve())
        async with asyncio.timeout(30):
            while not self._server.started:  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        await self._serving


Say = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class SayingServer:
    """Answers every connection by `say(reader, writer)`, after the head of its first request has come; `asked` counts them."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.asked = 0
        self.heads: list[bytes] = []
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "SayingServer":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            self.asked += 1
            await self.say(reader, writer)
        self._writers.discard(writer)
        writer.close()


def saying(status: str, body: bytes, *headers: str) -> Say:
    """Answer so and close."""

    async def say(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return say


def any_body(*fields: str) -> st.SearchStrategy[bytes]:
    """What may come instead of a question with these fields: bytes, any JSON, and objects that nearly fit."""
    texts = st.sampled_from(["", " ", "\0", "ann", "x" * 300, uuid4(), uuid7()]) | st.text(
        st.characters(codec="utf-8"), max_size=20
    )
    plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
    anything = st.recursive(
        plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8
    )
    fitting = st.lists(texts, max_size=6) | st.integers(-2, 10_000) | texts
    objects = st.fixed_dictionaries({}, optional=dict.fromkeys(fields, fitting | anything))
    return st.binary(max_size=40) | (objects | anything).map(msgspec.json.encode) | st.just(b"[" * 50_000)
