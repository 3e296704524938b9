"""What strangers send to a running server: each gets a clear error, and whoever else is there stays served."""

import asyncio
import itertools

import pytest

from ...conformance.bystanders import bystander
from ...conformance.endpoint import Endpoint
from ...conformance.websocket import DEADLINE, ClosedError, WebSocket


async def exchange(port: int, request: bytes, within: float = DEADLINE) -> bytes:
    """Send raw bytes and read all that comes until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        async with asyncio.timeout(within):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1]) if response else 0


async def test_body_announced_as_huge_is_refused_before_it_comes(engine: Endpoint) -> None:
    """413, and not one byte of ten gigabytes is waited for."""
    async with bystander(engine):
        session = await engine.poll_session()
        target = f"{engine.path}?EIO=4&transport=polling&sid={session.sid}"
        head = f"POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10000000000\r\n\r\n4"
        assert status(await exchange(engine.port, head.encode())) == 413


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"HELLO\r\n\r\n",
        b"GET /socket.io/?EIO=4 HTTP/9.9\r\n\r\n",
        b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nno colon here\r\n\r\n",
    ],
    ids=["tls", "no-request-line", "version", "negative-length", "no-colon"],
)
async def test_bytes_that_are_no_request_are_answered_400_or_cut_off(socketio: Endpoint, request_bytes: bytes) -> None:
    async with bystander(socketio):
        assert status(await exchange(socketio.port, request_bytes)) in {0, 400, 505}


async def test_endless_header_is_cut_off(socketio: Endpoint) -> None:
    """The head of a request is bounded in time and must be in size, or one connection could fill the memory."""
    async with bystander(socketio):
        _, writer = await asyncio.open_connection("127.0.0.1", socketio.port)
        writer.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nX-Long: ")
        sent = 0
        try:
            async with asyncio.timeout(20):
                while sent < 64 * 2**20:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
                    sent += 65_536
        except (ConnectionResetError, BrokenPipeError):
            pass
        else:
            pytest.fail(f"the server took {sent} bytes of one header")
        finally:
            writer.transport.abort()


@pytest.mark.parametrize(
    "sid", ["x" * 5_000, "%00%ff", "..%2f..%2fetc", "%0d%0aSet-Cookie:%20a=b", "__proto__", "constructor"]
)
async def test_strange_session_ids_are_unknown(socketio: Endpoint, sid: str) -> None:
    async with bystander(socketio):
        response = await socketio.http.get(f"{socketio.origin}{socketio.path}?EIO=4&transport=polling&sid={sid}")
        assert (response.status_code, response.json()["code"]) == (400, 1)
        assert "set-cookie" not in response.headers


async def served_or_closed(endpoint: Endpoint, *messages: str | bytes) -> None:
    """The messages are answered or their connection closed, without harm to the others."""
    closed: ClosedError | None = None
    async with bystander(endpoint), await endpoint.connect() as socket:
        socket.send(*messages, '4290["message-with-ack","after"]')
        try:
            while await socket.recv() != '4390["after"]':
                pass
        except ClosedError as ending:
            closed = ending
    assert closed is None or closed.code != 1011, "an internal error is not an answer to bad input"


STRANGE_EVENTS = {
    "arrays nested 100,000 deep": '42["message",' + "[" * 100_000 + "]" * 100_000 + "]",
    "objects nested 50,000 deep": '42["message",' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "]",
    "nested and unfinished": '42["message",' + "[" * 200_000,
    "an integer of 5,000 digits": '42["message",' + "9" * 5_000 + "]",
    "an exponent beyond every double": '42["message",1e999999]',
    "an ack id of 5,000 digits": "42" + "9" * 5_000 + '["message-with-ack",1]',
    "an ack id of 20 digits": '4299999999999999999999["message-with-ack",1]',
    "an attachment count of 5,000 digits": "45" + "9" * 5_000 + '-["message"]',
    "a lone surrogate, escaped": '42["message","\\ud800"]',
    "a lone surrogate as the name": '42["\\udfff"]',
    "a namespace of 100,000 letters": "40/" + "x" * 100_000 + ",",
    "a null byte in the namespace": "40/\x00,",
    "a number as the name": '42[1,"x"]',
    "a name of 100,000 letters": '42["' + "n" * 100_000 + '"]',
    "100,000 arguments": '42["message"' + ",0" * 100_000 + "]",
    "duplicate keys": '42["message",{"a":1,"a":2,"__proto__":{"x":1}}]',
    "NaN": '42["message",NaN]',
    "fullwidth digits as the ack id": '42１２["message-with-ack",1]',
    "arabic digits as the attachment count": '45١-["message",{"_placeholder":true,"num":0}]',
}


@pytest.mark.parametrize("name", STRANGE_EVENTS)
async def test_strange_event_is_answered_or_closes_its_own_connection(socketio: Endpoint, name: str) -> None:
    await served_or_closed(socketio, STRANGE_EVENTS[name])


async def test_nesting_hidden_among_placeholders_harms_nobody(socketio: Endpoint) -> None:
    """Attachments are searched for at any depth, so depth itself must be bounded."""
    depth = 50_000
    inner = '{"_placeholder":true,"num":0}'
    await served_or_closed(socketio, '451-["message",' + "[" * depth + inner + "]" * depth + "]", b"\x01")


async def test_thousands_of_refused_namespaces_cost_nothing(socketio: Endpoint) -> None:
    async with bystander(socketio), await socketio.connect() as socket:
        socket.send(*(f"40/no{number}," for number in range(2_000)))
        for number in range(2_000):
            assert await socket.text() == f'44/no{number},{{"message":"Invalid namespace"}}'


async def test_half_open_handshakes_are_let_go_and_hold_nobody_up(patient: Endpoint) -> None:
    """2,000 connections that say nothing, 500 that stop within a request, 500 WebSockets and 500 polling sessions that
    never send CONNECT: newcomers are served meanwhile, and the server ends every one of them by itself.
    """
    async with asyncio.timeout(60), bystander(patient):
        silent = [await asyncio.open_connection("127.0.0.1", patient.port) for _ in range(2_000)]
        partial = [await asyncio.open_connection("127.0.0.1", patient.port) for _ in range(500)]
        for _, writer in partial:
            writer.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        unconnected: list[WebSocket] = [await patient.open_websocket() for _ in range(500)]
        sessions = [await patient.poll_session() for _ in range(500)]

        async with await patient.connect() as newcomer:
            newcomer.send('421["message-with-ack","let in"]')
            assert await newcomer.text() == '431["let in"]'

        for socket in unconnected:
            await socket.wait_closed()
        await sessions[-1].wait_gone()
        for reader, writer in itertools.chain(silent, partial):
            while await reader.read(65_536):
                pass
            writer.close()


async def test_posts_that_never_end_hold_nobody_up(socketio: Endpoint) -> None:
    """A body that trickles in occupies its own session only."""
    async with bystander(socketio):
        writers = []
        for _ in range(100):
            session = await socketio.poll_session()
            _, writer = await asyncio.open_connection("127.0.0.1", socketio.port)
            target = f"{socketio.path}?EIO=4&transport=polling&sid={session.sid}"
            writer.write(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n4".encode())
            writers.append(writer)
        async with await socketio.connect() as newcomer:
            newcomer.send('421["message-with-ack"]')
            assert await newcomer.text() == "431[]"
        for writer in writers:
            writer.close()
