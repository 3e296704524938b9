"""`rest`: lists of 20 items for a bearer, against Express that checks the same kind of token and has its list in memory."""

from typing import Any

import msgspec

from bench.results import compared, progress
from bench.setting import FOLDER, Parlour, Setting, check_generator, peer_version, start_node
from load.http import Connection, open_connection, repeat, request_bytes
from load.machine import Broken, CoreShare

ITEMS = 20
CONNECTIONS = 64


async def rest(setting: Setting) -> None:
    """Requests a second for the 20 rooms of a user, and for the last 20 messages of a room."""
    peer = f"node express {peer_version('express')} with jose {peer_version('jose')}"
    seconds = 0.5 if setting.quick else 4.0
    shares: list[float] = []
    async with Parlour(users=ITEMS, room_size=ITEMS) as parlour:
        user = parlour.users[0]
        port, token = parlour.server.port, user.access_token
        connection = await open_connection(port)
        await _fill(connection, token, user.room_ids)
        paths = {"rest": "/api/rooms", "rest_messages": f"/api/rooms/{user.room_ids[0]}/messages?limit={ITEMS}"}
        for name, path in paths.items():
            items = _list(await connection.call("GET", path, token=token), path)
            ours, theirs = [], []
            for _ in range(setting.repeats):
                ours.append(await _measure(port, path, token, seconds, shares))
                theirs.append(await _peer(items, seconds, shares))
                progress(f"{name}: ours {ours[-1]:.0f}/s, peer {theirs[-1]:.0f}/s")
            setting.report(compared(name, ours, theirs, "requests/s", peer))
    check_generator(setting, "rest", shares)


async def _fill(connection: Connection, token: str, room_ids: list[str]) -> None:
    """Make the user a member of 20 rooms and give the first room 20 messages."""
    for n in range(ITEMS - len(room_ids)):
        await connection.call("POST", "/api/rooms", token=token, body={"name": f"room {n}", "kind": "public"})
    for n in range(ITEMS):
        body = {"client_id": f"00000000-0000-4000-8000-{n:012x}", "text": f"message {n} of a list that someone reads"}
        await connection.call("POST", f"/api/rooms/{room_ids[0]}/messages", token=token, body=body)


def _list(answer: Any, path: str) -> list[Any]:
    """Return the list in an answer: the peer serves the same items."""
    found = answer if isinstance(answer, list) else next((v for v in answer.values() if isinstance(v, list)), [])
    if len(found) != ITEMS:
        raise Broken(f"{path} answered {len(found)} items, not {ITEMS}")
    return found


async def _measure(port: int, path: str, token: str, seconds: float, shares: list[float]) -> float:
    request = request_bytes("GET", path, token=token)
    await repeat(port, request, connections=CONNECTIONS, seconds=seconds / 4)
    share = CoreShare()
    rate = await repeat(port, request, connections=CONNECTIONS, seconds=seconds)
    shares.append(share())
    return rate


async def _peer(items: list[Any], seconds: float, shares: list[float]) -> float:
    items_file, token_file = FOLDER / "rest-items.json", FOLDER / "rest-token"
    items_file.write_bytes(msgspec.json.encode(items))
    async with await start_node("express-list.mjs", str(items_file), str(token_file)) as server:
        token = token_file.read_text()
        return await _measure(server.port, "/items", token, seconds, shares)
