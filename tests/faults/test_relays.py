"""Two who are parted by a relay hear nothing of each other, and everything once they meet again."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from ..ports import free_port, own
from .relays import DELAY, Relays

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


def test_in_a_black_hole_answers_are_lost_and_the_connection_with_them(relays: Relays, listener: socket.socket) -> None:
    near, far = connected(relays, listener)
    with near, far:
        end = relays.hurt("b", "in a black hole", ("a",))
        near.sendall(b"there")
        assert far.recv(100) == b"there"
        far.sendall(b"back")
        near.settimeout(0.3)
        with pytest.raises(TimeoutError):
            near.recv(100)
        near.settimeout(PATIENCE)
        end()
        assert ended(near)


def test_far_away_everything_arrives(relays: Relays, listener: socket.socket) -> None:
    near, far = connected(relays, listener)
    with near, far:
        relays.hurt("b", "far away", ("a",))
        far.sendall(b"back")
        near.settimeout(DELAY / 2)
        with pytest.raises(TimeoutError):
            near.recv(100)
        near.settimeout(PATIENCE)
        assert near.recv(100) == b"back"


@pytest.mark.parametrize("kind", ["cut off", "with connections reset"])
def test_connections_end_and_others_are_to_be_had_afterwards(
    relays: Relays, listener: socket.socket, kind: str
) -> None:
    near, far = connected(relays, listener)
    begin = near.getpeername()
    with near, far:
        end = relays.hurt("b", kind, ("a",))
        assert ended(near)
        assert ended(far)
    with socket.create_connection(begin, timeout=PATIENCE) as new:
        assert ended(new)
    end()
    listener.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        listener.accept()[0].close()  # of the one that was reset
    listener.settimeout(PATIENCE)
    with socket.create_connection(begin, timeout=PATIENCE) as near:
        far, _ = listener.accept()
        with far:
            far.sendall(b"back")
            assert near.recv(100) == b"back"


def test_an_answer_is_cut(relays: Relays, listener: socket.socket) -> None:
    near, far = connected(relays, listener)
    with near, far:
        relays.hurt("b", "with answers cut", ("a",))
        far.sendall(b"x" * 10_000)
        assert 0 < len(everything(near)) <= 4000


def everything(end: socket.socket) -> bytes:
    """What comes until the connection ends."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while part := end.recv(10_000):
            said += part
    return said


def ended(end: socket.socket) -> bool:
    return everything(end) == b""
