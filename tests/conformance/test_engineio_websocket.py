"""The WebSocket transport. Engine.IO v4, "Transports / WebSocket", on RFC 6455."""

import struct

import pytest

from .endpoint import Endpoint
from .websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, ClosedError


@pytest.mark.parametrize("text", ["4hello", "4", "4€ 😀", "4" + "x" * 125, "4" + "x" * 126, "4" + "x" * 65_535])
async def test_text_packet_is_received_and_sent_back(engine: Endpoint, text: str) -> None:
    """WebSocket format: "<packet type>[<data>]". The first is an official case; the sizes cross each length field."""
    async with await engine.open_websocket() as socket:
        socket.send(text)
        assert await socket.recv() == text


@pytest.mark.parametrize("data", [b"\x01\x02\x03\x04", bytes(range(256)), b"4hello", b"\x00" * 70_000])
async def test_binary_packet_is_sent_as_is(engine: Endpoint, data: bytes) -> None:
    """WebSocket format: "Binary payloads are sent as is, without modification". The first is an official case."""
    async with await engine.open_websocket() as socket:
        socket.send(data)
        assert await socket.recv() == data


async def test_each_packet_has_its_own_frame(engine: Endpoint) -> None:
    """WebSocket: "Each packet (read or write) is sent its own WebSocket frame"."""
    async with await engine.open_websocket() as socket:
        socket.send("4one", b"\x02", "4three")
        frames = [await socket.frame() for _ in range(3)]
    assert [(frame.opcode, frame.payload) for frame in frames] == [
        (TEXT, b"4one"),
        (BINARY, b"\x02"),
        (TEXT, b"4three"),
    ]
    assert all(frame.fin and not frame.rsv for frame in frames)


async def test_separator_has_no_meaning_in_a_frame(engine: Endpoint) -> None:
    """WebSocket format: one packet a frame, so the record separator is data."""
    async with await engine.open_websocket() as socket:
        socket.send("4one\x1e4two")
        assert await socket.recv() == "4one\x1e4two"


async def test_base64_in_a_text_frame_is_binary(engine: Endpoint) -> None:
    """Packet encoding: the b prefix marks binary wherever a client cannot send binary frames (reference parser)."""
    async with await engine.open_websocket() as socket:
        socket.send("bAQIDBA==")
        assert await socket.recv() == b"\x01\x02\x03\x04"


@pytest.mark.parametrize("text", ["abc", "", "7", "x4hello"])
async def test_invalid_packet_closes_the_session(engine: Endpoint, text: str) -> None:
    """Packet encoding: each packet begins with one of the seven types. Official case."""
    async with await engine.open_websocket() as socket:
        socket.send(text)
        with pytest.raises(ClosedError):
            await socket.recv()


async def test_ping_from_the_client_closes_the_session(engine: Endpoint) -> None:
    """From v3 to v4: "The ping packets are now sent by the server" (reference server: invalid heartbeat direction)."""
    async with await engine.open_websocket() as socket:
        socket.send("2")
        with pytest.raises(ClosedError):
            await socket.recv()


@pytest.mark.parametrize("packet", ["0", "5", "6", "3", "3probe"])
async def test_packets_without_meaning_here_are_ignored(engine: Endpoint, packet: str) -> None:
    """Protocol: open, upgrade, noop and an unasked pong change nothing on an open session (reference server)."""
    async with await engine.open_websocket() as socket:
        socket.send(packet, "4hello")
        assert await socket.recv() == "4hello"


async def test_messages_keep_their_order(engine: Endpoint) -> None:
    """Introduction: a full-duplex channel is ordered."""
    async with await engine.open_websocket() as socket:
        sent = [f"4{number}" if number % 3 else bytes([number]) for number in range(150)]
        socket.send(*sent)
        assert [await socket.recv() for _ in sent] == sent


async def test_fragments_are_joined(engine: Endpoint) -> None:
    """RFC 6455 section 5.4: a message may come in several frames, with control frames between them."""
    async with await engine.open_websocket() as socket:
        socket.send_frame(TEXT, b"4he", fin=False)
        socket.send_frame(CONTINUATION, b"ll", fin=False)
        socket.send_frame(PING, b"between")
        socket.send_frame(CONTINUATION, b"o", fin=True)
        frames = {frame.opcode: frame.payload for frame in [await socket.frame(), await socket.frame()]}
    assert frames == {PONG: b"between", TEXT: b"4hello"}


async def test_websocket_ping_is_answered_with_its_payload(engine: Endpoint) -> None:
    """RFC 6455 section 5.5.2: "an endpoint MUST send a Pong frame in response", section 5.5.3 with the same data."""
    async with await engine.open_websocket() as socket:
        socket.send_frame(PING, b"are you there")
        frame = await socket.frame()
    assert (frame.opcode, frame.payload) == (PONG, b"are you there")


async def test_close_frame_is_answered(engine: Endpoint) -> None:
    """RFC 6455 section 5.5.1: "the endpoint MUST send a Close frame in response", typically with the same code."""
    async with await engine.open_websocket() as socket:
        socket.send_frame(CLOSE, struct.pack("!H", 1000))
        frame = await socket.frame()
        assert (frame.opcode, frame.payload[:2]) == (CLOSE, struct.pack("!H", 1000))
        with pytest.raises(ClosedError):
            await socket.frame()


async def test_message_of_the_maximum_size_is_accepted(engine: Endpoint) -> None:
    """Handshake: "maxPayload: the maximum number of bytes per chunk"."""
    async with await engine.open_websocket() as socket:
        text = "4" + "a" * 999_999
        socket.send(text)
        assert await socket.recv() == text


@pytest.mark.parametrize("fragments", [1, 3])
async def test_message_beyond_the_maximum_size_closes_with_1009(engine: Endpoint, fragments: int) -> None:
    """Handshake: "maxPayload"; RFC 6455 section 7.4.1: "1009 ... a message that is too big"."""
    async with await engine.open_websocket() as socket:
        part = b"4" * (1_000_001 // fragments + 1)
        for number in range(fragments):
            socket.send_frame(CONTINUATION if number else TEXT, part, fin=number == fragments - 1)
        assert (await socket.wait_closed()).code == 1009


@pytest.mark.node_deviates("takes the second WebSocket for an upgrade of the first, and closes both")
async def test_second_websocket_on_a_websocket_session_is_closed(engine: Endpoint) -> None:
    """WebSocket: "A client MUST NOT open more than one WebSocket connection per session. Should it happen, the server
    MUST close the WebSocket connection". The first one goes on.
    """
    async with await engine.websocket() as socket:
        sid = (await socket.text()).split('"sid":"')[1].split('"')[0]
        second = await engine.websocket(EIO="4", transport="websocket", sid=sid)
        await second.wait_closed()
        socket.send("4hello")
        assert await socket.recv() == "4hello"
