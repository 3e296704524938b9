"""`connect` and `memory`: what it costs to be there, before a word is said."""

import asyncio
import time
from collections.abc import Sequence

from bench.results import Result, compared, progress
from bench.setting import Parlour, Setting, check_generator, peer_version, start_engine, start_node
from load.machine import CoreShare, ServerProcess
from load.socketio import LoadSocket, connect_all

ROOM_SIZE = 50
IN_FLIGHT = 100
WARM_SOCKETS = 100
"""Connected before the first reading of the memory, so that what is loaded once is not counted."""
SETTLING_SECONDS = 2.0


def _rooms(count: int) -> list[str]:
    return [f"room-{i // ROOM_SIZE}" for i in range(count)]


async def _rate(server: ServerProcess, tokens: Sequence[str], *, until_ready: bool) -> tuple[float, float]:
    """Connect one socket a token; return connects a second and the generator's share of its core."""
    start, share = time.perf_counter(), CoreShare()
    sockets = await connect_all(server.port, tokens, in_flight=IN_FLIGHT, until_ready=until_ready)
    rate, generator = len(sockets) / (time.perf_counter() - start), share()
    await _leave(sockets)
    return rate, generator


async def _leave(sockets: Sequence[LoadSocket]) -> None:
    for socket in sockets:
        socket.close()
    await asyncio.sleep(SETTLING_SECONDS)


async def connect(setting: Setting) -> None:
    """Authenticated connects to `ready` a second, each token new to the server; the peer's to its connect acknowledgement."""
    count = setting.size(2_000, 200)
    node = f"node socket.io {peer_version('socket.io')} without auth"
    ours, theirs, shares = [], [], []
    async with Parlour(users=count * setting.repeats, room_size=ROOM_SIZE) as parlour:
        for repeat in range(setting.repeats):
            tokens = [user.access_token for user in parlour.users[repeat * count : (repeat + 1) * count]]
            value, share = await _rate(parlour.server, tokens, until_ready=True)
            async with await start_node("socketio-room.mjs") as server:
                peer, peer_share = await _rate(server, _rooms(count), until_ready=False)
            progress(f"connect {repeat + 1}/{setting.repeats}: ours {value:.0f}/s, peer {peer:.0f}/s")
            ours.append(value)
            theirs.append(peer)
            shares += [share, peer_share]
    setting.report(compared("connect", ours, theirs, "connects/s", node))
    check_generator(setting, "connect", shares)


async def _growth(server: ServerProcess, tokens: Sequence[str], *, until_ready: bool) -> float:
    """Return KiB of resident memory a socket."""
    await connect_all(server.port, tokens[:WARM_SOCKETS], until_ready=until_ready)
    await asyncio.sleep(SETTLING_SECONDS)
    before = server.rss()
    rest = tokens[WARM_SOCKETS:]
    sockets = await connect_all(server.port, rest, first_index=WARM_SOCKETS, until_ready=until_ready)
    await asyncio.sleep(SETTLING_SECONDS)
    server.check()
    return (server.rss() - before) / 1024 / len(sockets)


async def memory(setting: Setting) -> None:
    """KiB a socket in a room of 50: authenticated on the whole server, on the engine alone, and on the peer."""
    count = setting.size(9_900, 600)
    node = f"node socket.io {peer_version('socket.io')}"
    async with await start_node("socketio-room.mjs") as server:
        peer = await _growth(server, _rooms(count), until_ready=False)
    progress(f"memory: peer {peer:.1f} KiB a socket")
    async with await start_engine() as server:
        engine = await _growth(server, _rooms(count), until_ready=True)
    async with Parlour(users=count, room_size=ROOM_SIZE) as parlour:
        tokens = [user.access_token for user in parlour.users]
        whole = await _growth(parlour.server, tokens, until_ready=True)
    setting.report(Result("memory", whole, "KiB/socket", node, whole / peer))
    setting.report(Result("memory_engine", engine, "KiB/socket", node, engine / peer))
