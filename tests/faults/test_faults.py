"""Nothing is lost, doubled or reordered while everything that a cluster stands on is killed, frozen, cut off, filled and set wrong.

As part of `make test` it is short. `make faults` sets PARLOUR_FAULTS=long: more people, each fault five times, Toxiproxy on every way;
PARLOUR_FAULTS=proxied is the short one with Toxiproxy, which Go builds.
PARLOUR_FAULTS_ONLY, a regular expression, chooses among the faults by name, PARLOUR_FAULTS_TIMES how often there is each. The order
repeats with PARLOUR_SEED. What happened is written to .bench/faults.json, and of a whole long run into docs/load-report.md; what is
known when somebody waits in vain to .bench/faults-stuck.txt.
"""

import asyncio
import os
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from parlour.chat.adapters.mongodb_log import MongoRoomLog
from parlour.chat.fold import ON_MESSAGES
from parlour.chat.model import EventType, RoomEvent
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId

from ..e2e.parlour_server import NodeScript
from ..e2e.test_no_loss import entry_of, with_live
from ..history.checker import violations
from .clients import Clients
from .cluster import ONE_OF_EACH, Cluster, a_cluster
from .office import Office, untrue
from .report import BAR, Outcome, keep, too_slow, write

LONG = os.environ.get("PARLOUR_FAULTS") == "long"
PROXIED = LONG or os.environ.get("PARLOUR_FAULTS") == "proxied"
ONLY = re.compile(os.environ.get("PARLOUR_FAULTS_ONLY", ""))
SEED = int(os.environ.get("PARLOUR_SEED", "1"))
USERS, ROOM_SIZE = (200, 10) if LONG else (24, 12)
TIMES = int(os.environ.get("PARLOUR_FAULTS_TIMES", "5" if LONG else "1"))
MESSAGES = 20_000 * min(TIMES, 5) if LONG else 500
"""At least so many are acknowledged, as many between any two faults."""
PAUSE = 2_000 if LONG else 400
"""Milliseconds between two sends of one person, on average."""
CHANGES = 0.05
"""Of what people send, so much edits, deletes and reacts: SecantusDB is busy with a change some times as long as with a message."""
REMOVAL = 30_000 if LONG else 3_000
"""Milliseconds between two removals of somebody from a room; the long form has ten times as many rooms."""
CLOCKED = ONE_OF_EACH if LONG else ("worker-1", "chat-1")
TOO_LONG_FOR_THE_SHORT = {"postgresql on a full disk", "mongodb on a full disk"}
"""Beside the disks that take nothing they show little."""
WHOLE = LONG and TIMES >= 5 and not ONLY.pattern
"""Then the run is written into docs/load-report.md."""
NOTHING_IS_AWAY = re.compile("two hours|slow disk|far away|answers cut|joins|replaced").search
WRITTEN = re.compile("postgresql on a .*disk").fullmatch
WRITES = 4
"""Attempts of the office to have PostgreSQL write something, for which a fault of its disk waits: each of two people has one under way, so
that at least two are tried from beginning to end."""

TEMPORARY = {
    "unavailable",
    "database_unavailable",
    "broker_unavailable",
    "bus_unavailable",
    "busy",
    "rate_limited",
}
"""What clients may be told while an engine is away. Never `internal`: that is a defect."""

SERVED_WITHIN = BAR if LONG else 60.0
"""Seconds after a fault: the short form runs beside other tests, on whatever cores they leave it."""
ANSWERED_WITHIN = 20.0
"""Seconds that a client waits for an answer."""


def schedule(cluster: Cluster) -> list[str]:
    """Every fault that is wanted `TIMES` times, in an order that the seed decides."""
    wanted = [name for name in cluster.faults() if ONLY.search(name) and (LONG or name not in TOO_LONG_FOR_THE_SHORT)]
    names = wanted * TIMES
    random.Random(SEED).shuffle(names)
    return names


def lasts(chance: random.Random, name: str, before: int) -> float:
    """Seconds that a fault lasts which there was so often `before`: where something is away, once longer than what anybody waits for it."""
    if not LONG:
        return chance.uniform(0.5, 4)
    return 6.5 if before == 0 and not NOTHING_IS_AWAY(name) else chance.uniform(0.3, 1.3)


async def stored(url: str, rooms: set[str]) -> list[RoomEvent]:
    """The log as it is in MongoDB."""
    log = await MongoRoomLog.open(url, SystemClock())
    events: list[RoomEvent] = []
    for room_id, tail in (await log.tails([RoomId(room) for room in rooms])).items():
        for start in range(0, tail.seq, 500):
            events += await log.events(room_id, start, min(start + 500, tail.seq))
    await log.close()
    return events


