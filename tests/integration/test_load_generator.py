"""The load generator against a server in a process of its own: what it counts is what was sent."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from load.byte_counter import ByteCounter
from load.frames import masked
from load.machine import Broken, ServerProcess, cores, free_port
from load.socketio import LoadSocket, Lost, connect, connect_all

ROOT = Path(__file__).parents[2]


async def start(module: str, tmp_path: Path) -> ServerProcess:
    port = free_port()
    argv = [sys.executable, "-m", module, str(port)]
    env = {"PYTHONPATH": str(ROOT)}
    return await ServerProcess.start(argv, port=port, core=cores()[0], log=tmp_path / "server.log", env=env)


@pytest.fixture(params=["bench.servers.floor", "bench.servers.engine"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with await start(request.param, tmp_path) as process:
        yield process


async def eventually(reached: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if reached():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not reached within 20 s")


async def test_sockets_and_counters_of_a_room_receive_the_same_bytes(
    server: ServerProcess, request: pytest.FixtureRequest
) -> None:
    engine = "engine" in request.node.name  # its sockets join their room after CONNECT, and are told by `ready`
    messages, size = 40, 10
    events = [0] * size
    received = 0

    def count(socket: LoadSocket, packet: bytes) -> None:
        nonlocal received
        events[socket.index] += 1
        received += len(packet) + (2 if len(packet) < 126 else 4)

    sockets = await connect_all(server.port, ["room"] * size, until_ready=engine, on_event=count)
    counters = [ByteCounter(socket) for socket in sockets[2:]]
    before = [counter.received for counter in counters]
    for n in range(messages):
        sockets[n % 2].write(masked(b'42["msg","%03d"]' % n))
    await eventually(lambda: sum(events[:2]) == 2 * messages)
    expected = [start + received // 2 for start in before]
    await eventually(lambda: [counter.received for counter in counters] == expected)
    assert not any(counter.lost for counter in counters)


async def test_a_server_that_goes_away_is_noticed(server: ServerProcess) -> None:
    socket = await connect(server.port)
    await server.stop()
    await eventually(lambda: socket.lost)
    with pytest.raises(Broken, match="a server ended"):
        server.check()
    with pytest.raises(Lost):
        await connect(server.port)


async def test_a_server_that_never_listens_is_told_with_its_last_words(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "print('no such thing')"]
    with pytest.raises(Broken, match="no such thing"):
        await ServerProcess.start(argv, port=free_port(), core=cores()[0], log=tmp_path / "log")


async def test_a_server_runs_on_its_core_and_its_work_is_measured(tmp_path: Path) -> None:
    async with await start("bench.servers.floor", tmp_path) as process:
        assert process.cpu_seconds() > 0
        assert process.rss() > 1 << 20
