"""The cached room log of a million messages, in our own store and in the bare tables it is compared with."""

import hashlib
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.corpus import ROOMS, Corpus
from bench.results import progress
from bench.setting import FOLDER, ROOT
from parlour.chat.adapters.sqlite_log import SqliteRoomLog, SqliteSearch
from parlour.chat.model import EventType, NewEvent
from parlour.platform.clock import SystemClock
from parlour.platform.ids import ClientId, RoomId, UserId

BATCH = 2_000
STORE = ROOT / "src/parlour/chat/adapters/sqlite_log"
WRITERS = ("schema.py", "rows.py", "append.py", "../fulltext/words.py", "index.py", "index_file.py")
"""What decides the bytes on disk: a change of these builds the log anew."""
ROOM_IDS = [RoomId(f"{n:08x}-0000-4000-8000-000000000000") for n in range(ROOMS)]


def user_id(n: int) -> UserId:
    """Return the id of the n-th sender."""
    return UserId(f"{n:08x}-0000-7000-8000-000000000000")


def new_message(room: int, sender: int, text: str) -> NewEvent:
    """Return the command that appends a message."""
    return NewEvent(
        ROOM_IDS[room], EventType.MESSAGE_CREATED, user_id(sender), ClientId(str(uuid.uuid4())), {"text": text}
    )


async def open_log(folder: Path) -> SqliteRoomLog:
    """Open (or make) the room log in a folder."""
    return await SqliteRoomLog.open(folder / "messages.db", SystemClock())


def folder(count: int) -> Path:
    """Return where the log of `count` messages of this version of the store lies."""
    digest = hashlib.sha256()
    for source in (*(STORE / name for name in WRITERS), Path(__file__).with_name("corpus.py")):
        digest.update(source.read_bytes())
    return FOLDER / f"log-{count}-{digest.hexdigest()[:12]}"


async def build(count: int) -> Path:
    """Return the folder of a complete log, building it where it is not there; older ones are removed."""
    target = folder(count)
    if target.exists():
        return target
    for old in FOLDER.glob(f"log-{count}-*"):
        shutil.rmtree(old)
    partial = FOLDER / f"building-{count}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    progress(f"building a room log of {count:,} messages in .bench/, once")
    start = time.monotonic()
    log = await open_log(partial)
    floor = sqlite3.connect(partial / "floor.db")
    floor.executescript(FLOOR_SCHEMA)
    heads = [0] * ROOMS
    messages = Corpus().messages(count)
    done = 0
    while batch := list(islice(messages, BATCH)):
        await log.append([new_message(*message) for message in batch])
        rows = list(_floor_rows(batch, heads, done))
        floor.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", rows)
        floor.executemany("INSERT INTO texts (rowid, text, room) VALUES (?, ?, ?)", ((r[0], r[4], r[1]) for r in rows))
        floor.commit()
        done += len(batch)
        if done % (BATCH * 50) == 0:
            progress(f"  {done:,} after {time.monotonic() - start:.0f} s")
    search = await SqliteSearch.open(log, SystemClock())
    await search.settled()
    await search.close()
    await log.close()
    floor.close()
    partial.rename(target)
    return target


def _floor_rows(
    batch: list[tuple[int, int, str]], heads: list[int], done: int
) -> Iterator[tuple[int, int, int, int, str]]:
    for n, (room, sender, text) in enumerate(batch):
        heads[room] += 1
        yield done + n + 1, room, heads[room], sender, text


FLOOR_SCHEMA = """
PRAGMA journal_mode=WAL;
CREATE TABLE messages (
    id INTEGER NOT NULL, room INTEGER NOT NULL, seq INTEGER NOT NULL, sender INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (room, seq)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5 (text, room UNINDEXED);
"""
