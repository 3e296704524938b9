"""What is particular to the index of search on SQLite: a file of its own, which follows the log and can always be made anew."""

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from parlour.chat.adapters.sqlite_log import SqliteRoomLog, SqliteSearch, vocabulary, windows
from parlour.chat.adapters.sqlite_log import index as index_module
from parlour.chat.model import EventType, NewEvent, RoomEvent, Tail
from parlour.chat.ports import SearchQuery
from parlour.platform.clock import SystemClock
from parlour.platform.errors import Unavailable
from parlour.platform.ids import ClientId, RoomId, UserId, uuid4, uuid7

ANN = UserId(uuid7())
CLOCK = SystemClock()
ROOM = RoomId(uuid4())


class Both(NamedTuple):
    """A log and its search."""

    log: SqliteRoomLog
    search: SqliteSearch

    async def say(self, *texts: str, room: RoomId = ROOM) -> list[RoomEvent]:
        answers = await self.log.append([saying(text, room) for text in texts])
        return [each.event for each in answers]

    async def does(self, kind: EventType, target: RoomEvent, **data: Any) -> None:
        await self.log.append(
            [NewEvent(target.room_id, kind, ANN, ClientId(uuid4()), {"message_id": target.id, **data})]
        )

    async def found(self, text: str) -> list[str]:
        hits, _ = await self.search.search(SearchQuery(text, [ROOM], limit=1_000))
        return [hit.message.text for hit in hits]

    async def close(self) -> None:
        await self.search.close()
        await self.log.close()


def saying(text: str, room: RoomId = ROOM) -> NewEvent:
    return NewEvent(room, EventType.MESSAGE_CREATED, ANN, ClientId(uuid4()), {"text": text})


async def opened(path: Path) -> Both:
    log = await SqliteRoomLog.open(path, CLOCK)
    return Both(log, await SqliteSearch.open(log, CLOCK))


