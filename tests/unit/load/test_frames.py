"""Frames of the generator, as RFC 6455 section 5.2 lays them out."""

import pytest

from load.frames import masked


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (125, bytes([0x81, 0x80 | 125])),
        (126, b"\x81\xfe\x00\x7e"),
        (65_535, b"\x81\xfe\xff\xff"),
        (65_536, b"\x81\xff" + (65_536).to_bytes(8, "big")),
    ],
)
def test_the_length_takes_the_shortest_form_and_the_key_is_zero(size: int, header: bytes) -> None:
    payload = b"x" * size
    assert masked(payload) == header + bytes(4) + payload
