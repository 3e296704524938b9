"""A Socket.IO v5 client over one WebSocket that does next to nothing for an event it receives."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import picows
from picows import WSFrame, WSListener, WSTransport

from load.frames import PONG, masked

READY = b'42["ready"'
CONNECT_SECONDS = 30.0

OnEvent = Callable[["LoadSocket", bytes], None]
OnAck = Callable[[bytes], None]


class Refused(Exception):
    """The server answered the connect packet with `connect_error`; the argument is its payload."""


class Lost(Exception):
    """The connection went away while something was awaited."""


class LoadSocket(WSListener):
    """One socket in the namespace `/`.

    An event reaches `on_event(socket, packet)` as the undecoded packet (`42["name",…]`); several packets in one read are
    several calls. Heartbeats are answered. Acknowledgements reach the callback given to `request`, undecoded too.
    """

    __slots__ = (
        "_acks",
        "_auth",
        "_connected",
        "_next_ack",
        "_until_ready",
        "index",
        "lost",
        "on_event",
        "ready",
        "transport",
        "write",
    )

    def __init__(self, index: int, auth: bytes, until_ready: bool, on_event: OnEvent) -> None:
        self.index = index
        self.on_event = on_event
        self.lost = False
        self.ready = b""
        """The `ready` event of Parlour, undecoded."""
        self._auth = auth
        self._until_ready = until_ready
        self._acks: dict[bytes, OnAck] = {}
        self._next_ack = 0
        self._connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Keep the transport; the server speaks first."""
        self.transport = transport
        self.write = transport.underlying_transport.write

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one packet."""
        packet = frame.get_payload_as_bytes()
        if packet[:2] == b"42" and self.ready:
            self.on_event(self, packet)
        elif packet[:2] == b"43":
            end = packet.index(b"[")
            on_ack = self._acks.pop(packet[2:end], None)
            if on_ack is not None:
                on_ack(packet[end:])
        elif packet == b"2":
            self.write(PONG)
        else:
            self._handshake(packet)

    def _handshake(self, packet: bytes) -> None:
        if packet[:1] == b"0":
            self.write(masked(b"40" + self._auth))
        elif packet[:2] == b"40":
            if not self._until_ready:
                self._established(packet)
        elif packet[:2] == b"42":
            if packet.startswith(READY):
                self._established(packet)
        elif packet[:2] == b"41":
            self.lost = True
        else:
            self._fail(Refused(packet.decode(errors="replace")))

    def _established(self, packet: bytes) -> None:
        self.ready = packet
        if not self._connected.done():
            self._connected.set_result(None)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Remember the loss: a generator checks it at the end, so that no dropped socket passes for a fast one."""
        self.lost = True
        self._fail(Lost("closed during the handshake"))

    def _fail(self, error: Exception) -> None:
        if not self._connected.done():
            self._connected.set_exception(error)
            self._connected.exception()  # counts as seen: where one of many fails, nobody waits for the others

    async def established(self) -> None:
        """Wait for the connect acknowledgement, or for `ready`.

        Raises:
            Refused: the server said `connect_error`.
            Lost: the server closed.
        """
        await self._connected

    def request(self, event: bytes, on_ack: OnAck) -> None:
        """Send `["name",…]`, already JSON, and have its acknowledgement's JSON given to `on_ack`."""
        key = b"%d" % self._next_ack
        self._next_ack += 1
        self._acks[key] = on_ack
        self.write(masked(b"42" + key + event))

    async def call(self, name: str, *args: Any) -> list[Any]:
        """Send an event and return the arguments of its acknowledgement; bound it with `asyncio.timeout`."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def answered(packet: bytes) -> None:
            if not answer.done():
                answer.set_result(packet)

        self.request(msgspec.json.encode([name, *args]), answered)
        decoded: list[Any] = msgspec.json.decode(await answer)
        return decoded

    def close(self) -> None:
        """Close without a handshake: a generator ends its server anyway."""
        self.transport.disconnect(graceful=False)


def ignore(socket: LoadSocket, packet: bytes) -> None:
    """Do nothing with an event."""


async def connect(
    port: int,
    index: int = 0,
    *,
    token: str | None = None,
    until_ready: bool = False,
    on_event: OnEvent = ignore,
    tls: ssl.SSLContext | None = None,
) -> LoadSocket:
    """Connect to 127.0.0.1 (to localhost with `tls`) by WebSocket.

    Returns once the namespace (with `until_ready`, the event `ready`) is there.

    Raises:
        Refused: the server said `connect_error`.
        Lost: the server closed, or said nothing for 30 s.
    """
    auth = b"" if token is None else msgspec.json.encode({"token": token})
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, socket = await picows.ws_connect(
                lambda: LoadSocket(index, auth, until_ready, on_event),
                f"{'ws://127.0.0.1' if tls is None else 'wss://localhost'}:{port}/socket.io/?EIO=4&transport=websocket",
                ssl_context=tls,
                websocket_handshake_timeout=CONNECT_SECONDS,
                read_buffer_init_size=4096,
            )
            assert isinstance(socket, LoadSocket)
            await socket.established()
    except (OSError, picows.WSError) as error:
        raise Lost(f"socket {index}: {error}") from error
    return socket


async def connect_all(
    port: int,
    tokens: Sequence[str | None],
    *,
    in_flight: int = 100,
    first_index: int = 0,
    until_ready: bool = False,
    on_event: OnEvent = ignore,
    tls: ssl.SSLContext | None = None,
) -> list[LoadSocket]:
    """Connect one socket a token, `in_flight` handshakes at a time, and return them in the tokens' order."""
    sockets: list[LoadSocket | None] = [None] * len(tokens)
    waiting = iter(range(len(tokens)))

    async def worker() -> None:
        for i in waiting:
            sockets[i] = await connect(
                port, first_index + i, token=tokens[i], until_ready=until_ready, on_event=on_event, tls=tls
            )

    async with asyncio.TaskGroup() as group:
        for _ in range(min(in_flight, len(tokens))):
            group.create_task(worker())
    return [socket for socket in sockets if socket is not None]
