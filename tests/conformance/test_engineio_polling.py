"""HTTP long-polling. Engine.IO v4, "Transports / HTTP long-polling" and "Packet encoding / HTTP long-polling"."""

import asyncio
import base64
import contextlib

import httpx
import pytest

from .endpoint import SEPARATOR, Endpoint, Polling
from .websocket import DEADLINE

# A server may cut the connection of a request that broke its session, so its client sees an answer or a hang-up.
HANG_UP = httpx.TransportError


async def assert_breaks(session: Polling, body: str | bytes) -> None:
    """The body closes the session, whatever the POST itself is answered."""
    with contextlib.suppress(HANG_UP):
        await session.post(body)
    assert (await session.poll()).status_code == 400


async def raw_post(endpoint: Endpoint, sid: str, *, length: int, body: bytes) -> asyncio.StreamWriter:
    """Begin a POST that announces `length` bytes and send only `body` of them."""
    _, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
    target = f"{endpoint.path}?EIO=4&transport=polling&sid={sid}"
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return writer


@pytest.mark.parametrize(
    "payload",
    [
        "4hello",
        "4test1\x1e4test2\x1e4test3",
        "4hello\x1ebAQIDBA==",
        "bAQIDBA==",
        "4€ ünï 😀 漢字",
        "4",
        "4\x004\x1f\x7f",
        "b" + base64.b64encode(bytes(range(256))).decode(),
        SEPARATOR.join(f"4{number}" for number in range(200)),
    ],
    ids=["one", "several", "text-and-binary", "binary", "unicode", "empty", "controls", "every-byte", "two-hundred"],
)
async def test_payload_is_received_and_sent_back(engine: Endpoint, payload: str) -> None:
    """Packet encoding: packets "separated by the record separator character", binary "base64-encoded and prefixed with
    a b character". The first three are official cases.
    """
    session = await engine.poll_session()
    response = await session.post(payload)
    assert (response.status_code, response.text) == (200, "ok")
    assert SEPARATOR.join(await session.receive(payload.count(SEPARATOR) + 1)) == payload


async def test_success_is_told_by_the_string_ok(engine: Endpoint) -> None:
    """Sending data: "the server MUST return an HTTP 200 response, with the string ok in the response body"."""
    session = await engine.poll_session()
    response = await session.post("4hello")
    assert (response.status_code, response.content) == (200, b"ok")


async def test_responses_are_never_cached(engine: Endpoint) -> None:
    """Sample session: caching is what the `t` parameter guards against; the server says so too (reference server)."""
    session = await engine.poll_session()
    posted = await session.post("4hello")
    polled = await session.poll()
    assert posted.headers["cache-control"] == "no-store"
    assert polled.headers["cache-control"] == "no-store"
    assert polled.headers["content-type"].lower() == "text/plain; charset=utf-8"


async def test_payload_without_a_content_type_is_plain_text(engine: Endpoint) -> None:
    """Headers: "Without an explicit Content-Type header, the receiver SHOULD infer that the data is plaintext"."""
    session = await engine.poll_session()
    request = engine.http.build_request("POST", engine.url(**session.query()), content="4héllo")
    request.headers.pop("content-type", None)
    assert (await engine.http.send(request)).text == "ok"
    assert await session.receive() == ["4héllo"]


async def test_raw_binary_body_closes_the_session(engine: Endpoint) -> None:
    """From v3 to v4: "always use base64 when encoding a payload with binary data", so octets are invalid content."""
    session = await engine.poll_session()
    headers = {"Content-Type": "application/octet-stream"}
    try:
        response = await engine.http.post(engine.url(**session.query()), content=b"\x01\x02", headers=headers)
    except HANG_UP:
        pass
    else:
        assert response.status_code == 400
    assert (await session.poll()).status_code == 400


async def test_poll_waits_until_there_is_something_to_send(engine: Endpoint) -> None:
    """Receiving data: "The server MAY not respond right away if there are no packets buffered"."""
    session = await engine.poll_session()
    poll = asyncio.create_task(session.poll())
    await session.send("4hello")
    response = await poll
    assert (response.status_code, response.text) == (200, "4hello")


