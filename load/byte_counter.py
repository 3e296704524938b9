"""The cheapest receiver: counts the bytes of a socket that is already connected."""

import asyncio

from load.frames import PING, PONG
from load.socketio import LoadSocket

_buffer = bytearray(1 << 18)
_view = memoryview(_buffer)


class ByteCounter(asyncio.BufferedProtocol):
    """Takes over the connection of an idle LoadSocket; one call a read, however many frames it holds.

    With every receiver of a broadcast a ByteCounter, the generator stays cheaper than the server it measures. A few
    LoadSockets in the same room count messages exactly; each ByteCounter must then have as many bytes as those.
    """

    __slots__ = ("_write", "lost", "pings", "received")

    def __init__(self, socket: LoadSocket) -> None:
        self.received = 0
        """Bytes, heartbeats excluded."""
        self.lost = False
        transport = socket.transport.underlying_transport
        self._write = transport.write
        transport.set_protocol(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the one buffer of all: what is read into it is counted before the next read."""
        return _view

    def buffer_updated(self, nbytes: int) -> None:
        """Count, and answer a heartbeat: messages of a load are ASCII, so 0x81 occurs only in frame headers."""
        self.received += nbytes
        if _buffer.find(PING, 0, nbytes) >= 0:
            self.received -= len(PING)
            self._write(PONG)

    def eof_received(self) -> None:
        """Note that the server closed."""
        self.lost = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self.lost = True
