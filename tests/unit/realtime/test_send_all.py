"""One buffer to many sockets, by the loop in C and without it."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from parlour.realtime import Limits, Server, send_all
from parlour.realtime.observer import Observer
from parlour.realtime.turn import Turn
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


def test_it_is_built_where_there_is_a_compiler() -> None:
    assert send_all.native or shutil.which(os.environ.get("CC", "cc")) is None


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
    turn = Turn(lambda _: None, Observer())
    turn.send_many("room", [direct, indirect, asked], b"a")
    turn.send(asked, b"b")
    turn.flush()
    assert (direct.writes, indirect.writes, asked.writes) == ([], [b"a"], [b"ab"])
    assert far.recv(9) == b"a"
    assert asked.descriptor == -1  # until its `write` puts it back


def frames_in(data: bytes) -> list[bytes]:
    """The payloads of whole WebSocket frames as a server writes them."""
    found = []
    at = 0
    while at < len(data):
        assert data[at] == 0x81, "a frame begins where another should go on"
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
    peer = await (await serve(server)).connect()
    (connection,) = [each.connection for each in server.of("/").sockets.values()]
    waits = connection.transport._stream.get_write_buffer_size
    stream = peer.transport.underlying_transport
    stream.pause_reading()
    near = socket.socket(fileno=os.dup(stream.get_extra_info("socket").fileno()))
    near.setblocking(False)
    received = bytearray()

    def read_all() -> None:
        with contextlib.suppress(BlockingIOError):
            while chunk := near.recv(1 << 20):
                received.extend(chunk)

    count = 0

    def emit(size: int) -> None:
        nonlocal count
        server.emit("m", count, "x" * size)
        server.turn.flush()
        count += 1

    for _ in range(5):
        while not waits():
            emit(50_000)
        read_all()
        emit(10)
        while waits():
            read_all()
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    read_all()
    near.close()
    assert [json.loads(message[2:])[1] for message in frames_in(bytes(received))] == list(range(count))


async def test_a_number_that_is_given_anew_reaches_no_stranger(serve: Any, until: Any) -> None:
    """Connections that are reset in the middle of broadcasts, and new ones that get their descriptors."""
    server = Server()
    site = await serve(server)
    used: set[int] = set()
    reused = 0
    for _ in range(30):
        peers = [await site.connect() for _ in range(3)]
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
