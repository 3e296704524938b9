"""HTTP long-polling: the transport of a session (engine.io-protocol v4, "HTTP long-polling")."""

from __future__ import annotations

import asyncio
from asyncio import Future, get_running_loop
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from parlour.realtime.connection import Connection, discard
from parlour.realtime.engine_packet import CLOSE_PAYLOAD, NOOP_PAYLOAD, SEPARATOR, decode_payload, payload_of_frames
from parlour.realtime.engine_session import TransportName
from parlour.realtime.errors import EnginePacketError

if TYPE_CHECKING:
    from parlour.realtime.engine import EngineServer

Receive = Callable[[], Awaitable[Any]]

_NOOP_DELAY = 0.1  # the reference server's: a client that polls on while it upgrades is let go at this pace


class Polling:
    """What is written waits for a GET, what is posted is received. One GET and one POST at a time."""

    __slots__ = ("_answering", "_broken", "_chunks", "_connection", "_engine", "_poll", "_posting", "_resumed", "_size")

    name: ClassVar[TransportName] = "polling"

    def __init__(self, engine: EngineServer) -> None:
        self._engine = engine
        self._connection: Connection
        self._chunks: list[bytes] = []
        self._size = 0
        self._poll: Future[bytes] | None = None  # its result is what to say when nothing else is to be said
        self._answering = False  # the GET that waited is about to take what there is
        self._posting = False
        self._broken = False  # the session ended because of what the peer did
        self._resumed: Future[None] | None = None

    @property
    def waiting(self) -> int:
        """The bytes that wait for a GET."""
        return self._size

    def establish(self, connection: Connection) -> None:
        """This carries `connection`."""
        self._connection = connection
        connection.write = self.write

    def write(self, frames: bytes) -> None:
        """Keeps joined frames for the next GET; answers the one that waits."""
        self._chunks.append(frames)
        self._count(len(frames))
        if self._poll is not None:
            self._answer(NOOP_PAYLOAD)
        elif (
            self._size > self._engine.limits.max_outbox_bytes and len(self._chunks) > 1
        ):  # one answer may be of any size
            self._cut_off()

    def _cut_off(self) -> None:
        self._connection.write = discard
        get_running_loop().call_soon(self._connection.cut_off)

    def _answer(self, otherwise: bytes) -> None:
        poll, self._poll = self._poll, None
        self._connection.writable = False
        if poll is not None and not poll.done():
            poll.set_result(otherwise)
            self._answering = True

    def take(self) -> list[bytes]:
        """Takes the frames that wait."""
        chunks, self._chunks = self._chunks, []
        self._count(-self._size)
        return chunks

    def _count(self, delta: int) -> None:
        self._size += delta
        self._engine.outboxes.count(delta)

    def payload(self, otherwise: bytes = b"") -> bytes:
        """Takes what waits, as a payload."""
        parts = [payload_of_frames(chunk) for chunk in self.take()]
        if not parts or otherwise == CLOSE_PAYLOAD:
            parts.append(otherwise)
        return SEPARATOR.join(part for part in parts if part)

    # requests

    async def poll(self, receive: Receive) -> bytes | None:
        """Serves a GET: the payload, or None when the request is not allowed or nobody is there any more."""
        connection = self._connection
        if self._poll is not None:
            connection.fail("transport error")
            return None
        if self._chunks:
            return self.payload()
        poll = self._poll = get_running_loop().create_future()
        connection.writable = True
        if connection.session.probing:
            get_running_loop().call_later(_NOOP_DELAY, self.release_poll, poll)
        gone = asyncio.create_task(_wait_for_disconnect(receive))
        try:
            await asyncio.wait((poll, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        self._answering = False
        if poll.done():
            return self.payload(poll.result())
        self._poll = None
        connection.fail("transport error")  # "poll connection closed prematurely"
        return None

    def release_poll(self, poll: Future[bytes] | None = None) -> None:
        """Answers a waiting GET with a noop, so that the client can go on with its upgrade."""
        if self._poll is not None and poll in (None, self._poll):
            self._answer(NOOP_PAYLOAD)

    async def post(self, receive: Receive) -> int:
        """Serves a POST: the HTTP status of its answer."""
        connection = self._connection
        if self._posting:
            connection.fail("transport error")
            return 400
        self._posting = True
        try:
            async with asyncio.timeout(self._engine.limits.request_body_timeout):
                body = await _read_body(receive, self._engine.options.max_payload)
            if body is None:
                return 413
            for packet in decode_payload(body):
                connection.receive(packet)
                if connection.held and not connection.closed:
                    self._resumed = get_running_loop().create_future()
                    await self._resumed
                if connection.closed:  # an application that ends it has received what was posted all the same
                    return 400 if self._broken else 200
        except EnginePacketError:
            connection.fail("parse error")
            return 400
        except (ConnectionResetError, TimeoutError):
            connection.fail("transport error")
            return 400
        finally:
            self._posting = False
        return 200

    # what the session asks

    def close(self, code: int, *, orderly: bool) -> None:
        """Answers a waiting GET with the end; without one, an orderly end waits for the next GET for a while."""
        self._broken = not orderly
        self.resume_reading()
        if self._connection.session.upgraded:
            self._answer(NOOP_PAYLOAD)
        elif self._poll is not None:
            client_asked = self._connection.session.closed_by_peer
            self._answer(NOOP_PAYLOAD if client_asked else CLOSE_PAYLOAD)
        elif orderly and not self._connection.session.closed_by_peer:
            self._engine.linger(self._connection.sid, self)
        elif not self._answering:
            self.take()

    def pause_reading(self) -> None:
        """Nothing to do: the POST under way goes on when the connection is no longer held."""

    def resume_reading(self) -> None:
        """Lets a POST that waits go on."""
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """The body, or None when it is longer than `limit`."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client left before its body was whole")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)
