"""Nothing is lost, doubled or reordered while everything that a cluster stands on is killed, frozen, cut off, filled and set wrong.

As part of `make test` it is short. `make faults` sets PARLOUR_FAULTS=long: more people, each fault five times, Toxiproxy on every way;
PARLOUR_FAULTS=proxied is the short one with Toxiproxy, which Go builds.
PARLOUR_FAULTS_ONLY, a regular expression, chooses among the faults by name, PARLOUR_FAULTS_TIMES how often there is each. The order
repeats with PARLOUR_SEED. What happened is written to .bench/faults.json.
"""

import asyncio
import json
import os
import random
import re
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from parlour.chat.adapters.mongodb_log import MongoRoomLog
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId

from ..e2e.parlour_server import NodeScript
from ..e2e.test_no_loss import of, told_in
from ..history.checker import Entry, violations
from .cluster import ONE_OF_EACH, Cluster, a_cluster

LONG = os.environ.get("PARLOUR_FAULTS") == "long"
PROXIED = LONG or os.environ.get("PARLOUR_FAULTS") == "proxied"
ONLY = re.compile(os.environ.get("PARLOUR_FAULTS_ONLY", ""))
SEED = int(os.environ.get("PARLOUR_SEED", "1"))
USERS, ROOM_SIZE = (200, 25) if LONG else (24, 12)
TIMES = int(os.environ.get("PARLOUR_FAULTS_TIMES", "5" if LONG else "1"))
MESSAGES = 100_000 if LONG else 500
"""At least so many are acknowledged, as many between any two faults."""
PAUSE = 1_500 if LONG else 400
"""Milliseconds between two sends of one person, on average."""
CLOCKED = ONE_OF_EACH if LONG else ("worker-1", "chat-1")
TOO_LONG_FOR_THE_SHORT = {"postgresql on a full disk", "mongodb on a full disk"}
"""Beside the disks that take nothing they show little."""
PATIENCE = 120.0
"""Seconds after which somebody who is not served again counts as lost."""
BAR = 5.0
"""Seconds within which all are to be served again, on a machine that has the time: reported by name of fault, not asserted."""

TEMPORARY = {
    "unavailable",
    "database_unavailable",
    "broker_unavailable",
    "bus_unavailable",
    "busy",
    "rate_limited",
    "internal",
    "unanswered",
}
"""What clients may be told while an engine is away."""


class Progress(NamedTuple):
    """How far the people are."""

    marks: int = -1
    back: int = 0
    served: int = 0
    acked: int = 0


class Recovery(NamedTuple):
    """Seconds from the end of a fault until all had a socket again, and until all who waited had an acknowledgement."""

    back: float
    served: float


class Clients:
    """The people, and how far they are."""

    def __init__(self, script: NodeScript) -> None:
        self._script = script
        self._marks = 0

    def progress(self) -> Progress:
        with self._script.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4_000))
            lines = log.read().splitlines()[:-1]
        for line in reversed(lines):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if said.pop("event", None) == "progress":
                return Progress(**said)
        return Progress()

    def until_served(self, cluster: Cluster, acked: int) -> Recovery:
        """Wait until everybody is, and so many messages were acknowledged in all; engines that ended are started again."""
        began = time.monotonic()
        self._script.tell("mark")
        self._marks += 1
        back = served = None
        while served is None or self.progress().acked < acked:
            assert self._script.process.poll() is None, self._script.log.read_text()[-3000:]
            cluster.supervisor.look()
            now, after = self.progress(), time.monotonic() - began
            if now.marks == self._marks:
                back = after if back is None and now.back == USERS else back
                served = after if served is None and now.served == USERS else served
            if after > PATIENCE and served is None:
                pytest.fail(f"{now} of {USERS} after {PATIENCE:.0f} s: {self.unsettled()}")
            time.sleep(0.05)
        return Recovery(round(served if back is None else back, 2), round(served, 2))

    def unsettled(self) -> list[str]:
        """What those wait for who are not done."""
        self._script.tell("explain")
        time.sleep(5)
        return [line for line in self._script.log.read_text().splitlines() if '"unsettled"' in line]

    def histories(self) -> list[dict[str, Any]]:
        """Have them empty their outboxes, catch up, and tell what they did and saw."""
        self._script.tell("stop")
        deadline = time.monotonic() + PATIENCE
        while self._script.process.poll() is None:
            if time.monotonic() > deadline:
                pytest.fail(f"the clients do not end: {self.unsettled()}")
            time.sleep(0.1)
        with self._script.log.open() as said:
            return told_in(json.loads(line) for line in said)


