"""A WebSocket client that may also break the rules: every frame is written by hand (RFC 6455)."""

import asyncio
import base64
import hashlib
import os
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# A deadline, not an expectation: it only bounds a test that would otherwise hang on a busy machine.
DEADLINE = 20.0


class UpgradeRefusedError(Exception):
    """The server answered the upgrade request with something other than 101, or with nothing (status 0)."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"HTTP {status}: {body!r}")
        self.status = status
        self.body = body


class ClosedError(Exception):
    """The peer ended the connection; `code` is None where no Close frame came first."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"closed: {code} {reason}")
        self.code = code
        self.reason = reason


@dataclass(slots=True)
class Frame:
    opcode: int
    payload: bytes
    fin: bool
    rsv: int


def encode_frame(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, mask: bool = True) -> bytes:
    """Frame a payload; `rsv` are the three reserved bits as a number 0-7. RFC 6455 section 5.2."""
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65_536:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    if not mask:
        return head + payload
    key = os.urandom(4)
    keys = (key * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(size, "big")
    return head + key + masked


class WebSocket:
    """One client connection. `recv` gives str for text and bytes for binary messages, and raises `ClosedError`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: Mapping[str, str], heartbeat: bool
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.headers = headers
        self.heartbeat = heartbeat
        self.close_code: int | None = None

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        heartbeat: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Upgrade `ws://host:port/path?query`; with `heartbeat` Engine.IO pings are answered and not shown.

        Raises UpgradeRefusedError. `headers` replace the standard ones of the same name; an empty value leaves one out.
        """
        parts = urlsplit(url)
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {
            "Host": parts.netloc,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
            **(headers or {}),
        }
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**22, ssl=tls)
        request = f"GET {parts.path}?{parts.query} HTTP/1.1\r\n"
        request += "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
        writer.write(f"{request}\r\n".encode())
        try:
            async with asyncio.timeout(DEADLINE):
                head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionResetError) as error:
            writer.close()
            raise UpgradeRefusedError(0, getattr(error, "partial", b"")) from error
        status, *lines = head.decode("latin-1").split("\r\n")
        got = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        code = int(status.split(" ")[1])
        if code != 101:
            body = await reader.readexactly(int(got.get("content-length", "0")))
            writer.close()
            raise UpgradeRefusedError(code, body)
        expected = base64.b64encode(hashlib.sha1((fields["Sec-WebSocket-Key"] + GUID).encode()).digest()).decode()
        assert got["sec-websocket-accept"] == expected, "RFC 6455 section 4.2.2: Sec-WebSocket-Accept"
        return cls(reader, writer, got, heartbeat)

    def send_frame(self, opcode: int, payload: bytes = b"", **flags: bool | int) -> None:
        self.writer.write(encode_frame(opcode, payload, **flags))

    def send(self, *messages: str | bytes) -> None:
        """Send each message in a frame of its own, all in one write."""
        self.writer.write(
            b"".join(
                encode_frame(TEXT, message.encode()) if isinstance(message, str) else encode_frame(BINARY, message)
                for message in messages
            )
        )

    async def frame(self) -> Frame:
        """The next frame of any kind. Raises ClosedError when the peer hangs up."""
        try:
            async with asyncio.timeout(DEADLINE):
                first, second = await self.reader.readexactly(2)
                assert not second & 0x80, "RFC 6455 section 5.1: a server must not mask"
                size = second & 0x7F
                if size == 126:
                    (size,) = struct.unpack("!H", await self.reader.readexactly(2))
                elif size == 127:
                    (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
                payload = await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ClosedError(self.close_code, "hung up") from error
        return Frame(first & 0x0F, payload, bool(first & 0x80), first >> 4 & 7)

    async def recv(self, within: float = DEADLINE) -> str | bytes:
        """The next whole message, in `within` seconds. WebSocket pings are answered, a Close frame is echoed."""
        kind, parts = 0, b""
        async with asyncio.timeout(within):
            while True:
                frame = await self.frame()
                if frame.opcode == PING:
                    self.send_frame(PONG, frame.payload)
                elif frame.opcode == CLOSE:
                    self.close_code = struct.unpack("!H", frame.payload[:2])[0] if frame.payload else 1005
                    self.send_frame(CLOSE, frame.payload)
                    self.writer.close()
                    raise ClosedError(self.close_code, frame.payload[2:].decode())
                elif frame.opcode in {CONTINUATION, TEXT, BINARY}:
                    kind = frame.opcode or kind
                    parts += frame.payload
                    if not frame.fin:
                        continue
                    message = parts.decode() if kind == TEXT else parts
                    kind, parts = 0, b""
                    if message != "2" or not self.heartbeat:
                        return message
                    self.send("3")

    async def text(self) -> str:
        message = await self.recv()
        assert isinstance(message, str), f"expected a text message, got {message!r}"
        return message

    async def settle(self) -> None:
        """Wait until the server has read everything sent so far: a WebSocket ping and its pong."""
        self.send_frame(PING, b"settle")
        while (frame := await self.frame()).opcode != PONG:
            assert frame.payload == b"2", f"unexpected {frame.payload!r}"
            self.send("3")

    async def wait_closed(self) -> ClosedError:
        """Read on, whatever comes, until the server ends the connection."""
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    await self.recv()
        except ClosedError as closed:
            return closed

    async def close(self) -> None:
        self.writer.close()

    def abort(self) -> None:
        """Cut the TCP connection without a word."""
        self.writer.transport.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
