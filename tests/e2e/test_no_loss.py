"""Nothing sent is lost, doubled or reordered, however often the server is killed or restarted under load."""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.model import SYNC_GAP, RoomEvent
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId

from ..history.checker import Acked, Entry, Held, History, Live, Sent, Shown, Skipped, violations
from ..integration.socketio_client import Client
from .parlour_server import NodeScript, ParlourServer, User

KILLS = int(os.environ.get("PARLOUR_KILLS", "20"))
SEED = int(os.environ.get("PARLOUR_SEED", "1"))
WINDOW = 200
"""Events; `sync` replays at most 500 at a time."""

LONGEST_WAIT = 5_000
"""Milliseconds from a disconnect to the next `ready` that a restart may cost anybody."""


def members(server: ParlourServer) -> list[User]:
    """Six users who are all in both of two rooms; starts the server."""
    users = server.seed(6, 3)
    rooms = {room_id for user in users for room_id in user.room_ids}
    server.start()
    for user in users:
        for room_id in rooms - set(user.room_ids):
            httpx.post(f"{server.url}/api/rooms/{room_id}/join", headers=user.headers).raise_for_status()
        user.room_ids = sorted(rooms)
    return users


def talking(server: ParlourServer, folder: Path, *, pause: int, reconnection: str) -> NodeScript:
    return NodeScript(
        "no-loss-clients.mjs",
        folder / "clients.jsonl",
        url=server.url,
        tokens=str(folder / "tokens.jsonl"),
        seed=str(SEED),
        pause=str(pause),
        reconnection=reconnection,
    )


def acked(lines: list[dict[str, Any]]) -> int:
    return next((line["acked"] for line in reversed(lines) if line["event"] == "progress"), 0)


def everybody_speaks(clients: NodeScript, users: int, more: int) -> None:
    """Wait until all are connected and `more` messages were acknowledged since."""
    before = acked(clients.lines())
    clients.until(
        lambda lines: lines and lines[-1].get("back") == users and acked(lines) >= before + more, "everybody is back"
    )


def histories(clients: NodeScript) -> list[dict[str, Any]]:
    clients.tell("stop")
    return told_in(clients.finish())


