"""Engine.IO v4 packets and long-polling payloads (engine.io-protocol v4, "Protocol").

A packet is one digit and its data; a binary message is bare bytes on WebSocket and `b` + base64 in a payload. Packets of
a payload are separated by the record separator U+001E.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from parlour.realtime.errors import EnginePacketError
from parlour.realtime.frames import BINARY, CLOSE, binary_frame, split_frames, text_frame

OPEN: Final = 0
CLOSE_PACKET: Final = 1
PING: Final = 2
PONG: Final = 3
MESSAGE: Final = 4
UPGRADE: Final = 5
NOOP: Final = 6

SEPARATOR: Final = b"\x1e"
PROTOCOL_VERSION: Final = "4"


class EnginePacket(NamedTuple):
    """One packet. `data` is UTF-8 text unless `binary`, which only a message can be."""

    type: int
    data: bytes = b""
    binary: bool = False


def decode_packet(data: bytes) -> EnginePacket:
    """Decodes a text packet, or a base64 one as payloads carry it.

    Raises:
        EnginePacketError: empty, an unknown type or bad base64.
    """
    if not data:
        raise EnginePacketError("an empty packet")
    first = data[0]
    if first == 0x62:  # "b"
        try:
            return EnginePacket(MESSAGE, a2b_base64(data[1:], strict_mode=True), True)
        except Base64Error as exc:
            raise EnginePacketError("a binary packet that is not base64") from exc
    kind = first - 0x30
    if not OPEN <= kind <= NOOP:
        raise EnginePacketError("an unknown packet type")
    return EnginePacket(kind, data[1:])


def encode_packet(packet: EnginePacket) -> bytes:
    """The text form, as payloads carry it (binary as base64)."""
    if packet.binary:
        return b"b" + b64encode(packet.data)
    return b"%d%b" % (packet.type, packet.data)


def encode_frame(packet: EnginePacket) -> bytes:
    """The WebSocket frame of a packet."""
    if packet.binary:
        return binary_frame(packet.data)
    return text_frame(b"%d%b" % (packet.type, packet.data))


def decode_payload(body: bytes) -> Iterator[EnginePacket]:
    """Packets of a long-polling body, in order; what precedes a bad packet is yielded before the error.

    Raises:
        EnginePacketError: the body is not UTF-8, or a packet of it is malformed.
    """
    try:
        body.decode()
    except UnicodeDecodeError as exc:
        raise EnginePacketError("a payload that is not UTF-8") from exc
    for part in body.split(SEPARATOR):
        yield decode_packet(part)


def encode_payload(packets: Iterable[EnginePacket]) -> bytes:
    """A long-polling body of the packets."""
    return SEPARATOR.join(map(encode_packet, packets))


@lru_cache(maxsize=16)  # a broadcast asks once for each of its long-polling recipients, with the same bytes
def payload_of_frames(frames: bytes) -> bytes:
    """The long-polling body that says what joined WebSocket frames say."""
    return SEPARATOR.join(
        b"b" + b64encode(payload) if opcode == BINARY else payload
        for opcode, payload in split_frames(frames)
        if opcode != CLOSE
    )


PING_FRAME: Final = text_frame(b"2")
NOOP_PAYLOAD: Final = b"6"
CLOSE_PAYLOAD: Final = b"1"
PROBE: Final = b"probe"
PROBE_ANSWER_FRAME: Final = text_frame(b"3probe")
