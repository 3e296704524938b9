"""`append`, `history` and `search`: the room log on SQLite through its ports, beside bare SQLite."""

import random
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from bench.corpus import Corpus, queries
from bench.million import ROOM_IDS, build, new_message, open_log
from bench.results import Result, compared, progress
from bench.setting import FOLDER, Setting
from load.machine import Broken
from parlour.chat.adapters.sqlite_log import SqliteSearch
from parlour.chat.model import NewEvent
from parlour.chat.ports import SearchQuery
from parlour.platform.clock import SystemClock

BARE_COMMIT = "bare sqlite3, one commit a batch, synchronous=FULL"
BARE_SELECT = "bare sqlite3 SELECT … LIMIT"
BARE_MATCH = "bare FTS5 MATCH … ORDER BY rank LIMIT"
PAGE = 50
HITS = 20

FLOOR_EVENTS = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE events (
    room_id TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, sender_id TEXT NOT NULL,
    client_id TEXT NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;
"""


async def append(setting: Setting) -> None:
    """Durable events a second in batches of 100 and of 1, each batch waiting for the one before."""
    for name, size, count in (("append", 100, setting.size(20_000, 1_000)), ("append_1", 1, setting.size(1_000, 50))):
        ours, floors = [], []
        for _ in range(setting.repeats):
            messages = Corpus().messages(count)
            batches = [[new_message(*next(messages)) for _ in range(size)] for _ in range(count // size)]
            ours.append(await _append_ours(batches))
            floors.append(_append_floor(batches))
            progress(f"{name}: ours {ours[-1]:.0f}/s, floor {floors[-1]:.0f}/s")
        setting.report(compared(name, ours, floors, "events/s", BARE_COMMIT))


async def _append_ours(batches: list[list[NewEvent]]) -> float:
    folder = Path(tempfile.mkdtemp(prefix="append-", dir=FOLDER))
    log = await open_log(folder)
    engine = await SqliteSearch.open(log, SystemClock())  # indexes meanwhile
    start = time.perf_counter()
    for batch in batches:
        await log.append(batch)
    elapsed = time.perf_counter() - start
    await engine.close()
    await log.close()
    shutil.rmtree(folder)
    return sum(map(len, batches)) / elapsed


def _append_floor(batches: list[list[NewEvent]]) -> float:
    folder = Path(tempfile.mkdtemp(prefix="append-", dir=FOLDER))
    database = sqlite3.connect(folder / "floor.db")
    database.executescript(FLOOR_EVENTS)
    start = time.perf_counter()
    seq = 0
    for batch in batches:
        rows = []
        for event in batch:
            seq += 1
            rows.append(
                (
                    event.room_id,
                    seq,
                    event.client_id,
                    event.type,
                    event.sender_id,
                    event.client_id,
                    seq,
                    event.data["text"],
                )
            )
        database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.commit()
    elapsed = time.perf_counter() - start
    database.close()
    shutil.rmtree(folder)
    return seq / elapsed


async def history(setting: Setting) -> None:
    """p50 and p95 of a page of 50 messages anywhere in the log: the latest, before a seq, past a seq."""
    count = setting.size(1_000_000, 20_000)
    folder = await build(count)
    log = await open_log(folder)
    floor = sqlite3.connect(folder / "floor.db")
    tails = await log.tails(ROOM_IDS)
    corpus, rng = Corpus(seed=11), random.Random(11)
    ours: list[float] = []
    theirs: list[float] = []
    for n in range(setting.size(2_000, 100)):
        room = corpus.room()
        room_id, head = ROOM_IDS[room], tails[ROOM_IDS[room]].seq
        seq = rng.randint(1, head + 1)
        before, after = seq if n % 3 == 1 else None, seq - 1 if n % 3 == 2 else None
        start = time.perf_counter()
        page = await log.page(room_id, before=before, after=after, limit=PAGE)
        ours.append(_since(start))
        low, high, order = after or 0, before or head + 1, "DESC" if after is None else "ASC"
        start = time.perf_counter()
        rows = floor.execute(
            f"SELECT * FROM messages WHERE room = ? AND seq > ? AND seq < ? ORDER BY seq {order} LIMIT ?",
            (room, low, high, PAGE),
        ).fetchall()
        theirs.append(_since(start))
        if len(page) != len(rows):
            raise Broken(
                f"a page of {room_id} before {before} after {after} has {len(page)} messages; the floor has {len(rows)}"
            )
    await log.close()
    floor.close()
    _report_pair(setting, "history", ours, theirs, BARE_SELECT)


async def search(setting: Setting) -> None:
    """p50 and p95 of the first 20 hits by kind of query: over 200 rooms, and in one of them."""
    count = setting.size(1_000_000, 20_000)
    folder = await build(count)
    log = await open_log(folder)
    engine = await SqliteSearch.open(log, SystemClock())
    floor = sqlite3.connect(folder / "floor.db")
    corpus, rng = Corpus(seed=11), random.Random(11)
    newest = [
        text for (text,) in floor.execute("SELECT text FROM messages WHERE room < 20 ORDER BY room, seq LIMIT 5000")
    ]
    ours: dict[str, list[float]] = {}
    theirs: list[float] = []
    for kind, texts in queries(Corpus(), rng, newest, setting.size(60, 5)).items():
        for n, text in enumerate(texts):
            room = corpus.room() if n % 3 == 2 else None
            room_ids = ROOM_IDS if room is None else [ROOM_IDS[room]]
            start = time.perf_counter()
            await engine.search(SearchQuery(text, room_ids, limit=HITS))
            ours.setdefault(kind if room is None else "one_room", []).append(_since(start))
            theirs.append(_bare_match(floor, text, room))
    await engine.close()
    await log.close()
    floor.close()
    for kind, times in ours.items():
        progress(f"search {kind}: p50 {median(times):.2f}, p95 {_p95(times):.2f} ms")
        setting.report(Result(f"search_{kind}_p95", _p95(times), "ms"))
    _report_pair(setting, "search", [took for times in ours.values() for took in times], theirs, BARE_MATCH)


def _bare_match(floor: sqlite3.Connection, text: str, room: int | None) -> float:
    where, values = ("", ()) if room is None else (" AND room = ?", (room,))
    start = time.perf_counter()
    floor.execute(
        f"SELECT rowid, text FROM texts WHERE texts MATCH ?{where} ORDER BY rank LIMIT ?", (text, *values, HITS)
    ).fetchall()
    return _since(start)


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


def _report_pair(setting: Setting, name: str, ours: list[float], theirs: list[float], reference: str) -> None:
    for label, of in (("p50", median), ("p95", _p95)):
        value, other = of(ours), of(theirs)
        setting.report(Result(f"{name}_{label}", value, "ms", reference, value / other))
