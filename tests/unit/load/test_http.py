"""The HTTP client against a server that cuts its answers where it hurts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from load.http import HttpError, open_connection, repeat, request_bytes

Serve = Callable[[list[bytes]], Awaitable[int]]

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + b'{"ok":[1, 2]}'


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[asyncio.Server] = []

    async def start(pieces: list[bytes]) -> int:
        async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                try:
                    await reader.readuntil(b"\r\n\r\n")
                except asyncio.IncompleteReadError:
                    break
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
            writer.close()

        server = await asyncio.start_server(client, "127.0.0.1", 0)
        servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize("cut", [len(ANSWER), 10, 38, 45])
async def test_an_answer_is_whole_however_it_was_cut(serve: Serve, cut: int) -> None:
    connection = await open_connection(await serve([ANSWER[:cut], ANSWER[cut:]]))
    for _ in range(2):
        assert await connection.call("GET", "/") == {"ok": [1, 2]}
    connection.close()


async def test_an_answer_that_is_not_2xx_is_an_error(serve: Serve) -> None:
    connection = await open_connection(await serve([b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"]))
    with pytest.raises(HttpError, match="403 no"):
        await connection.call("GET", "/")
    connection.close()


async def test_repeating_counts_answers_and_refuses_to_count_errors(
    serve: Serve,
) -> None:
    good, bad = await serve([ANSWER]), await serve([b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"])
    assert await repeat(good, request_bytes("GET", "/"), connections=2, seconds=0.05) > 0
    with pytest.raises(HttpError, match="500"):
        await repeat(bad, request_bytes("GET", "/"), connections=1, seconds=0.05)


def test_a_request_carries_its_token_and_its_json() -> None:
    request = request_bytes("POST", "/api/rooms", token="t", body={"name": "tea"})
    head, body = request.split(b"\r\n\r\n")
    assert head.startswith(b"POST /api/rooms HTTP/1.1\r\n")
    assert b"Authorization: Bearer t" in head
    assert b"Content-Length: 14" in head
    assert body == b'{"name":"tea"}'
