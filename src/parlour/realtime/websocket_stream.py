"""What picows is given for the transport of a WebSocket, so that its handshake costs one system call instead of seventeen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class WebSocketStream:
    """A TCP transport, as far as picows needs one, that keeps the answer to the upgrade request until the first frame goes with it.

    On each new connection picows sets and reads six socket options, for the log and to what uvloop has set already, and every one of
    them makes a socket object of the descriptor. Here they do nothing. Frames are written to `transport` itself.
    """

    __slots__ = ("_answer", "_descriptor", "on_write", "transport")

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self._descriptor: int | None = None
        self.on_write: Callable[[], None] | None = None
        self._answer: bytearray | None = bytearray()  # None: taken, what comes now is for the peer

    def take_answer(self) -> bytes:
        """The answer to the upgrade request; whoever takes it writes it."""
        answer, self._answer = self._answer, None
        return bytes(answer or b"")

    # what picows calls

    def get_extra_info(self, name: str) -> Any:
        """Its socket is this; addresses are for the log, which has them from elsewhere."""
        if name == "socket":
            return self
        return self.transport.get_extra_info(name) if name == "ssl_object" else None

    def fileno(self) -> int:
        """The descriptor, to which control frames are written directly."""
        if self._descriptor is None:
            self._descriptor = int(self.transport.get_extra_info("socket").fileno())
        return self._descriptor

    def setsockopt(self, *_: int) -> None:
        """TCP_NODELAY is set; TCP_QUICKACK is how a connection begins."""

    def getsockopt(self, *_: int) -> int:
        """For the log."""
        return 0

    def get_write_buffer_size(self) -> int:
        """What waits for the kernel."""
        return int(self.transport.get_write_buffer_size())

    def write(self, data: Any) -> None:
        """The answer to the upgrade request, and later control frames for which the kernel had no room."""
        if self._answer is None:
            self.transport.write(data)
            if self.on_write is not None:
                self.on_write()
        else:
            self._answer += data

    def close(self) -> None:
        """The upgrade was refused, or the connection is over."""
        answer = self.take_answer()
        if answer:
            self.transport.write(answer)
        self.transport.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        self.transport.abort()
