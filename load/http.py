"""HTTP/1.1 over kept connections: one call at a time for set-up, and a closed loop that counts answers."""

import asyncio
import re
import time
from typing import Any

import msgspec

_length = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE).search


class HttpError(Exception):
    """An answer that is not 2xx; the argument says which and what."""


def request_bytes(method: str, path: str, *, token: str | None = None, body: Any = None) -> bytes:
    """Return a whole request, its body as JSON."""
    content = b"" if body is None else msgspec.json.encode(body)
    headers = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token is not None:
        headers.append(f"Authorization: Bearer {token}")
    if body is not None:
        headers += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*headers, "", ""]).encode() + content


class Connection(asyncio.Protocol):
    """One kept connection with one request under way. Answers must carry a Content-Length."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports derive from no common class

    def data_received(self, data: bytes) -> None:
        """Gather one answer and hand it on: status line, headers and body."""
        self._received = received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _length(received, 0, end)
        if len(received) < end + 4 + (int(length[1]) if length else 0):
            return
        self._received = b""
        self.answered(received)

    def answered(self, answer: bytes) -> None:
        """Give the answer to who waits for it."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits for an answer."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(HttpError(f"connection lost: {exc}"))

    def send(self, request: bytes) -> None:
        """Write a request whose answer goes to `answered`."""
        self._transport.write(request)

    async def call(self, method: str, path: str, *, token: str | None = None, body: Any = None) -> Any:
        """Return the decoded JSON of a 2xx answer.

        Raises:
            HttpError: any other status, or the connection was lost.
        """
        self._answer = asyncio.get_running_loop().create_future()
        self.send(request_bytes(method, path, token=token, body=body))
        answer = await self._answer
        head, _, content = answer.partition(b"\r\n\r\n")
        if head[9:10] != b"2":
            raise HttpError(
                f"{method} {path} was answered {head[9:12].decode()} {content[:500].decode(errors='replace')}"
            )
        return msgspec.json.decode(content) if content else None

    def close(self) -> None:
        """Close."""
        self._transport.close()


async def open_connection(port: int) -> Connection:
    """Connect to 127.0.0.1."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


class _Repeating(Connection):
    """Sends the same request again as soon as it is answered."""

    def __init__(self, request: bytes, tally: "_Tally") -> None:
        super().__init__()
        self._request = request
        self._tally = tally

    def again(self) -> None:
        self.send(self._request)

    def answered(self, answer: bytes) -> None:
        tally = self._tally
        if answer[9:12] == b"200":
            tally.answers += 1
        else:
            tally.failure = answer[:600].decode(errors="replace")
        if time.perf_counter() < tally.until:
            self.send(self._request)
        else:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if time.perf_counter() < self._tally.until:
            self._tally.failure = self._tally.failure or f"connection lost: {exc}"


class _Tally:
    def __init__(self, until: float) -> None:
        self.until = until
        self.answers = 0
        self.failure = ""


async def repeat(port: int, request: bytes, *, connections: int, seconds: float) -> float:
    """Send `request` over and over on each of the connections and return 200-answers a second.

    Raises:
        HttpError: another status, or a connection was lost.
    """
    loop = asyncio.get_running_loop()
    tally = _Tally(time.perf_counter() + seconds + 60)
    members = []
    for _ in range(connections):
        _, connection = await loop.create_connection(lambda: _Repeating(request, tally), "127.0.0.1", port)
        members.append(connection)
    start = time.perf_counter()
    tally.until = start + seconds
    for connection in members:
        connection.again()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - start
    answers = tally.answers
    await asyncio.sleep(0.2)
    if tally.failure:
        raise HttpError(tally.failure)
    return answers / elapsed
