"""Identifiers: UUIDv7 (sorted by time) for nearly everything, UUIDv4 for rooms so that they spread over shards."""

import os
import re
import time
import uuid
from typing import NewType

UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
RoomId = NewType("RoomId", str)
EventId = NewType("EventId", str)
ClientId = NewType("ClientId", str)

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_is_uuid = re.compile(UUID_PATTERN).fullmatch  # `$` alone lets a line break follow


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID in its canonical lower-case form."""
    return _is_uuid(text) is not None


class _MonotonicV7:
    """RFC 9562 section 6.2, method 1: a 12-bit counter keeps ids of one millisecond of one process in order."""

    def __init__(self) -> None:
        self._millisecond = 0
        self._counter = 0

    def __call__(self) -> str:
        return self._next(os.urandom(8))

    def many(self, count: int) -> list[str]:
        """Return `count` ids in order for one read of the system's randomness, each of which lets go of the interpreter lock."""
        random = os.urandom(8 * count)
        return [self._next(random[start : start + 8]) for start in range(0, 8 * count, 8)]

    def _next(self, random: bytes) -> str:
        now = time.time_ns() // 1_000_000
        if now > self._millisecond:
            self._millisecond = now
            self._counter = int.from_bytes(random[:2], "big") & 0x07FF  # half the range is left to count up in
        else:
            self._counter += 1
            if self._counter > 0x0FFF:
                self._millisecond += 1
                self._counter = 0
        value = self._millisecond << 80 | 0x7 << 76 | self._counter << 64
        value |= 0b10 << 62 | int.from_bytes(random, "big") >> 2
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


uuid7 = _MonotonicV7()


def uuid4() -> str:
    """Return a random UUID."""
    return str(uuid.uuid4())
