"""A small Socket.IO v5 client over one WebSocket, for tests that look at what arrives, in order, and when."""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

DEADLINE = 20.0
"""Seconds after which whatever is waited for counts as missing: a busy machine takes its time."""


class ConnectError(Exception):
    """The server refused the namespace; `data` is what it said."""

    def __init__(self, message: str, data: Any) -> None:
        super().__init__(message)
        self.data = data


class Received:
    """An event as it arrived: name, arguments and monotonic time."""

    def __init__(self, name: str, args: list[Any], at: float) -> None:
        self.name = name
        self.args = args
        self.at = at

    @property
    def data(self) -> Any:
        return self.args[0] if self.args else None

    def __repr__(self) -> str:
        return f"{self.name}{tuple(self.args)!r}"


class Client(WSListener):
    """One connection. `received` keeps every event in the order of arrival."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.sid = ""
        self.closed_at = 0.0
        self._transport: WSTransport | None = None
        self._acks: dict[int, asyncio.Future[list[Any]]] = {}
        self._next_ack = 0
        self._changed = asyncio.Event()
        self._joined: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._auth: Any = None
        self._fragments = b""

    @classmethod
    async def connect(cls, url: str, auth: Any = None, tls: ssl.SSLContext | None = None) -> "Client":
        """Connect to the namespace `/` of `url` (`http://host:port`, or https and whom `tls` believes).

        Raises:
            ConnectError: the server refused.
        """
        address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        client = cls()
        client._auth = auth
        await ws_connect(lambda: client, address, ssl_context=tls)
        async with asyncio.timeout(DEADLINE):
            client.sid = await client._joined
        return client

    # What picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()
        elif frame.msg_type in {WSMsgType.TEXT, WSMsgType.CONTINUATION}:
            self._fragments += frame.get_payload_as_bytes()
            if frame.fin:
                text, self._fragments = self._fragments.decode(), b""
                self._packet(text)

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        self.closed_at = time.monotonic()
        if not self._joined.done():
            self._joined.set_exception(ConnectionError("closed before the namespace was joined"))
        for future in self._acks.values():
            if not future.done():
                future.set_exception(ConnectionError("closed before the acknowledgement"))
        self._changed.set()

    # The protocol

    def _packet(self, text: str) -> None:
        if text.startswith("0"):
            self._send("40" + ("" if self._auth is None else json.dumps(self._auth)))
        elif text == "2":
            self._send("3")
        elif text.startswith("40"):
            self._joined.set_result(json.loads(text[2:])["sid"])
        elif text.startswith("44"):
            error = json.loads(text[2:])
            self._joined.set_exception(ConnectError(error["message"], error.get("data")))
        elif text.startswith("42"):
            name, *args = json.loads(text[2:])
            self.received.append(Received(name, args, time.monotonic()))
            self._changed.set()
        elif text.startswith("43"):
            start = text.index("[")
            future = self._acks.pop(int(text[2:start]))
            if not future.done():
                future.set_result(json.loads(text[start:]))
        elif text == "41":
            assert self._transport is not None
            self._transport.disconnect()

    def _send(self, text: str) -> None:
        assert self._transport is not None
        self._transport.send(WSMsgType.TEXT, text.encode())

    # What tests call

    @property
    def closed(self) -> bool:
        return self.closed_at > 0

    def emit(self, event: str, *args: Any) -> None:
        """Send an event that wants no acknowledgement."""
        self._send("42" + json.dumps([event, *args]))

    def start(self, event: str, *args: Any) -> "asyncio.Future[list[Any]]":
        """Send an event and return the future of its acknowledgement."""
        self._next_ack += 1
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._acks[self._next_ack] = future
        self._send(f"42{self._next_ack}" + json.dumps([event, *args]))
        return future

    async def call(self, event: str, *args: Any) -> Any:
        """Send an event and return the first argument of its acknowledgement."""
        async with asyncio.timeout(DEADLINE):
            answer = await self.start(event, *args)
        return answer[0] if answer else None

    def named(self, name: str) -> list[Received]:
        """Return the events of one name that have arrived."""
        return [event for event in self.received if event.name == name]

    async def until(self, condition: Callable[[], bool], what: str = "condition") -> None:
        """Wait for `condition`, which is looked at whenever something arrives."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{what} did not come true; received: {self.received[-20:]}") from None

    async def wait_for(self, name: str, matches: Callable[[Any], bool] = lambda _: True) -> Any:
        """Wait for an event and return its first argument."""
        await self.until(lambda: any(matches(event.data) for event in self.named(name)), f"event {name!r}")
        return next(event.data for event in self.named(name) if matches(event.data))

    async def wait_closed(self) -> None:
        """Wait until the server has closed the connection."""
        await self.until(lambda: self.closed, "close")

    async def close(self) -> None:
        """Leave as a closed tab does."""
        assert self._transport is not None
        self._transport.disconnect()
        await self._transport.wait_disconnected()

    def abort(self) -> None:
        """Leave as a lost network does, without a word."""
        assert self._transport is not None
        self._transport.underlying_transport.abort()
