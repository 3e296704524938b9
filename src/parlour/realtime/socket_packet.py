"""Socket.IO v5 packets (socket.io-protocol v5): text with JSON, binary attachments beside it.

`<type>[<attachments>-][<namespace>,][<ack id>][JSON]`, carried by Engine.IO messages. The decoder accepts exactly what the
reference parser (socket.io-parser 4.2) accepts; where JavaScript is lax about lone surrogates, they become U+FFFD, so that
a message cut through an emoji does not cost its sender the connection.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from parlour.realtime.errors import ReservedEventName, SocketPacketError
from parlour.realtime.frames import binary_frame, text_frame

CONNECT: Final = 0
DISCONNECT: Final = 1
EVENT: Final = 2
ACK: Final = 3
CONNECT_ERROR: Final = 4
BINARY_EVENT: Final = 5
BINARY_ACK: Final = 6

RESERVED_EVENTS: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
MAX_ATTACHMENTS: Final = 10  # the reference parser's bound
_MAX_ACK_DIGITS: Final = 16  # 2^53, the largest id that JavaScript counts to, has 16

_LONE_SURROGATE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_decode_json = msgspec.json.Decoder().decode
_encode_json = msgspec.json.Encoder().encode


class SocketPacket(msgspec.Struct):
    """One packet. `data` by type: CONNECT a dict; EVENT a list whose first item names it; ACK a list; else None.

    `attachments` counts the binary messages that must follow; the type is then EVENT or ACK all the same.
    """

    type: int
    namespace: str = "/"
    data: Any = None
    id: int | None = None
    attachments: int = 0


def decode(text: bytes, start: int = 0) -> SocketPacket:
    """Decodes the text of a packet that begins at `start`.

    Raises:
        SocketPacketError: anything that the protocol does not allow.
    """
    end = len(text)
    if start >= end:
        raise SocketPacketError("an empty packet")
    kind = text[start] - 0x30
    if not CONNECT <= kind <= BINARY_ACK:
        raise SocketPacketError("an unknown packet type")
    at = start + 1
    attachments = 0
    if kind >= BINARY_EVENT:
        attachments, at = _attachments(text, at)
        kind -= BINARY_EVENT - EVENT
    namespace = "/"
    if at < end and text[at] == 0x2F:  # "/"
        namespace, at = _namespace(text, at, end)
    ack_id = None
    digits = at
    while at < end and 0x30 <= text[at] <= 0x39:
        at += 1
    if at > digits:
        if at - digits > _MAX_ACK_DIGITS:
            raise SocketPacketError("an acknowledgement id out of range")
        ack_id = int(text[digits:at])
    data = _json(text[at:]) if at < end else None
    if at < end or kind in (EVENT, ACK):
        _check(kind, data)
    return SocketPacket(kind, namespace, data, ack_id, attachments)


def _attachments(text: bytes, at: int) -> tuple[int, int]:
    dash = text.find(b"-", at, at + 4)
    count = text[at:dash] if dash > at else b""
    if not count.isdigit():
        raise SocketPacketError("illegal attachments")
    number = int(count)
    if not 1 <= number <= MAX_ATTACHMENTS:
        raise SocketPacketError("too many attachments, or none")
    return number, dash + 1


def _namespace(text: bytes, at: int, end: int) -> tuple[str, int]:
    comma = text.find(b",", at)
    stop = comma if comma >= 0 else end
    try:
        return text[at:stop].decode(), min(stop + 1, end)
    except UnicodeDecodeError as exc:
        raise SocketPacketError("a namespace that is not UTF-8") from exc


def _json(data: bytes) -> Any:
    try:
        return _decode_json(data)
    except RecursionError as exc:
        raise SocketPacketError("JSON nested too deeply") from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        mended = _LONE_SURROGATE.sub(lambda found: b"\\ufffd" if found[1] else found[0], data)
        if mended != data:
            try:
                return _decode_json(mended)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass
        raise SocketPacketError("a payload that is not JSON") from exc


def _check(kind: int, data: Any) -> None:
    match kind:
        case 2:
            if type(data) is list and data:
                name = data[0]
                if type(name) is str:
                    if name not in RESERVED_EVENTS:
                        return
                elif type(name) in (int, float):
                    return
        case 3 if type(data) is list:
            return
        case 0 if type(data) is dict:
            return
        case 4 if type(data) in (dict, str):
            return
    raise SocketPacketError("an invalid payload")


def encode(packet: SocketPacket) -> tuple[bytes, list[bytes]]:
    """The text of a packet and its binary attachments, `bytes` anywhere in `data` taken out of it in order."""
    return _encode(packet.type, namespace_prefix(packet.namespace), packet.data, packet.id)


def namespace_prefix(namespace: str) -> bytes:
    """How a packet names its namespace: not at all for "/"."""
    return b"" if namespace == "/" else namespace.encode() + b","


def _encode(kind: int, prefix: bytes, data: Any, ack_id: int | None) -> tuple[bytes, list[bytes]]:
    attachments: list[bytes] = []
    if kind in (EVENT, ACK) and _has_binary(data):
        data = _take_binary(data, attachments)
    number = b"" if ack_id is None else b"%d" % ack_id
    body = b"" if data is None else _encode_json(data)
    if attachments:
        kind += BINARY_EVENT - EVENT
        return b"%d%d-%b%b%b" % (kind, len(attachments), prefix, number, body), attachments
    return b"%d%b%b%b" % (kind, prefix, number, body), attachments


def packet_frames(kind: int, prefix: bytes, data: Any, ack_id: int | None = None) -> bytes:
    """The WebSocket frames of a packet and its attachments, joined. `prefix` is `namespace_prefix` of the namespace."""
    text, attachments = _encode(kind, prefix, data, ack_id)
    first = text_frame(b"4" + text)
    return first + b"".join(map(binary_frame, attachments)) if attachments else first


def check_event_name(event: str) -> None:
    """Raises ReservedEventName for a name that the protocol keeps for itself."""
    if event in RESERVED_EVENTS:
        raise ReservedEventName(f'"{event}" is a reserved event name')


_SCALARS: Final = frozenset((str, int, float, bool, type(None), msgspec.Raw))


def _has_binary(value: Any) -> bool:
    """Whether there is anything to take out; most packets have nothing, and are not copied to find that out.

    Looks into lists, tuples and dicts. What msgspec encodes by itself (Struct, Raw, dataclasses) is left alone.
    """
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return isinstance(value, bytes | bytearray | memoryview)
    for item in value:  # noqa: SIM110 - a generator for `any` would double the time
        if type(item) not in _SCALARS and _has_binary(item):
            return True
    return False


def _take_binary(value: Any, found: list[bytes]) -> Any:
    """`value` with placeholders for its binary parts."""
    if isinstance(value, bytes | bytearray | memoryview):
        found.append(bytes(value))
        return {"_placeholder": True, "num": len(found) - 1}
    if isinstance(value, dict):
        return {key: _take_binary(item, found) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_take_binary(item, found) for item in value]
    return value


def restore_binary(value: Any, attachments: Sequence[bytes]) -> Any:
    """Puts received attachments where their placeholders are, in place.

    Raises:
        SocketPacketError: a placeholder without attachment, or nesting beyond reason.
    """
    try:
        return _restore(value, attachments)
    except RecursionError as exc:
        raise SocketPacketError("attachments nested too deeply") from exc


def _restore(value: Any, attachments: Sequence[bytes]) -> Any:
    if type(value) is dict:
        if value.get("_placeholder") is True:
            number = value.get("num")
            if type(number) is not int or not 0 <= number < len(attachments):
                raise SocketPacketError("illegal attachments")
            return attachments[number]
        for key, item in value.items():
            value[key] = _restore(item, attachments)
    elif type(value) is list:
        for index, item in enumerate(value):
            value[index] = _restore(item, attachments)
    return value
