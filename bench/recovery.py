"""What `kill -9` of a node costs those who were on it: until they are back, and until they have what was said meanwhile."""

import asyncio
import ssl
import time
import uuid
from collections.abc import Callable, Sequence

import msgspec

from bench.results import Result, emit
from bench.setting import SeededUser
from load.latency import Latencies
from load.machine import Broken
from load.socketio import LoadSocket, Lost, Refused, connect

MEANWHILE = 20
"""Messages that each room is told by those who stay, while the others are away."""
EACH = 0.1
"""Seconds between two of them."""
PATIENCE = 60.0


async def recovery(
    kill: Callable[[], None],
    port: int,
    sockets: Sequence[LoadSocket],
    people: Sequence[SeededUser],
    tls: ssl.SSLContext,
) -> None:
    """Kill a node, and have its people come back as a client does: after up to a second, and again, then by `sync`.

    Raises:
        ExceptionGroup: of `Broken`, where a message is missing from what they were given.
        TimeoutError: they are not back within a minute.
    """
    rooms = [user.room_ids[0] for user in people]
    known = await _said(sockets, rooms, 1)
    kill()
    killed = time.perf_counter()
    await asyncio.sleep(0.5)  # until all have noticed
    gone = [socket.index for socket in sockets if socket.lost]
    there = [socket for socket in sockets if not socket.lost]
    if len({rooms[socket.index] for socket in there}) < len(set(rooms)):
        raise Broken("a room has nobody left who could say anything")
    back, synced, replays = Latencies(), Latencies(), Latencies()

    async def come_back(index: int) -> None:
        while True:
            await asyncio.sleep((index % 100) / 100)
            try:
                socket = await connect(port, index, token=people[index].access_token, until_ready=True, tls=tls)
                ready = time.perf_counter()
                took = await _replay(socket, rooms[index], known[rooms[index]])
            except (Lost, Refused, TimeoutError):
                continue
            back.add(ready - killed)
            synced.add(time.perf_counter() - killed)
            replays.add(took)
            return

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        telling = group.create_task(_said(there, rooms, MEANWHILE))
        for index in gone:
            group.create_task(come_back(index))
    if (least := min(told - known[room] for room, told in telling.result().items())) < MEANWHILE:
        raise Broken(f"a room has {least} of {MEANWHILE} messages that were acknowledged")
    emit(Result("cluster_recovery_sockets", len(synced), "sockets"))
    for name, times in (("ready", back), ("synced", synced), ("replay", replays)):
        emit(Result(f"cluster_recovery_{name}_p50", times.quantile(0.5) * 1000, "ms"))
        emit(Result(f"cluster_recovery_{name}_p99", times.quantile(0.99) * 1000, "ms"))


async def _said(sockets: Sequence[LoadSocket], rooms: Sequence[str], count: int) -> dict[str, int]:
    """Have one of each room's sockets send so many messages; return each room's last seq."""
    speakers = {rooms[socket.index]: socket for socket in sockets}
    heads: dict[str, int] = {}

    async def speak(room: str, socket: LoadSocket) -> None:
        for _ in range(count):
            message = {"room_id": room, "client_id": str(uuid.uuid4()), "text": "meanwhile"}
            while True:
                async with asyncio.timeout(PATIENCE):
                    answer, *_ = await socket.call("message.send", message)
                if answer["ok"]:
                    break
                await asyncio.sleep(answer["error"].get("retry_after", 1))
            heads[room] = answer["seq"]
            await asyncio.sleep(EACH)

    async with asyncio.TaskGroup() as group:
        for room, socket in speakers.items():
            group.create_task(speak(room, socket))
    return heads


async def _replay(socket: LoadSocket, room: str, known: int) -> float:
    """Fetch what the room has said since `known`, and return the seconds that it took."""
    (ready,) = msgspec.json.decode(socket.ready[2:])[1:]
    head = next(each["head"] for each in ready["rooms"] if each["id"] == room)
    began = time.perf_counter()
    async with asyncio.timeout(PATIENCE):
        answer, *_ = await socket.call("sync", {"rooms": {room: known}})
    if not answer["ok"]:  # as a client, once more
        raise Lost(f"sync is refused: {answer['error']['code']}")
    took = time.perf_counter() - began
    seqs = [event["seq"] for event in answer["rooms"][room]["events"]]
    if seqs != list(range(known + 1, known + 1 + len(seqs))) or known + len(seqs) < head:
        raise Broken(f"sync gave {seqs} after {known}, where ready said {head}")
    return took