async def test_packets_wait_for_the_next_poll_in_order(engine: Endpoint) -> None:
    """Receiving data: "Once there are some packets to be sent, the server SHOULD encode them and send them"."""
    session = await engine.poll_session()
    for packet in ("4one", "bAQID", "4two"):
        await session.send(packet)
    assert (await session.poll()).text == "4one\x1ebAQID\x1e4two"


async def test_a_packet_is_delivered_by_one_poll_only(engine: Endpoint) -> None:
    """Receiving data: what was sent in one response does not come again."""
    session = await engine.poll_session()
    await session.send("4one")
    assert await session.receive() == ["4one"]
    await session.send("4two")
    assert await session.receive() == ["4two"]


async def test_sessions_do_not_mix(engine: Endpoint) -> None:
    """Query parameters: "sid: the session identifier"."""
    one, other = await engine.poll_session(), await engine.poll_session()
    await one.send("4one")
    await other.send("4other")
    assert await other.receive() == ["4other"]
    assert await one.receive() == ["4one"]


@pytest.mark.parametrize(
    "payload",
    ["abc", "", "7", "9data", "4hello\x1e", "\x1e4hello", "4one\x1e\x1e4two", "4one\x1exyz"],
    ids=["unknown-type", "empty", "type-7", "type-9", "separator-last", "separator-first", "two-separators", "second"],
)
async def test_invalid_packet_closes_the_session(engine: Endpoint, payload: str) -> None:
    """Packet encoding: each packet begins with one of the seven types. Official case."""
    await assert_breaks(await engine.poll_session(), payload)


@pytest.mark.node_deviates("answers 200 with `ok` although it has closed the session")
@pytest.mark.parametrize("payload", ["abc", "", "4hello\x1e", "2"])
async def test_payload_that_closes_the_session_is_answered_400(engine: Endpoint, payload: str) -> None:
    """Sending data: 200 is there "to indicate success"."""
    session = await engine.poll_session()
    assert (await session.post(payload)).status_code == 400


async def test_body_that_is_not_utf8_is_never_echoed_as_it_is(engine: Endpoint) -> None:
    """Packet encoding: "The character encoding is UTF-8"; a server refuses the body or replaces what is wrong in it."""
    session = await engine.poll_session()
    try:
        response = await session.post(b"4\xff\xfe")
    except HANG_UP:
        return
    if response.status_code == 200:
        assert await session.receive() == ["4\ufffd\ufffd"]
    else:
        assert response.status_code == 400


async def test_ping_from_the_client_closes_the_session(engine: Endpoint) -> None:
    """From v3 to v4: "The ping packets are now sent by the server" (reference server: invalid heartbeat direction)."""
    await assert_breaks(await engine.poll_session(), "2")


@pytest.mark.parametrize("packet", ["0", "5", "6", "3", "3probe"])
async def test_packets_without_meaning_here_are_ignored(engine: Endpoint, packet: str) -> None:
    """Protocol: open, upgrade, noop and an unasked pong change nothing on a polling session (reference server)."""
    session = await engine.poll_session()
    await session.send(packet, "4hello")
    assert await session.receive() == ["4hello"]


async def test_duplicate_poll_closes_the_session(engine: Endpoint) -> None:
    """Receiving data: "a client MUST NOT have more than one active GET request. Should it happen, the server MUST return
    an HTTP 400 error status and close the session". Official case.
    """
    session = await engine.poll_session()

    async def second() -> httpx.Response:
        await asyncio.sleep(0.02)
        return await session.poll()

    first, duplicate = await asyncio.gather(session.poll(), second())
    assert (first.status_code, first.text) == (200, "1")
    assert duplicate.status_code in {400, 500}
    assert (await session.poll()).status_code == 400