def told_in(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each client told at its end, `applied` as entries and `shown` as messages."""
    entries: list[Entry] = []
    states: list[Shown] = []
    told = []
    for line in lines:
        if line["event"] == "entries":
            entries += [Entry(**each) for each in line["entries"]]
        elif line["event"] == "states":
            states += map(shown, line["states"])
        elif line["event"] == "history":
            applied, messages = [entries[each] for each in line["applied"]], [states[each] for each in line["shown"]]
            told.append(line | {"applied": applied, "shown": messages})
    return told


def shown(state: dict[str, Any]) -> Shown:
    del state["sender_id"]
    return Shown(**state | {"reactions": tuple((emoji, user_id) for emoji, user_id in state["reactions"])})


def of(client: dict[str, Any]) -> History:
    """The history of one of `told_in`, without what arrived live."""
    return History(
        client["user"],
        [Sent(**each) for each in client["sent"]],
        [Acked(**each) for each in client["acked"]],
        client["applied"],
        skipped=[Skipped(**each) for each in client["skipped"]],
        returns=[Held(**each) for each in client["returns"]],
        shown=client["shown"],
    )


def with_live(client: dict[str, Any]) -> History:
    streams = client["live"]
    live = [Live(connection, room_id, seq, stay) for connection, room_id, stay, seqs in streams for seq in seqs]
    return of(client)._replace(live=live)


def entry(event: dict[str, Any]) -> Entry:
    return entry_of(msgspec.convert(event, RoomEvent))


def entry_of(event: RoomEvent) -> Entry:
    data = [event.data.get(name) for name in ("message_id", "emoji", "user_id")]
    return Entry(
        event.room_id,
        event.seq,
        event.id,
        event.sender_id,
        event.client_id,
        event.data.get("text"),
        event.type.value,
        *data,
    )


async def by_sync(server: ParlourServer, user: User) -> list[Entry]:
    """The log as `sync` tells it from the beginning: history gives the place from which a window can be asked for."""
    client = await Client.connect(server.url, {"token": user.access_token})
    heads = {room["id"]: room["head"] for room in (await client.wait_for("ready"))["rooms"]}
    found: list[Entry] = []
    for room_id in user.room_ids:
        last = max(0, heads[room_id] - WINDOW)
        answer = await client.call("sync", {"rooms": {room_id: last}})
        assert answer["rooms"][room_id]["reset"] is False
        assert answer["rooms"][room_id]["head"] == heads[room_id]
        found += map(entry, answer["rooms"][room_id]["events"])
        assert (await client.call("sync", {"rooms": {room_id: 0}}))["rooms"][room_id]["reset"] is (heads[room_id] > 500)
    await client.close()
    return found


def by_pages(server: ParlourServer, user: User, room_id: str) -> list[tuple[int, str, str]]:
    """The messages of a room as HTTP pages them from its beginning: seq, id and text."""
    found: list[tuple[int, str, str]] = []
    with httpx.Client(base_url=server.url, headers=user.headers) as http:
        while True:
            after = found[-1][0] if found else 0
            page = http.get(f"/api/rooms/{room_id}/messages", params={"after": after, "limit": 100})
            if page.status_code == httpx.codes.TOO_MANY_REQUESTS:
                time.sleep(page.json()["error"]["retry_after"])
                continue
            messages = page.raise_for_status().json()["messages"]
            if not messages:
                return found
            found += [(each["seq"], each["id"], each["text"]) for each in reversed(messages)]


async def stored(server: ParlourServer, rooms: list[str]) -> list[Entry]:
    """The log as it is on disk; the server must have stopped."""
    log = await SqliteRoomLog.open(server.data_dir / "messages.db", SystemClock())
    try:
        tails = await log.tails([RoomId(room_id) for room_id in rooms])
        events: list[RoomEvent] = []
        for room_id, tail in tails.items():
            events += await log.events(room_id, 0, tail.seq)
    finally:
        await log.close()
    return [entry_of(each) for each in events]


async def prove(server: ParlourServer, users: list[User], told: list[dict[str, Any]]) -> None:
    """Compare what every client sent, was told and saw with the log: as HTTP, as `sync` and as the disk has it."""
    synced = await by_sync(server, users[0])
    pages = {room_id: by_pages(server, users[1], room_id) for room_id in users[0].room_ids}
    assert server.terminate() == 0
    log = await stored(server, users[0].room_ids)
    assert violations(log, map(with_live, told)) == []
    for room_id in users[0].room_ids:
        events = [each for each in log if each.room_id == room_id]
        assert [each for each in synced if each.room_id == room_id] == events[-WINDOW:]
        assert pages[room_id] == [(each.seq, each.id, each.text) for each in events if each.text is not None]
    assert [client["problems"] for client in told] == [[]] * len(users)
    assert all(client["sent"] for client in told)


@pytest.mark.timeout(120 + 20 * KILLS)
async def test_killed_at_random_moments_nothing_acknowledged_is_lost_doubled_or_reordered(
    server: ParlourServer, tmp_path: Path
) -> None:
    users = members(server)
    clients = talking(server, tmp_path, pause=30, reconnection="fast")
    moments = random.Random(SEED)
    try:
        for _ in range(KILLS):
            everybody_speaks(clients, len(users), 10)
            await asyncio.sleep(moments.uniform(0, 0.3))  # alive for a random moment more
            server.kill()
            server.start()
        everybody_speaks(clients, len(users), 10)
        told = histories(clients)
    finally:
        clients.close()
    assert all(client["connections"] > KILLS for client in told)
    await prove(server, users, told)


async def test_restarted_in_order_nobody_is_away_for_longer_than_five_seconds(
    server: ParlourServer, tmp_path: Path
) -> None:
    users = members(server)
    clients = talking(server, tmp_path, pause=80, reconnection="stock")
    try:
        for _ in range(3):
            everybody_speaks(clients, len(users), 50)
            assert server.terminate() == 0
            server.start()
        everybody_speaks(clients, len(users), 10)
        told = histories(clients)
    finally:
        clients.close()
    assert all(client["connections"] > 3 for client in told)
    assert max(wait for client in told for wait in client["waits"]) <= LONGEST_WAIT
    await prove(server, users, told)


async def test_who_missed_too_much_for_sync_fetches_it_as_history(server: ParlourServer, tmp_path: Path) -> None:
    users = server.seed(2, 2)
    server.start()
    speaks, away = (
        NodeScript(
            "no-loss-clients.mjs",
            tmp_path / f"{number}.jsonl",
            url=server.url,
            tokens=str(tokens_of(user, tmp_path / f"tokens-{number}.jsonl")),
            seed=str(number + 1),
            pause="5",
            reconnection="fast",
        )
        for number, user in enumerate(users)
    )
    try:
        for clients in (speaks, away):
            everybody_speaks(clients, 1, 10)
        away.process.send_signal(signal.SIGSTOP)
        server.kill()
        server.start()
        everybody_speaks(speaks, 1, SYNC_GAP + 100)
        away.process.send_signal(signal.SIGCONT)
        told = [*histories(speaks), *histories(away)]
    finally:
        speaks.close()
        away.close()
    assert server.terminate() == 0
    assert [client["resets"] > 0 for client in told] == [False, True]
    assert len(told[1]["shown"]) > SYNC_GAP
    assert violations(await stored(server, users[0].room_ids), map(of, told), settled=False) == []
    problems = [problem for client in told for problem in client["problems"]]
    assert [problem for problem in problems if "unanswered" not in problem] == []  # of who slept past its own patience


def tokens_of(user: User, file: Path) -> Path:
    file.write_text(json.dumps({"user_id": user.user_id, "access_token": user.access_token}) + "\n")
    return file