def schedule(cluster: Cluster) -> list[str]:
    """Every fault that is wanted `TIMES` times, in an order that the seed decides."""
    wanted = [name for name in cluster.faults() if ONLY.search(name) and (LONG or name not in TOO_LONG_FOR_THE_SHORT)]
    names = wanted * TIMES
    random.Random(SEED).shuffle(names)
    return names


def lasts(chance: random.Random, before: int) -> float:
    """Seconds that a fault lasts which there was so often `before`: once longer than what anybody waits for another, else short."""
    if not LONG:
        return chance.uniform(0.5, 4)
    return 6.5 if before == 0 else chance.uniform(0.3, 1.3)


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
    recoveries: defaultdict[str, list[Recovery]] = defaultdict(list)
    with a_cluster(tmp_path, proxied=PROXIED, clocked=CLOCKED) as cluster:
        users = cluster.nodes["chat-1"].seed(USERS, ROOM_SIZE)
        cluster.start()
        began = time.monotonic()
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
            clients.until_served(cluster, USERS)
            names = schedule(cluster)
            for number, name in enumerate(names, 1):
                undo = cluster.faults()[name]()
                await asyncio.sleep(lasts(chance, len(recoveries[name])))
                undo()
                recoveries[name].append(clients.until_served(cluster, MESSAGES * number // len(names)))
                print(f"{number}/{len(names)} {name}: {recoveries[name][-1]}", flush=True)
            minutes = (time.monotonic() - began) / 60
            told = clients.histories()
        finally:
            script.close()
            report({"started_again": cluster.supervisor.starts}, recoveries)
        rooms = {user.user_id: user.room_ids[0] for user in users}
        log = await stored(cluster.messages_url, set(rooms.values()))
    report(
        totals(told, log) | {"minutes": round(minutes, 1), "started_again": cluster.supervisor.starts},
        recoveries,
    )
    assert len(told) == USERS
    for room in set(rooms.values()):
        here = [of(each) for each in told if rooms[each["user"]] == room]
        assert violations([each for each in log if each.room_id == room], here) == []
    assert [twice for each in told for twice in doubled(each)] == []
    assert lasting_problems(told) == []


def doubled(client: dict[str, Any]) -> list[tuple[int, str, int]]:
    """What arrived live a second time, or after something later, on one connection. A gap is none: a client that sees it syncs."""
    found = []
    for connection, room_id, seqs in client["live"]:
        last = 0
        for seq in seqs:
            if seq <= last:
                found.append((connection, room_id, seq))
            last = seq
    return found


def lasting_problems(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What clients were told that no outage excuses."""
    problems = [problem for client in told for problem in client["problems"]]
    return [problem for problem in problems if _code(problem) not in TEMPORARY]


def _code(problem: dict[str, Any]) -> str:
    if "unanswered" in problem:
        return "unanswered"
    said = next(iter(problem.values()))
    error = said.get("error") or said if isinstance(said, dict) else {}
    return str(error.get("code"))


def totals(told: Sequence[dict[str, Any]], log: Sequence[Entry]) -> dict[str, Any]:
    """What there was of everything."""
    return {
        "users": len(told),
        "messages": sum(entry.text is not None for entry in log),
        "connections": sum(client["connections"] for client in told),
        "live": sum(len(seqs) for client in told for _, _, seqs in client["live"]),
        "live_doubled": sum(len(doubled(client)) for client in told),
        "problems": Counter(_code(problem) for client in told for problem in client["problems"]),
    }


def report(totals: dict[str, Any], recoveries: dict[str, list[Recovery]]) -> None:
    """Write down what happened, for docs/load-report.md."""
    kinds = {
        name: {
            "times": len(each),
            **{f"{what}_median_s": statistics.median(getattr(one, what) for one in each) for what in Recovery._fields},
            **{f"{what}_worst_s": max(getattr(one, what) for one in each) for what in Recovery._fields},
        }
        for name, each in sorted(recoveries.items())
        if each
    }
    summary = totals | {
        "faults": sum(map(len, recoveries.values())),
        f"over_{BAR:.0f}_s": [name for name, kind in kinds.items() if kind["served_worst_s"] > BAR],
        "kinds": kinds,
    }
    folder = Path(__file__).resolve().parents[2] / ".bench"
    folder.mkdir(exist_ok=True)
    (folder / "faults.json").write_text(json.dumps(summary, indent=1))
    print(json.dumps(summary), flush=True)
