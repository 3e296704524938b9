"""Nothing is lost, doubled or reordered while everything that a cluster stands on is being killed, frozen and cut off.

As part of `make test` it is short. `make faults` sets PARLOUR_FAULTS=long: more people, each fault five times, Toxiproxy on every way.
The order of faults repeats with PARLOUR_SEED. What happened is written to .bench/faults.json.
"""

import asyncio
import json
import os
import random
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from parlour.chat.adapters.mongodb_log import MongoRoomLog
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId

from ..e2e.parlour_server import NodeScript, User
from ..e2e.test_no_loss import of
from ..history.checker import Entry, violations
from .cluster import Cluster, a_cluster

LONG = os.environ.get("PARLOUR_FAULTS") == "long"
SEED = int(os.environ.get("PARLOUR_SEED", "1"))
USERS, ROOM_SIZE = (200, 50) if LONG else (24, 12)
TIMES = 5 if LONG else 1
PAUSE = 600 if LONG else 400
"""Milliseconds between two sends of one person, on average."""
LASTS = (1.0, 6.0)
"""Seconds that a fault lasts."""
BETWEEN = 20
"""Messages that are acknowledged between two faults."""
PATIENCE = 180.0
"""Seconds after which somebody who is not back counts as lost: how soon they are back is reported, not asserted."""

TEMPORARY = {
    "unavailable",
    "database_unavailable",
    "broker_unavailable",
    "bus_unavailable",
    "busy",
    "rate_limited",
    "internal",
}
"""What clients may be told while an engine is away."""


class Clients:
    """The people, and how far they are."""

    def __init__(self, script: NodeScript) -> None:
        self._script = script

    def progress(self) -> tuple[int, int]:
        """Who is back, and how many messages were acknowledged."""
        with self._script.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4_000))
            lines = log.read().splitlines()[:-1]
        for line in reversed(lines):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if said.get("event") == "progress":
                return said["back"], said["acked"]
        return 0, 0

    def all_speak(self, more: int) -> float:
        """Wait until everybody is back and `more` messages were acknowledged since; return after how many seconds all were back."""
        began = time.monotonic()
        _, before = self.progress()
        back_after = None
        while time.monotonic() < began + PATIENCE:
            assert self._script.process.poll() is None, self._script.log.read_text()[-3000:]
            back, acked = self.progress()
            if back == USERS and back_after is None:
                back_after = time.monotonic() - began
            if back_after is not None and acked >= before + more:
                return back_after
            time.sleep(0.05)
        pytest.fail(f"{self.progress()} of {USERS} after {PATIENCE:.0f} s")

    def histories(self) -> list[dict[str, Any]]:
        """Have them empty their outboxes, catch up, and tell what they did and saw."""
        self._script.tell("stop")
        deadline = time.monotonic() + PATIENCE
        while self._script.process.poll() is None:
            assert time.monotonic() < deadline, f"the clients do not end: {self.progress()}"
            time.sleep(0.1)
        said = [json.loads(line) for line in self._script.log.read_text().splitlines()]
        return [line for line in said if line["event"] == "history"]


def schedule(cluster: Cluster) -> list[str]:
    """Every fault `TIMES` times, in an order that the seed decides."""
    names = [name for name in cluster.faults() for _ in range(TIMES)]
    random.Random(SEED).shuffle(names)
    return names


async def stored(url: str, rooms: set[str]) -> list[Entry]:
    """The log as it is in MongoDB."""
    log = await MongoRoomLog.open(url, SystemClock())
    entries: list[Entry] = []
    for room_id, tail in (await log.tails([RoomId(room) for room in rooms])).items():
        for start in range(0, tail.seq, 500):
            for event in await log.events(room_id, start, min(start + 500, tail.seq)):
                text = event.data.get("text")
                entries.append(Entry(event.room_id, event.seq, event.id, event.sender_id, event.client_id, text))
    await log.close()
    return entries


@pytest.mark.timeout(3600 if LONG else 1500)
async def test_nothing_is_lost_doubled_or_reordered_whatever_happens(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    waits: defaultdict[str, list[float]] = defaultdict(list)
    with a_cluster(tmp_path, proxied=LONG) as cluster:
        users = cluster.nodes["chat-1"].seed(USERS, ROOM_SIZE)
        cluster.start()
        script = NodeScript(
            "no-loss-clients.mjs",
            tmp_path / "clients.jsonl",
            trusting=cluster.certificate.authority_file,
            url=cluster.url,
            tokens=str(tmp_path / "tokens.jsonl"),
            seed=str(SEED),
            pause=str(PAUSE),
            reconnection="brisk",
        )
        try:
            clients = Clients(script)
            clients.all_speak(2 * USERS)
            for name in schedule(cluster):
                undo = cluster.faults()[name]()
                await asyncio.sleep(chance.uniform(*LASTS))
                undo()
                waits[name].append(round(clients.all_speak(BETWEEN), 2))
                print(f"{name}: all back after {waits[name][-1]} s", flush=True)
            told = clients.histories()
        finally:
            script.close()
        rooms = {user.user_id: user.room_ids[0] for user in users}
        log = await stored(cluster.messages_url, set(rooms.values()))
    report(waits, told, log, users)
    assert len(told) == USERS
    for room in set(rooms.values()):
        here = [of(each)._replace(live=()) for each in told if rooms[each["user"]] == room]
        assert violations([each for each in log if each.room_id == room], here) == []
    assert [twice for each in told for twice in doubled(each)] == []
    assert lasting_problems(told) == []


def doubled(client: dict[str, Any]) -> list[tuple[int, str, int]]:
    """What arrived live a second time, or after something later, on one connection. A gap is none: a client that sees it syncs."""
    last: dict[tuple[int, str], int] = {}
    found = []
    for connection, room_id, seq in client["live"]:
        if seq <= last.get((connection, room_id), 0):
            found.append((connection, room_id, seq))
        last[connection, room_id] = seq
    return found


def lasting_problems(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What clients were told that no outage excuses."""
    problems = [problem for client in told for problem in client["problems"]]
    return [problem for problem in problems if "unanswered" not in problem and _code(problem) not in TEMPORARY]


def _code(problem: dict[str, Any]) -> str:
    said = next(iter(problem.values()))
    error = said.get("error") or said if isinstance(said, dict) else {}
    return str(error.get("code"))


def report(waits: dict[str, list[float]], told: list[dict[str, Any]], log: list[Entry], users: list[User]) -> None:
    """Write down what happened, for docs/load-report.md."""
    folder = Path(__file__).resolve().parents[2] / ".bench"
    folder.mkdir(exist_ok=True)
    summary = {
        "users": len(users),
        "messages": sum(entry.text is not None for entry in log),
        "faults": sum(map(len, waits.values())),
        "all_back_after_s": {name: sorted(each) for name, each in sorted(waits.items())},
        "connections": sum(client["connections"] for client in told),
        "live_doubled": sum(len(doubled(client)) for client in told),
        "problems": Counter(_code(problem) for client in told for problem in client["problems"]),
    }
    (folder / "faults.json").write_text(json.dumps(summary, indent=1))
    print(json.dumps(summary), flush=True)
