"""One whole server for the tests of this folder, whose calls ring and wait for half a second or so."""

from collections.abc import Iterator

import pytest

from ..whole_server import whole_server
from .house import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = {
        "call_ring_seconds": 1.5,
        "call_grace_seconds": 1.5,
        "call_ring_members": 3,
        "turn_urls": "turn:127.0.0.1:41599?transport=udp",
        "turn_secret": "a secret for the tests of calls",
        "stun_urls": "stun:127.0.0.1:41599",
    }
    with whole_server(tmp_path_factory.mktemp("calls"), **settings) as server:
        yield House(server)