@pytest.mark.timeout(3600 if LONG else 1500)
async def test_nothing_is_lost_doubled_or_reordered_whatever_happens(tmp_path: Path) -> None:
    outcomes: defaultdict[str, list[Outcome]] = defaultdict(list)
    outages: list[tuple[float, float]] = []
    with a_cluster(tmp_path, proxied=PROXIED, clocked=CLOCKED) as cluster:
        users = cluster.nodes["chat-1"].seed(USERS, ROOM_SIZE)
        cluster.start()
        began = time.monotonic()
        office = Office(cluster.url, cluster.certificate.client())
        script = NodeScript(
            "no-loss-clients.mjs",
            tmp_path / "clients.jsonl",
            trusting=cluster.certificate.authority_file,
            url=" ".join(cluster.urls),
            tokens=str(tmp_path / "tokens.jsonl"),
            seed=str(SEED),
            pause=str(PAUSE),
            reconnection="brisk",
            changes=str(CHANGES),
            removal=str(REMOVAL),
        )
        try:
            clients = Clients(script, cluster, office, USERS)
            clients.until_served(USERS)
            await hurt(cluster, clients, office, outcomes, outages)
            office.stop()
            told = clients.histories()
            given_up = cluster.given_up()
            minutes = round((time.monotonic() - began) / 60, 1)
        finally:
            office.stop()
            script.close()
            keep({"started_again": cluster.supervisor.starts, "office": office.summary()}, outcomes)
        rooms = {user.user_id: user.room_ids[0] for user in users}
        log = await stored(cluster.messages_url, {*rooms.values(), office.room_id})
    wrong = [*office.wrong, *given_up, *found_wrong(told, log, rooms)]
    for person in office.people:
        wrong += untrue(person, [event for event in log if event.room_id == office.room_id])
    summary = keep(
        {
            "minutes": minutes,
            "wrong": len(wrong),
            **totals(told, log),
            "started_again": cluster.supervisor.starts,
            "office": office.summary(),
        },
        outcomes,
    )
    if WHOLE:
        write(summary)
    assert wrong == []
    assert len(told) == USERS
    assert lasting_problems(told, outages) == []
    assert summary["messages"] >= MESSAGES
    assert summary["changes"] > 0
    assert summary["removals"] > 0
    assert too_slow(outcomes, SERVED_WITHIN) == []


async def hurt(
    cluster: Cluster,
    clients: Clients,
    office: Office,
    outcomes: defaultdict[str, list[Outcome]],
    outages: list[tuple[float, float]],
) -> None:
    """Do every fault that is wanted, one after the other, and wait after each until all is well.

    `outages` are told from when until when something was away, by the wall clock.
    """
    chance = random.Random(SEED)
    names = schedule(cluster)
    for number, name in enumerate(names, 1):
        since = time.time()
        began, refused, written = time.monotonic(), office.refused, office.writes
        office.clock_is_wrong("two hours" in name)
        undo = cluster.faults()[name]()
        await asyncio.sleep(lasts(chance, name, len(outcomes[name])))
        if WRITTEN(name):
            office.until_written(written + WRITES)
        undo()
        office.clock_is_wrong(False)
        recovery = clients.until_served(MESSAGES * number // len(names))
        if not NOTHING_IS_AWAY(name):
            outages.append((since, time.time()))
        outcome = Outcome(*recovery, round(time.monotonic() - began, 2), office.refused - refused)
        outcomes[name].append(outcome)
        print(f"{number}/{len(names)} {name}: {outcome}", flush=True)


def found_wrong(told: Sequence[dict[str, Any]], log: Sequence[RoomEvent], rooms: dict[str, str]) -> list[str]:
    """Compare what clients sent, were told and saw with the log, a room at a time; a sentence for what is wrong."""
    wrong: list[str] = []
    for room in sorted(set(rooms.values())):
        here = [with_live(each) for each in told if rooms[each["user"]] == room]
        wrong += violations([entry_of(event) for event in log if event.room_id == room], here, gaps=True)
    return wrong


def lasting_problems(told: Sequence[dict[str, Any]], outages: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """What clients were told that no outage excuses, and what they had no answer to while nothing was away."""

    def excused(problem: dict[str, Any]) -> bool:
        if "unanswered" not in problem:
            return _code(problem) in TEMPORARY
        given_up = problem["at"] / 1000
        return any(began <= given_up and given_up - ANSWERED_WITHIN <= ended for began, ended in outages)

    return [problem for client in told for problem in client["problems"] if not excused(problem)]


def _code(problem: dict[str, Any]) -> str:
    if "unanswered" in problem:
        return "unanswered"
    said = next(iter(problem.values()))
    error = said.get("error") or said if isinstance(said, dict) else {}
    return str(error.get("code"))


def totals(told: Sequence[dict[str, Any]], log: Sequence[RoomEvent]) -> dict[str, Any]:
    """What there was of everything."""
    return {
        "users": len(told),
        "messages": sum(event.type is EventType.MESSAGE_CREATED for event in log),
        "changes": sum(event.type in ON_MESSAGES for event in log),
        "removals": sum(len(client["returns"]) for client in told),
        "connections": sum(client["connections"] for client in told),
        "live": sum(len(seqs) for client in told for *_, seqs in client["live"]),
        "resets": sum(client["resets"] for client in told),
        "problems": Counter(_code(problem) for client in told for problem in client["problems"]),
    }
