"""Two who are parted by a relay hear nothing of each other, and everything once they meet again."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from ..ports import free_port, own
from .relays import Relays

PORTS = own(range(31_600, 31_640))
PATIENCE = 30.0


@pytest.fixture
def relays() -> Iterator[Relays]:
    with contextlib.ExitStack() as stack:
        yield Relays(stack, lambda: free_port(PORTS))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        yield listening


def connected(relays: Relays, listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """The two ends of a connection through the way from `a` to `b`."""
    begin = relays.make("a", "b", listener.getsockname()[1])
    near = socket.create_connection(("127.0.0.1", begin), timeout=PATIENCE)
    far, _ = listener.accept()
    far.settimeout(PATIENCE)
    return near, far


def test_what_each_says_arrives(relays: Relays, listener: socket.socket) -> None:
    near, far = connected(relays, listener)
    with near, far:
        near.sendall(b"there")
        far.sendall(b"back")
        assert (far.recv(100), near.recv(100)) == (b"there", b"back")
        near.shutdown(socket.SHUT_WR)
        assert far.recv(100) == b""


def test_parted_they_hear_nothing_and_afterwards_everything(relays: Relays, listener: socket.socket) -> None:
    near, far = connected(relays, listener)
    with near, far:
        meet = relays.part("a", "b")
        near.sendall(b"there")
        far.sendall(b"back")
        for end in (near, far):
            end.settimeout(0.3)
            with pytest.raises(TimeoutError):
                end.recv(100)
            end.settimeout(PATIENCE)
        meet()
        assert (far.recv(100), near.recv(100)) == (b"there", b"back")


def test_who_comes_to_a_port_where_nobody_listens_is_sent_away(relays: Relays) -> None:
    nobody = free_port(PORTS)
    begin = relays.make("a", "b", nobody)
    with socket.create_connection(("127.0.0.1", begin), timeout=PATIENCE) as near:
        near.shutdown(socket.SHUT_WR)
        try:
            said = near.recv(100)
        except ConnectionResetError:
            said = b""
    assert said == b""
