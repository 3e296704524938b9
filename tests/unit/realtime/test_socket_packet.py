"""Socket.IO packets (socket.io-protocol v5, "Packet encoding")."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.realtime.errors import ReservedEventName, SocketPacketError
from parlour.realtime.socket_packet import (
    ACK,
    CONNECT,
    CONNECT_ERROR,
    DISCONNECT,
    EVENT,
    MAX_ATTACHMENTS,
    RESERVED_EVENTS,
    SocketPacket,
    check_event_name,
    decode,
    encode,
    packet_frames,
    restore_binary,
)

scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(), st.floats(-1e9, 1e9))
keys = st.text().filter(lambda key: key != "_placeholder")
values = st.recursive(
    st.one_of(scalars, st.binary(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
namespaces = st.one_of(
    st.just("/"), st.text(min_size=1).filter(lambda name: "," not in name).map(lambda name: f"/{name}")
)
ids = st.one_of(st.none(), st.integers(0, 2**53))
names = st.text().filter(lambda name: name not in RESERVED_EVENTS)
packets = st.one_of(
    st.builds(SocketPacket, st.just(EVENT), namespaces, st.tuples(names, values).map(list), ids),
    st.builds(SocketPacket, st.just(ACK), namespaces, st.lists(values, max_size=3), ids),
    st.builds(SocketPacket, st.just(CONNECT), namespaces, st.dictionaries(st.text(), scalars)),
    st.builds(SocketPacket, st.just(DISCONNECT), namespaces),
    st.builds(SocketPacket, st.just(CONNECT_ERROR), namespaces, st.fixed_dictionaries({"message": st.text()})),
)


@given(packets)
def test_decoding_undoes_encoding(packet: SocketPacket) -> None:
    text, attachments = encode(packet)
    if len(attachments) > MAX_ATTACHMENTS:
        with pytest.raises(SocketPacketError):
            decode(text)
        return
    decoded = decode(text)
    assert decoded.attachments == len(attachments)
    if attachments:
        decoded.data = restore_binary(decoded.data, attachments)
        decoded.attachments = 0
    assert decoded == packet


pieces = st.sampled_from(
    [b"0", b"2", b"3", b"4", b"5", b"6", b"51-", b"9-", b"/a", b",", b"[", b'"m"', b"]", b"{", b"}", b"12", b"\\ud800", b"\xff",
     b'{"_placeholder":true,"num":0}', b"-", b"1e999", b'"connect"']
)  # fmt: skip


@given(st.one_of(st.binary(), st.lists(pieces).map(b"".join)))
def test_any_bytes_are_a_packet_or_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(SocketPacketError):
        packet = decode(data)
        restore_binary(packet.data, [b"x"])


@pytest.mark.parametrize("depth", [500, 5_000, 300_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_nesting_beyond_reason_is_a_protocol_error(depth: int, brackets: tuple[str, str]) -> None:
    text = f'2["m",{brackets[0] * depth}1{brackets[1] * depth}]'.encode()
    with contextlib.suppress(SocketPacketError):
        restore_binary(decode(text).data, [b""])


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        (b"0", SocketPacket(CONNECT)),
        (b'0{"token":"123"}', SocketPacket(CONNECT, "/", {"token": "123"})),
        (b"0/admin,", SocketPacket(CONNECT, "/admin")),
        (b"0/admin", SocketPacket(CONNECT, "/admin")),
        (b"1/admin,", SocketPacket(DISCONNECT, "/admin")),
        (b'2["foo"]', SocketPacket(EVENT, "/", ["foo"])),
        (b'2/admin,456["foo",1]', SocketPacket(EVENT, "/admin", ["foo", 1], 456)),
        (b"2[7]", SocketPacket(EVENT, "/", [7])),
        (b"3/admin,456[]", SocketPacket(ACK, "/admin", [], 456)),
        (b'4{"message":"no"}', SocketPacket(CONNECT_ERROR, "/", {"message": "no"})),
    ],
)
def test_the_examples_of_the_specification(text: bytes, packet: SocketPacket) -> None:
    assert decode(text) == packet


def test_attachments_are_announced_and_put_in_their_places() -> None:
    packet = decode(b'52-/admin,456["m",{"_placeholder":true,"num":1},{"a":{"_placeholder":true,"num":0}}]')
    assert (packet.type, packet.namespace, packet.id, packet.attachments) == (EVENT, "/admin", 456, 2)
    assert restore_binary(packet.data, [b"zero", b"one"]) == ["m", b"one", {"a": b"zero"}]


@pytest.mark.parametrize(
    "bad",
    [b"", b"7", b"abc", b"2", b"2{}", b"2[]", b"2[null]", b"2[true]", b'2["connect"]', b'2["disconnecting"]', b'2abc["m"]',
     b'2["m"', b"3", b"3{}", b"1{}", b"0[]", b'0"x"', b"4[]", b'5["m"]', b'5-["m"]', b'50-["m"]', b'511-["m"]', b'5a-["m"]',
     b'5999999-["m"]', b'2/\xff,["m"]', b'299999999999999999["m"]', b'2["\xff"]'],
)  # fmt: skip
def test_what_the_reference_parser_refuses_is_refused(bad: bytes) -> None:
    with pytest.raises(SocketPacketError):
        decode(bad)


@pytest.mark.parametrize("num", ["1", "-1", '"0"', "true", "0.0", "null"])
def test_a_placeholder_without_attachment_is_refused(num: str) -> None:
    with pytest.raises(SocketPacketError):
        restore_binary(decode(f'51-["m",{{"_placeholder":true,"num":{num}}}]'.encode()).data, [b"x"])


def test_half_an_emoji_becomes_a_replacement_character() -> None:
    """JavaScript sends what `"😀".slice(0, 1)` leaves over; closing the connection for it would be a trap for its user."""
    assert decode(b'2["m","a\\ud83d","\\\\ud83d","\\ud83d\\ude00"]').data == ["m", "a\ufffd", "\\ud83d", "\U0001f600"]


def test_raw_json_is_embedded_as_it_is() -> None:
    assert packet_frames(EVENT, b"", ["m", msgspec.Raw(b'{"a": 1}')]) == b'\x81\x1242["m",{"a": 1}]'.replace(
        b"\x12", b"\x10"
    )


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_binary_becomes_an_attachment(kind: Any) -> None:
    assert packet_frames(EVENT, b"/n,", ["m", [kind(b"\x01")]], 3) == (
        b'\x81\x2b451-/n,3["m",[{"_placeholder":true,"num":0}]]'.replace(b"\x2b", b"\x2d") + b"\x82\x01\x01"
    )


@pytest.mark.parametrize("name", sorted(RESERVED_EVENTS))
def test_reserved_names_are_refused(name: str) -> None:
    with pytest.raises(ReservedEventName):
        check_event_name(name)