async def test_duplicate_post_closes_the_session(engine: Endpoint) -> None:
    """Sending data: "a client MUST NOT have more than one active POST request. Should it happen, the server MUST return
    an HTTP 400 error status and close the session".
    """
    session = await engine.poll_session()
    writer = await raw_post(engine, session.sid, length=1000, body=b"4he")
    await asyncio.sleep(0.05)
    duplicate = await session.post("4hello")
    assert duplicate.status_code == 400
    assert (await session.poll()).status_code == 400
    writer.close()


async def test_cancelled_poll_closes_the_session(engine: Endpoint) -> None:
    """Receiving data: a response whose reader has gone would lose its packets. Official case."""
    session = await engine.poll_session()
    poll = asyncio.create_task(session.poll())
    await asyncio.sleep(0.05)
    poll.cancel()
    await session.wait_gone()


async def test_cancelled_post_closes_the_session(engine: Endpoint) -> None:
    """Sending data: a body that ends early is not a payload, and what was in it is lost (reference server)."""
    session = await engine.poll_session()
    writer = await raw_post(engine, session.sid, length=1000, body=b"4hello")
    await asyncio.sleep(0.05)
    writer.close()
    async with asyncio.timeout(DEADLINE):
        while (await session.post("6")).status_code == 200:  # noqa: ASYNC110 - the far side has no event to wait for
            await asyncio.sleep(0.01)


async def test_post_may_come_while_a_poll_hangs(patient_engine: Endpoint) -> None:
    """Transports: polling is full-duplex, one GET and one POST at a time are allowed."""
    session = await patient_engine.poll_session()
    for number in range(5):
        poll = asyncio.create_task(session.receive())
        await session.send(f"4{number}")
        assert await poll == [f"4{number}"]


async def test_body_of_the_maximum_size_is_accepted(engine: Endpoint) -> None:
    """Handshake: "maxPayload: the maximum number of bytes per chunk"."""
    session = await engine.poll_session()
    packet = "4" + "a" * 999_999
    await session.send(packet)
    assert await session.receive() == [packet]


async def test_body_beyond_the_maximum_size_is_refused(engine: Endpoint) -> None:
    """Handshake: "maxPayload"; HTTP has a status for it (reference server)."""
    session = await engine.poll_session()
    try:
        response = await session.post("4" + "a" * 1_000_000)
    except HANG_UP:
        return
    assert response.status_code == 413


async def test_size_is_counted_in_bytes_not_characters(engine: Endpoint) -> None:
    """Handshake: maxPayload is "the maximum number of bytes"."""
    session = await engine.poll_session()
    try:
        response = await session.post("4" + "€" * 333_334)
    except HANG_UP:
        return
    assert response.status_code == 413


async def test_chunked_body_beyond_the_maximum_size_is_refused(engine: Endpoint) -> None:
    """Handshake: "maxPayload" holds too where no Content-Length announces the size."""
    session = await engine.poll_session()

    async def chunks():
        yield b"4"
        for _ in range(20):
            yield b"a" * 60_000

    try:
        response = await engine.http.post(engine.url(**session.query()), content=chunks())
    except HANG_UP:
        return
    assert response.status_code == 413


async def test_polling_a_websocket_session_is_refused_and_harmless(engine: Endpoint) -> None:
    """WebSocket: one transport at a time; a poll for a session that lives on a WebSocket gets 400."""
    async with await engine.websocket() as socket:
        sid = (await socket.text()).split('"sid":"')[1].split('"')[0]
        for method in ("GET", "POST"):
            response = await engine.request(method, content="4stray", EIO="4", transport="polling", sid=sid)
            assert response.status_code == 400
        socket.send("4hello")
        assert await socket.text() == "4hello"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_on_a_session_are_refused_and_harmless(engine: Endpoint, method: str) -> None:
    """HTTP long-polling: "long-running GET requests, short-running POST requests", and no others."""
    session = await engine.poll_session()
    response = await engine.request(method, **session.query())
    assert response.status_code in {400, 405, 500}
    assert await session.is_open()
