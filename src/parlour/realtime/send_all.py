"""One buffer to many sockets: by a loop in C where that was built (send_all.c), else left to the transports.

The kernel's part of a write is 5 µs or more; uvloop's and Python's were another 1.5, which the loop in C makes 0.2. It is
plain C behind ctypes, so that building it takes a compiler and nothing of Python (scripts/build_native.py).
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).with_name("send_all.native.so")


def _load(path: Path) -> Any:
    try:
        loop = ctypes.CDLL(str(path)).parlour_send_all_1
    except (OSError, AttributeError):  # not built, or of another version
        return None
    loop.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
    loop.restype = ctypes.c_size_t
    return loop


_loop = _load(LIBRARY)

native: bool = _loop is not None
"""Whether the loop in C is there."""


def send_all(descriptors: Iterable[int], data: bytes) -> Sequence[int] | None:
    """Sends `data` to each descriptor without waiting; negative ones are left out.

    Returns:
        How many bytes each has taken, in the same order, 0 after an error; None where each has taken all.
    """
    taken = array("i", descriptors)
    if _loop is None:
        return [0] * len(taken)
    address, count = taken.buffer_info()
    return taken if _loop(address, count, data, len(data)) else None
