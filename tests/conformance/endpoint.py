"""A server under test as its clients see it: one address, Engine.IO sessions over both transports."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from .websocket import DEADLINE, WebSocket

SEPARATOR = "\x1e"


@dataclass(slots=True)
class Endpoint:
    """Where a server answers. `path` is `/engine.io/` or `/socket.io/`."""

    port: int
    path: str
    http: httpx.AsyncClient = field(repr=False)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, **query: str) -> str:
        return f"{self.origin}{self.path}?{httpx.QueryParams(query)}"

    async def request(self, method: str = "GET", *, content: bytes | str | None = None, **query: str) -> httpx.Response:
        return await self.http.request(method, self.url(**query), content=content)

    async def poll_session(self) -> "Polling":
        """Open a session by HTTP long-polling."""
        response = await self.request(EIO="4", transport="polling")
        assert response.status_code == 200
        return Polling(self, json.loads(response.text[1:]))

    async def websocket(
        self, *, heartbeat: bool = True, headers: Mapping[str, str] | None = None, **query: str
    ) -> WebSocket:
        """A WebSocket before its Engine.IO handshake was read; the query defaults to EIO=4&transport=websocket."""
        url = self.url(**(query or {"EIO": "4", "transport": "websocket"})).replace("http:", "ws:")
        return await WebSocket.connect(url, headers=headers, heartbeat=heartbeat)

    async def open_websocket(self, *, heartbeat: bool = True) -> WebSocket:
        """A WebSocket-only session, its open packet already read."""
        socket = await self.websocket(heartbeat=heartbeat)
        assert (await socket.text()).startswith("0")
        return socket

    async def probe(self, sid: str, *, heartbeat: bool = True) -> WebSocket:
        """Open a WebSocket on a polling session and go through `2probe` and `3probe`."""
        socket = await self.websocket(heartbeat=heartbeat, EIO="4", transport="websocket", sid=sid)
        socket.send("2probe")
        assert await socket.text() == "3probe"
        return socket

    async def connect(self, namespace: str = "/", auth: str = "") -> WebSocket:
        """A Socket.IO connection to one namespace by WebSocket, with the `auth` event of the server already read."""
        socket = await self.open_websocket()
        prefix = "" if namespace == "/" else f"{namespace},"
        socket.send(f"40{prefix}{auth}")
        assert (await socket.text()).startswith(f"40{prefix}{{")
        assert (await socket.text()).startswith(f"42{prefix}[")
        return socket


@dataclass(slots=True)
class Polling:
    """A session over HTTP long-polling."""

    endpoint: Endpoint
    handshake: dict[str, Any]

    @property
    def sid(self) -> str:
        return self.handshake["sid"]

    def query(self) -> dict[str, str]:
        return {"EIO": "4", "transport": "polling", "sid": self.sid}

    async def poll(self) -> httpx.Response:
        """One GET, exactly as it is answered."""
        return await self.endpoint.request(**self.query())

    async def post(self, body: str | bytes) -> httpx.Response:
        """One POST, exactly as it is answered."""
        return await self.endpoint.request("POST", content=body, **self.query())

    async def send(self, *packets: str) -> None:
        """Post packets in one payload and expect the `ok`."""
        response = await self.post(SEPARATOR.join(packets))
        assert (response.status_code, response.text) == (200, "ok")

    async def receive(self, count: int = 1) -> list[str]:
        """Poll until `count` packets came, answering pings on the way."""
        packets: list[str] = []
        async with asyncio.timeout(DEADLINE):
            while len(packets) < count:
                response = await self.poll()
                assert response.status_code == 200, response.text
                got = response.text.split(SEPARATOR)
                if "2" in got:
                    await self.send("3")
                packets += [packet for packet in got if packet != "2"]
        return packets

    async def is_open(self) -> bool:
        """Whether the server still knows the session: a POST of a noop to an unknown one is answered 400."""
        return (await self.post("6")).status_code == 200

    async def wait_gone(self) -> None:
        """Wait until the server has forgotten the session."""
        async with asyncio.timeout(DEADLINE):
            while await self.is_open():  # noqa: ASYNC110 - the far side has no event to wait for
                await asyncio.sleep(0.01)
