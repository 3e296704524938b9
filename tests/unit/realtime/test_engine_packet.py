"""Engine.IO packets and payloads (engine.io-protocol v4, "Protocol")."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.realtime.engine_packet import (
    MESSAGE,
    EnginePacket,
    decode_packet,
    decode_payload,
    encode_frame,
    encode_packet,
    encode_payload,
    payload_of_frames,
)
from parlour.realtime.errors import EnginePacketError
from parlour.realtime.frames import CLOSE, frame, split_frames

texts = st.text().filter(lambda text: "\x1e" not in text).map(str.encode)
packets = st.one_of(
    st.tuples(st.integers(0, 6), texts).map(lambda parts: EnginePacket(*parts)),
    st.binary().map(lambda data: EnginePacket(MESSAGE, data, True)),
)


@given(packets)
def test_decoding_undoes_encoding(packet: EnginePacket) -> None:
    assert decode_packet(encode_packet(packet)) == packet


@given(st.lists(packets, min_size=1))
def test_decoding_undoes_encoding_of_payloads(sent: list[EnginePacket]) -> None:
    assert list(decode_payload(encode_payload(sent))) == sent


@given(st.lists(packets, min_size=1))
def test_frames_say_in_a_payload_what_they_say_on_a_websocket(sent: list[EnginePacket]) -> None:
    assert payload_of_frames(b"".join(map(encode_frame, sent))) == encode_payload(sent)


@given(st.binary())
def test_any_bytes_are_a_packet_or_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(EnginePacketError):
        decode_packet(data)


@given(
    st.one_of(
        st.binary(), st.lists(st.sampled_from([b"4a", b"b", b"bAQ==", b"\x1e", b"2", b"9", b"\xff"])).map(b"".join)
    )
)
def test_any_bytes_are_a_payload_or_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(EnginePacketError):
        list(decode_payload(data))


@pytest.mark.parametrize("bad", [b"", b"7", b"abc", b"bAQ", b"b====", b"\xff"])
def test_what_is_no_packet_is_refused(bad: bytes) -> None:
    with pytest.raises(EnginePacketError):
        decode_packet(bad)


def test_packets_before_a_bad_one_are_delivered() -> None:
    payload = decode_payload(b"4one\x1eabc\x1e4three")
    assert next(payload) == EnginePacket(MESSAGE, b"one")
    with pytest.raises(EnginePacketError):
        next(payload)


def test_the_examples_of_the_specification() -> None:
    assert list(decode_payload(b"4hello\x1ebAQIDBA==")) == [
        EnginePacket(MESSAGE, b"hello"),
        EnginePacket(MESSAGE, b"\x01\x02\x03\x04", True),
    ]


def test_a_close_frame_has_no_place_in_a_payload() -> None:
    assert payload_of_frames(encode_frame(EnginePacket(MESSAGE, b"x")) + frame(CLOSE, b"\x03\xe8")) == b"4x"


@given(st.lists(st.binary(max_size=70_000), max_size=3))
def test_frames_of_every_size_come_apart_again(payloads: list[bytes]) -> None:
    joined = b"".join(encode_frame(EnginePacket(MESSAGE, payload, True)) for payload in payloads)
    assert [payload for _, payload in split_frames(joined)] == payloads


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frame_lengths_use_the_shortest_form(size: int) -> None:
    """RFC 6455 section 5.2: "the minimal number of bytes MUST be used to encode the length"."""
    header = {0: 2, 125: 2, 126: 4, 65_535: 4, 65_536: 10}[size]
    frame = encode_frame(EnginePacket(MESSAGE, bytes(size), True))
    assert len(frame) == header + size
    assert split_frames(frame) == [(2, bytes(size))]


@pytest.mark.parametrize("broken", [b"\x81", b"\x81\x02a"])
def test_half_a_frame_is_noticed(broken: bytes) -> None:
    with pytest.raises(ValueError, match="ends within"):
        split_frames(broken)
