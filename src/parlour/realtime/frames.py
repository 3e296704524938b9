"""WebSocket frames as a server writes them (RFC 6455 section 5.2): whole, unmasked, uncompressed.

The frame bytes are the canonical form of everything that goes out: made once, joined freely, written to any number of
sockets. Long-polling, the rare case, takes them apart again, which is cheap because server frames carry no mask.
"""

from __future__ import annotations

TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8

_FIN = 0x80


def frame(opcode: int, payload: bytes) -> bytes:
    """One final, unmasked frame around `payload`."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | opcode, size)) + payload
    if size < 0x10000:
        return bytes((_FIN | opcode, 126, size >> 8, size & 0xFF)) + payload
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8, "big") + payload


def text_frame(payload: bytes) -> bytes:
    """A text frame; `payload` must be UTF-8."""
    return frame(TEXT, payload)


def binary_frame(payload: bytes) -> bytes:
    """A binary frame."""
    return frame(BINARY, payload)


def split_frames(data: bytes) -> list[tuple[int, bytes]]:
    """Takes joined frames of `frame` apart again into (opcode, payload).

    Raises:
        ValueError: `data` is not a sequence of whole server frames.
    """
    frames = []
    at, end = 0, len(data)
    while at < end:
        if at + 2 > end:
            raise ValueError("a frame ends within its header")
        opcode, size = data[at] & 0x0F, data[at + 1]
        at += 2
        if size > 125:
            width = 2 if size == 126 else 8
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        if at + size > end:
            raise ValueError("a frame ends within its payload")
        frames.append((opcode, data[at : at + size]))
        at += size
    return frames