async def eventually(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Poll until the condition holds: what is awaited happens in a thread that tells nobody."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "messages.db"


@pytest.fixture
def index(path: Path) -> Path:
    return path.with_name("messages-search.db")


@pytest.fixture
async def both(path: Path) -> AsyncIterator[Both]:
    both = await opened(path)
    yield both
    await both.close()


class TestFollowing:
    async def test_it_keeps_up_by_itself(self, both: Both) -> None:
        for text in ("first", "second"):
            await both.say(text)
            await eventually(lambda text=text: both.found(text))

    async def test_it_keeps_up_while_appends_never_pause(self, both: Both) -> None:
        async def write() -> None:
            while True:
                await both.say(*["some words " * 20] * 20, room=RoomId(uuid4()))

        await both.say("findable")
        writing = asyncio.create_task(write())
        await eventually(lambda: both.found("findable"))
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    async def test_changes_across_many_steps_are_all_in_it(self, both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index_module, "STEP", 3)
        events = await both.say(*(f"old{number} word" for number in range(20)))
        await both.does(EventType.MESSAGE_EDITED, events[0], text="new0 word")
        await both.search.settled()
        await both.does(EventType.MESSAGE_EDITED, events[1], text="new1 word")
        await both.does(EventType.MESSAGE_DELETED, events[2])
        await both.search.settled()
        assert len(await both.found("word")) == 19
        for text, hits in (("old0", 0), ("new0", 1), ("old1", 0), ("new1", 1), ("old2", 0), ("old3", 1)):
            assert len(await both.found(text)) == hits
        with closing(_read(both)) as connection:
            held = connection.execute("SELECT count(*) FROM fulltext WHERE fulltext MATCH 'word'").fetchone()
            assert held == (19,)

    async def test_more_different_words_than_are_remembered(self, both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(vocabulary, "_CACHED_WORDS", 5)
        for number in range(6):
            await both.say(*(f"often seldom{number}x{each} again{each}" for each in range(5)))
            await both.search.settled()
        assert len(await both.found("again*")) == 30
        assert len(await both.found("seldom*")) == 30

    async def test_of_two_processes_each_does_what_the_other_has_not(self, both: Both, path: Path) -> None:
        other = await opened(path)
        await asyncio.gather(*(each.say(f"word {number}") for number in range(40) for each in (both, other)))
        await asyncio.gather(both.search.settled(), other.search.settled())
        assert len(await both.found("word")) == 80
        assert len(await other.found("word")) == 80
        with closing(_read(both)) as connection:
            connection.execute("INSERT INTO fulltext (fulltext, rank) VALUES ('integrity-check', 1)")
        await other.close()

    async def test_its_threads_give_way_to_the_loop(self, both: Both) -> None:
        await both.search.settled()
        niceness = {
            each.name: os.getpriority(os.PRIO_PROCESS, each.native_id or 0)
            for each in threading.enumerate()
            if each.name.startswith("search-") or each is threading.main_thread()
        }
        main = niceness.pop(threading.main_thread().name)
        assert len(niceness) >= 2
        assert all(each > main for each in niceness.values())

    async def test_no_byte_of_a_deleted_text_is_left(self, both: Both, path: Path, index: Path) -> None:
        await both.say(*(f"filler {number}" for number in range(300)))
        (event,) = await both.say("xyzzyplugh")
        await both.does(EventType.MESSAGE_EDITED, event, text="plovertwice")
        await both.search.settled()
        await both.does(EventType.MESSAGE_DELETED, event)
        await both.search.settled()
        await eventually(lambda: _clean(both))
        await both.close()
        for content in (path.read_bytes(), index.read_bytes()):
            assert b"xyzzy" not in content
            assert b"plover" not in content
            assert b"filler" in content


class TestFile:
    async def test_only_its_owner_may_read_it_and_a_clean_end_leaves_one(
        self, both: Both, path: Path, index: Path
    ) -> None:
        await both.say("word")
        await both.search.settled()
        files = [each for each in path.parent.iterdir() if "search" in each.name]
        assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
        await both.close()
        assert {each.name for each in path.parent.iterdir()} == {path.name, index.name}

    async def test_it_is_not_made_again_after_a_restart(self, path: Path, index: Path) -> None:
        both = await opened(path)
        await both.say("word")
        await both.search.settled()
        await both.close()
        before = index.stat().st_ino
        both = await opened(path)
        assert await both.found("word") == ["word"]
        assert index.stat().st_ino == before
        await both.close()

    @pytest.mark.parametrize("harm", ["missing", "no database", "garbage inside", "other version", "empty"])
    async def test_one_that_cannot_be_used_is_made_anew(self, path: Path, index: Path, harm: str) -> None:
        both = await opened(path)
        await both.say(*(f"word {number} " + "filling " * 30 for number in range(300)))
        await both.search.settled()
        await both.close()
        HARM[harm](index)
        both = await opened(path)
        await eventually(lambda: _whole(both, 300))
        await both.close()

    async def test_one_of_a_log_that_was_set_back_is_made_anew(self, path: Path, tmp_path: Path) -> None:
        both = await opened(path)
        await both.say("kept")
        await both.log.backup(tmp_path / "backup.db")
        await both.say("lost", "lost too")
        await both.search.settled()
        await both.close()
        (tmp_path / "backup.db").replace(path)
        log = await SqliteRoomLog.open(path, CLOCK)
        await log.append([saying(text) for text in ("other", "more", "yet more")])  # past where the index was
        both = Both(log, await SqliteSearch.open(log, CLOCK))
        await both.search.settled()
        assert await both.found("kept") == ["kept"]
        assert await both.found("other") == ["other"]
        assert await both.found("lost") == []
        await both.close()

    async def test_one_removed_while_it_is_used_is_made_anew(self, both: Both, index: Path) -> None:
        await both.say("word one")
        await both.search.settled()
        for suffix in ("", "-wal", "-shm"):
            index.with_name(index.name + suffix).unlink(missing_ok=True)
        await both.say("word two")
        await eventually(lambda: _whole(both, 2))

    async def test_damage_that_a_search_finds_is_mended(self, path: Path, index: Path) -> None:
        both = await opened(path)
        await both.say(*(f"word {number} " + "filling " * 30 for number in range(300)))
        await both.search.settled()
        await both.close()
        size = index.stat().st_size
        with index.open("r+b") as file:  # the first pages stay, so that it opens
            file.seek(3 * 4096)
            file.write(os.urandom(size - 3 * 4096))
        both = await opened(path)
        await eventually(lambda: _whole(both, 300))
        await both.close()


class TestBounds:
    @pytest.mark.parametrize("bound", ["time", "characters"])
    async def test_a_page_that_is_cut_short_leads_on_until_every_match_was_there_once(
        self, both: Both, monkeypatch: pytest.MonkeyPatch, bound: str
    ) -> None:
        monkeypatch.setattr(windows, "MARKED_ROOMS", 1)
        monkeypatch.setattr(windows, "FIRST_STRETCH", 7)
        monkeypatch.setattr(windows, "LONGEST_STRETCH", 7)
        if bound == "time":
            monkeypatch.setattr(windows, "BUDGET", -1)
        else:
            monkeypatch.setattr(windows, "CHARACTERS", 20)
        other, mine = RoomId(uuid4()), RoomId(uuid4())
        for number in range(60):
            await both.say(f"word in mine {number}", room=mine)
            await both.say(*["word elsewhere"] * 10, room=other)
        await both.search.settled()
        query = SearchQuery("word", [mine, RoomId(uuid4())], limit=3)
        found, pages = [], 0
        while True:
            hits, query.cursor = await both.search.search(query)
            found += [hit.message.seq for hit in hits]
            pages += 1
            if query.cursor is None:
                break
        assert sorted(found) == list(range(1, 61))
        assert pages > 20

    async def test_a_search_that_takes_too_long_is_given_up_and_reads_go_on(self, path: Path) -> None:
        log = await SqliteRoomLog.open(path, CLOCK)
        search = await SqliteSearch.open(log, CLOCK, patience=0.5)
        begun = threading.Event()
        stuck = asyncio.create_task(search._searching.run(_for_ever, begun))
        await asyncio.to_thread(begun.wait)
        search._patience = 0.01  # else the thread might be free again in time
        with pytest.raises(Unavailable):
            await search.search(SearchQuery("word", [ROOM]))
        assert await log.tails([ROOM]) == {ROOM: Tail()}
        with pytest.raises(Unavailable):
            await stuck
        search._patience = 3_600.0
        await search.search(SearchQuery("word", [ROOM]))
        await search.close()
        await log.close()

    async def test_a_search_nobody_waits_for_is_interrupted(self, path: Path) -> None:
        log = await SqliteRoomLog.open(path, CLOCK)
        search = await SqliteSearch.open(log, CLOCK, patience=3_600)
        begun = threading.Event()
        stuck = asyncio.create_task(search._searching.run(_for_ever, begun))
        await asyncio.to_thread(begun.wait)
        stuck.cancel()
        await search.search(SearchQuery("word", [ROOM]))
        await search.close()
        await log.close()


def _garbage(index: Path) -> None:
    size = index.stat().st_size
    with index.open("r+b") as file:
        file.write(os.urandom(min(size, 4096)))


def _version(index: Path) -> None:
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("PRAGMA user_version = 999")


HARM: dict[str, Callable[[Path], Any]] = {
    "missing": lambda index: index.unlink(),
    "no database": lambda index: index.write_text("something else entirely" * 400),
    "garbage inside": _garbage,
    "other version": _version,
    "empty": lambda index: index.write_bytes(b""),
}


def _for_ever(connection: sqlite3.Connection, begun: threading.Event | None = None) -> None:
    if begun is not None:
        begun.set()
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    ).fetchone()


def _read(both: Both) -> sqlite3.Connection:
    return sqlite3.connect(both.search._file.path)


async def _clean(both: Both) -> bool:
    with closing(_read(both)) as connection:
        return bool(connection.execute("SELECT stale = 0 FROM state").fetchone()[0])


async def _whole(both: Both, count: int) -> bool:
    try:
        return len(await both.found("word")) == count
    except Unavailable:
        return False
