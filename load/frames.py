"""WebSocket frames a client sends, ready to write: RFC 6455 section 5."""

import struct

PING = b"\x81\x012"
"""The Engine.IO heartbeat as a server's frame."""


def masked(payload: bytes) -> bytes:
    """Return one text frame with the masking key 0, which masks nothing.

    A server cannot tell, and the generator saves the XOR. A stock client may not do so: RFC 6455 section 10.3 wants
    keys that an attacker cannot guess.
    """
    size = len(payload)
    if size < 126:
        return bytes((0x81, 0x80 | size, 0, 0, 0, 0)) + payload
    if size < 1 << 16:
        return b"\x81\xfe" + struct.pack(">HI", size, 0) + payload
    return b"\x81\xff" + struct.pack(">QI", size, 0) + payload


PONG = masked(b"3")
EIO_CLOSE = masked(b"1")
