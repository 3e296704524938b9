"""A running server on uvicorn's protocols and a bare WebSocket client, both in the test's own loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvicorn
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from uvicorn.server import ServerState

from parlour.realtime import EngineServer, Server

DEADLINE = 5.0


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop that serves in production."""
    return {"uvloop": uvloop.new_event_loop}


class Peer(WSListener):
    """A WebSocket client that keeps what it receives."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[Any] = asyncio.Queue()
        self.closed = asyncio.Event()
        self.close_code: int | None = None
        self.transport: WSTransport

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        match frame.msg_type:
            case WSMsgType.TEXT:
                self.received.put_nowait(frame.get_payload_as_utf8_text())
            case WSMsgType.CLOSE:
                payload = frame.get_payload_as_bytes()
                self.close_code = int.from_bytes(payload[:2], "big") if payload else None
                transport.send(WSMsgType.CLOSE, payload[:2])
                transport.disconnect()
            case _:
                self.received.put_nowait(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.closed.set()

    def send(self, *messages: str | bytes) -> None:
        for message in messages:
            kind = WSMsgType.TEXT if isinstance(message, str) else WSMsgType.BINARY
            self.transport.send(kind, message.encode() if isinstance(message, str) else message)

    async def next(self) -> Any:
        async with asyncio.timeout(DEADLINE):
            return await self.received.get()

    async def take(self, count: int) -> list[Any]:
        return [await self.next() for _ in range(count)]

    async def emit(self, event: str, *args: Any, ack: int | None = None) -> None:
        self.send(f"42{'' if ack is None else ack}{json.dumps([event, *args])}")

    async def until_closed(self) -> int | None:
        async with asyncio.timeout(DEADLINE):
            await self.closed.wait()
        return self.close_code


class Site:
    """Serves a realtime server on a free port."""

    def __init__(self, server: Server | EngineServer) -> None:
        self.server = server
        self.engine = server if isinstance(server, EngineServer) else server.engine
        self.url = ""
        self.port = 0
        self.state: ServerState
        self._listening: asyncio.Server

    async def open(self) -> None:
        config = uvicorn.Config(self.engine.asgi, ws=self.engine.websocket_protocol(), lifespan="off", log_config=None)
        config.load()
        state = self.state = ServerState()
        http = self.engine.http_protocol()
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(
            lambda: http(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        self.port = self._listening.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{self.engine.path}"

    async def websocket(self, query: str = "EIO=4&transport=websocket") -> Peer:
        peer = Peer()
        await ws_connect(lambda: peer, f"{self.url.replace('http', 'ws')}?{query}", use_aiofastnet=False)
        return peer

    async def connect(self, namespace: str = "/", auth: Any = None) -> Peer:
        """A client that has joined a namespace and seen the answer."""
        peer = await self.websocket()
        await peer.next()
        prefix = "" if namespace == "/" else f"{namespace},"
        peer.send(f"40{prefix}{'' if auth is None else json.dumps(auth)}")
        assert (await peer.next()).startswith(f"40{prefix}")
        return peer

    async def close(self) -> None:
        self._listening.close()
        for connection in list(self.engine.connections.values()):
            connection.close()
        for websocket in self.engine.closings.clear():
            websocket.abort()
        self.engine.close()
        if isinstance(self.server, Server):
            await self.server.runner.close()


Serve = Callable[[Server | EngineServer], Awaitable[Site]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    sites: list[Site] = []

    async def start(server: Server | EngineServer) -> Site:
        site = Site(server)
        await site.open()
        sites.append(site)
        return site

    yield start
    for site in sites:
        await site.close()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Awaitable[None]]:
    """Waits for a condition that the loop brings about."""

    async def wait(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110 - any condition, which nothing announces
                await asyncio.sleep(0.002)

    return wait
