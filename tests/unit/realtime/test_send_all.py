"""One buffer to many sockets, by the loop in C and without it."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from parlour.realtime import Limits, Server, send_all
from parlour.realtime.observer import Observer
from parlour.realtime.turn import Turn
from scripts import build_native
from tests.unit.realtime.test_turn import Line

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    made = [socket.socketpair() for _ in range(3)]
    for near, far in made:
        near.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        far.setblocking(False)
    yield made
    for pair in made:
        for each in pair:
            each.close()


def test_it_is_built_where_that_can_be_done(tmp_path: Path) -> None:
    source = shutil.copy(send_all.LIBRARY.with_name("send_all.c"), tmp_path)
    try:
        library = build_native.build(Path(source), "-Werror", "-pedantic")
    except FileNotFoundError:
        pytest.skip("no C compiler here; all tests ran without the loop in C")
    assert send_all._load(library) is not None
    assert send_all.native


def test_a_library_of_another_version_is_not_used(tmp_path: Path) -> None:
    source = tmp_path / "other.c"
    source.write_text("void parlour_send_all_0(void);\nvoid parlour_send_all_0(void) {}\n")
    try:
        library = build_native.build(source)
    except FileNotFoundError:
        pytest.skip("no C compiler here")
    assert send_all._load(library) is None


def test_a_build_that_fails_leaves_no_old_library(tmp_path: Path) -> None:
    source, library = tmp_path / "broken.c", tmp_path / "broken.native.so"
    source.write_text("this is no C")
    library.touch()
    with pytest.raises((subprocess.CalledProcessError, OSError)):
        build_native.build(source)
    assert not library.exists()


def test_without_the_loop_everything_is_left_to_the_transports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_all, "_loop", send_all._load(send_all.LIBRARY.with_name("nowhere.so")))
    assert send_all.send_all([-1, -1], b"abc") == [0, 0]


def test_all_that_take_all_are_nobody_to_look_after(pairs: list[Pair]) -> None:
    assert send_all.send_all([near.fileno() for near, _ in pairs], b"abc") is None
    assert [far.recv(9) for _, far in pairs] == [b"abc"] * 3
    assert send_all.send_all([], b"abc") is None


def test_who_takes_a_part_is_left_out_or_is_gone_is_told_by_place(pairs: list[Pair]) -> None:
    (slow, _), (gone, other_end), (good, reader) = pairs
    data = b"x" * 3_000
    filled = 0
    while (taken := send_all.send_all([slow.fileno()], data)) is None:
        filled += len(data)
    assert filled
    assert 0 <= taken[0] < len(data)
    other_end.close()
    answers = send_all.send_all([slow.fileno(), gone.fileno(), -1, good.fileno()], b"y" * 100)
    assert answers is not None
    assert list(answers) == [0, 0, 0, 100]
    assert reader.recv(200) == b"y" * 100


def test_a_turn_writes_what_a_descriptor_did_not_take_and_what_is_pending_in_order(pairs: list[Pair]) -> None:
    (near, far), (_, _), (_, _) = pairs
    direct, indirect, asked = Line(), Line(), Line()
    direct.descriptor = asked.descriptor = near.fileno()
    room = [direct, indirect, asked, *(Line() for _ in range(5))]
    turn = Turn(lambda _: None, Observer())
    turn.send_many("room", room, b"a")
    turn.send(asked, b"b")
    turn.flush()
    assert (direct.writes, indirect.writes, asked.writes) == ([], [b"a"], [b"ab"])
    assert far.recv(9) == b"a"
    assert asked.descriptor == -1  # until its `write` puts it back


def test_slow_readers_share_the_rest_of_a_broadcast(pairs: list[Pair]) -> None:
    lines = []
    for near, _ in pairs * 2:
        line = Line()
        line.descriptor = near.fileno()
        lines.append(line)
    turn = Turn(lambda _: None, Observer())
    data = os.urandom(1_000_000)
    turn.send_many("room", lines, data)
    turn.flush()
    rests = [line.writes[0] for line in lines]
    assert all(rest == data[-len(rest) :] for rest in rests)
    views = [rest for rest in rests if isinstance(rest, memoryview)]
    assert views
    assert all(view.obj is data for view in views)


class Reader:
    """The socket of a peer whose own reading is stopped, read when a test says so."""

    def __init__(self, peer: Any) -> None:
        stream = peer.transport.underlying_transport
        stream.pause_reading()
        self._near = socket.socket(fileno=os.dup(stream.get_extra_info("socket").fileno()))
        self._near.setblocking(False)
        self.received = bytearray()

    def read(self, most: int = 1 << 40) -> None:
        with contextlib.suppress(BlockingIOError):
            while most > 0 and (chunk := self._near.recv(min(1 << 20, most))):
                most -= len(chunk)
                self.received.extend(chunk)

    def close(self) -> None:
        self._near.close()


async def audience(serve: Any, server: Server) -> tuple[Any, Any]:
    """A peer and its connection, in the company of so many that the loop in C is used."""
    site = await serve(server)
    peer = await site.connect()
    (connection,) = [each.connection for each in server.of("/").sockets.values()]
    for _ in range(6):
        await site.connect()
    return peer, connection


def frames_in(data: bytes) -> list[bytes]:
    """The payloads of whole WebSocket frames as a server writes them."""
    found = []
    at = 0
    while at < len(data):
        assert data[at] in (0x81, 0x88), "a frame begins where another should go on"
        size, start = data[at + 1], at + 2
        if size == 126:
            size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        elif size == 127:
            size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
        at = start + size
        assert len(data) >= at
        found.append(data[start:at])
    return found


async def test_frames_stay_whole_where_the_kernel_has_room_before_the_stream_knows(serve: Any) -> None:
    """What the stream still holds of a frame goes before what the descriptor could take at once."""
    server = Server(limits=Limits(max_outbox_bytes=100_000_000))
    peer, connection = await audience(serve, server)
    waits = connection.transport._stream.get_write_buffer_size
    reader = Reader(peer)
    count = 0

    def emit(size: int) -> None:
        nonlocal count
        server.emit("m", count, "x" * size)
        server.turn.flush()
        count += 1

    for _ in range(5):
        while not waits():
            emit(50_000)
        reader.read()
        emit(10)
        while waits():
            reader.read()
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    reader.read()
    reader.close()
    assert [json.loads(message[2:])[1] for message in frames_in(bytes(reader.received))] == list(range(count))


async def test_a_close_frame_that_picows_sends_by_itself_stays_whole(serve: Any, until: Any) -> None:
    """It goes past the listener, and what the kernel does not take of it waits in the stream."""
    server = Server(limits=Limits(max_outbox_bytes=100_000_000))
    peer, connection = await audience(serve, server)
    waits = connection.transport._stream.get_write_buffer_size
    reader = Reader(peer)
    raw = socket.socket(fileno=os.dup(connection.descriptor))
    raw.setblocking(False)
    filler = b"\x81\x7e\xff\x00" + b"f" * 0xFF00
    for _ in range(10):  # the peer's kernel grows its buffer a few times
        with contextlib.suppress(BlockingIOError):
            while True:
                filler = filler[raw.send(filler) :] or b"\x81\x7e\xff\x00" + b"f" * 0xFF00
        await asyncio.sleep(0.02)
    raw.close()
    peer.transport.underlying_transport.write(b"\x83\x80\0\0\0\0")  # a kind of frame that there is not
    await until(waits)
    assert not connection.closed
    reader.read(3_000_000)
    server.emit("m", "x" * 8_000_000)
    server.turn.flush()
    while waits():
        reader.read()
        await asyncio.sleep(0.001)
    reader.read()
    reader.close()
    said = bytes(reader.received)
    assert b"x\x88" not in said
    assert b"\x03\xea" in said


async def test_a_number_that_is_given_anew_reaches_no_stranger(serve: Any, until: Any) -> None:
    """Connections that are reset in the middle of broadcasts, and new ones that get their descriptors."""
    server = Server()
    site = await serve(server)
    used: set[int] = set()
    reused = 0
    for _ in range(30):
        peers = [await site.connect() for _ in range(8)]
        sockets = list(server.of("/").sockets.values())
        numbers = {each.connection.descriptor for each in sockets}
        assert all(number >= 0 for number in numbers)
        reused += len(numbers & used)
        used |= numbers
        for each in peers:
            raw = each.transport.underlying_transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.transport.underlying_transport.abort()
        strangers = []
        for number in range(6):
            server.emit("secret", number)
            strangers.append(await asyncio.open_connection("127.0.0.1", site.port))
        await until(lambda: not server.of("/").sockets)
        for each in sockets:
            assert each.connection.descriptor == -1
        for reader, writer in strangers:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1")
            assert b"secret" not in answer
            writer.close()
    assert reused
