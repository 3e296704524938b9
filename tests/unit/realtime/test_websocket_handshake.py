"""The handshake of a WebSocket, seen from the TCP transport: what it costs, and in which order things leave."""

import asyncio
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from parlour.realtime import Server

UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Descriptor:
    """A socket of which nothing but the number may be asked: every option would be a system call, or three."""

    def fileno(self) -> int:
        return -1


class Transport(asyncio.Transport):
    """Keeps what is written, and what it was told besides."""

    def __init__(self) -> None:
        super().__init__({"peername": ("203.0.113.7", 4000), "socket": Descriptor()})
        self.told: list[Any] = []

    def write(self, data: Any) -> None:
        self.told.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.told.append("close")

    def abort(self) -> None:
        self.told.append("abort")

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


def request(server: Server, data: bytes) -> Transport:
    config = Config(server.asgi, lifespan="off", log_config=None)
    transport = Transport()
    door = server.http_protocol()(config, ServerState(), {}, asyncio.get_running_loop())
    door.connection_made(transport)
    door.data_received(data)
    return transport


@pytest.fixture
async def server() -> Any:
    server = Server()
    yield server
    server.engine.close()


async def test_the_answer_and_the_first_packet_leave_in_one_write(server: Server) -> None:
    (written,) = request(server, UPGRADE % b"websocket").told
    head, _, frame = written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols")
    assert frame[2:].startswith(b'0{"sid":"')
    assert len(server.engine.connections) == 1


async def test_a_refusal_leaves_before_the_connection_closes(server: Server) -> None:
    server.engine.admission.draining = True
    answer, end = request(server, UPGRADE % b"websocket").told
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert end == "close"


async def test_the_answer_to_a_probe_waits_for_nothing(server: Server) -> None:
    """The client speaks first on it."""
    sid = await open_by_polling(server)
    (answer,) = request(server, UPGRADE % (b"websocket&sid=" + sid)).told
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert answer.endswith(b"\r\n\r\n")


async def open_by_polling(server: Server) -> bytes:
    """The id of a fresh session."""

    async def send(_: Any) -> None: ...

    query = b"EIO=4&transport=polling"
    scope = {"type": "http", "method": "GET", "path": "/socket.io/", "query_string": query, "headers": []}
    await server.asgi(scope, asyncio.Event().wait, send)
    (sid,) = server.engine.connections
    return sid.encode()
