"""Frames that break RFC 6455: each ends its own connection with the right code, and nobody else's."""

import struct

import pytest

from .bystanders import bystander
from .endpoint import Endpoint
from .websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, encode_frame

MASK = b"\x00\x00\x00\x00"

PROTOCOL_ERRORS = {
    "opcode 3 (5.2: reserved)": encode_frame(0x3, b"4hello"),
    "opcode 11 (5.2: reserved)": encode_frame(0xB, b""),
    "unmasked (5.1: a client must mask)": encode_frame(TEXT, b"4hello", mask=False),
    "unmasked binary (5.1)": encode_frame(BINARY, b"\x01", mask=False),
    "rsv1 (5.2: no extension was negotiated)": encode_frame(TEXT, b"4hello", rsv=4),
    "rsv2 (5.2)": encode_frame(TEXT, b"4hello", rsv=2),
    "rsv3 (5.2)": encode_frame(BINARY, b"hello", rsv=1),
    "rsv1 on a ping (5.2)": encode_frame(PING, b"", rsv=4),
    "fragmented ping (5.5: must not be fragmented)": encode_frame(PING, b"", fin=False),
    "fragmented close (5.5)": encode_frame(CLOSE, b"", fin=False),
    "long ping (5.5: 125 bytes or less)": encode_frame(PING, b"x" * 126),
    "continuation of nothing (5.4)": encode_frame(CONTINUATION, b"hello"),
    "new message within a fragmented one (5.4)": encode_frame(TEXT, b"4he", fin=False) + encode_frame(TEXT, b"4hello"),
    "close frame with half a code (5.5.1)": encode_frame(CLOSE, b"\x03"),
    "close frame with code 1005 (7.4.1: must not be sent)": encode_frame(CLOSE, struct.pack("!H", 1005)),
    "close frame with code 999 (7.4.2: not used)": encode_frame(CLOSE, struct.pack("!H", 999)),
}
INVALID_TEXTS = {
    "lone continuation byte": encode_frame(TEXT, b"4\x80"),
    "overlong encoding": encode_frame(TEXT, b"4\xc0\xaf"),
    "surrogate": encode_frame(TEXT, b"4\xed\xa0\x80"),
    "cut off": encode_frame(TEXT, b"4\xe2\x82"),
    "wrong in a fragment": encode_frame(TEXT, b"4a", fin=False) + encode_frame(CONTINUATION, b"\xff"),
}
TOO_BIG = {
    "a terabyte announced": b"\x81\xff" + struct.pack("!Q", 2**40) + MASK + b"4hello",
    "one byte too many announced": b"\x82\xff" + struct.pack("!Q", 1_000_001) + MASK,
    "more than 2^63 (5.2: the most significant bit must be 0)": b"\x81\xff" + struct.pack("!Q", 2**63 + 5) + MASK,
}


async def code_after(endpoint: Endpoint, frames: bytes) -> int | None:
    async with bystander(endpoint), await endpoint.open_websocket() as socket:
        socket.writer.write(frames)
        return (await socket.wait_closed()).code


@pytest.mark.parametrize("name", PROTOCOL_ERRORS)
async def test_protocol_error_closes_with_1002(engine: Endpoint, name: str) -> None:
    """Section 7.4.1: "1002 indicates that an endpoint is terminating the connection due to a protocol error"."""
    assert await code_after(engine, PROTOCOL_ERRORS[name]) == 1002


@pytest.mark.parametrize("name", INVALID_TEXTS)
async def test_text_that_is_not_utf8_closes_with_1007(engine: Endpoint, name: str) -> None:
    """Section 7.4.1: "1007 ... data within a message that was not consistent with the type (e.g., non-UTF-8)"."""
    assert await code_after(engine, INVALID_TEXTS[name]) == 1007


@pytest.mark.parametrize("name", TOO_BIG)
async def test_frame_that_would_be_too_big_closes_before_it_is_sent(engine: Endpoint, name: str) -> None:
    """Section 7.4.1: "1009 ... a message that is too big for it to process"; its announcement is enough."""
    assert await code_after(engine, TOO_BIG[name]) in {1002, 1009}


async def test_frames_cut_into_single_bytes_are_understood(engine: Endpoint) -> None:
    """Section 5.4: framing has nothing to do with how TCP delivers the bytes."""
    async with await engine.open_websocket() as socket:
        for byte in encode_frame(TEXT, b"4hello") + encode_frame(BINARY, b"\x01\x02"):
            socket.writer.write(bytes([byte]))
            await socket.writer.drain()
        assert [await socket.recv(), await socket.recv()] == ["4hello", b"\x01\x02"]
