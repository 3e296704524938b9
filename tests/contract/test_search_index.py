"""What an index of search that is fed keeps: it is the fold of the log, whatever comes twice, late, from several, or not at all."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection, text

from parlour.chat.adapters.postgresql_search import SERVICE, PostgresqlSearchIndex
from parlour.chat.adapters.postgresql_search import index as index_module
from parlour.chat.adapters.postgresql_search.tables import metadata
from parlour.chat.model import EventType, Message, NewEvent, RoomEvent
from parlour.chat.ports import SearchQuery
from parlour.chat.service.indexing import Indexing
from parlour.platform.errors import InvalidRequest, Unavailable
from parlour.platform.guard import Guard
from parlour.platform.ids import EventId, RoomId, uuid7
from parlour.platform.sql import migrate, open_database

from ..postgresql_server import PostgresqlServer
from .fed_search import PATIENCE, Feed, feeding
from .room_logs import ANN, BEN, CY, START, a_client_id, a_room, doing, saying


def without_words(rows: dict[int, tuple[Any, ...]]) -> dict[int, tuple[Any, ...]]:
    return {seq: row[:-1] for seq, row in rows.items()}


@pytest.fixture
async def feed(postgresql: PostgresqlServer, templates: set[str], tmp_path: Path) -> AsyncIterator[Feed]:
    async with feeding(postgresql, templates, tmp_path) as feed:
        yield feed


async def test_the_migrated_schema_is_that_of_the_tables(feed: Feed) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = compare_metadata(context, metadata)
        return [each for each in found if "alembic_version" not in repr(each)]

    await migrate(feed.database, SERVICE)
    assert await feed.database.snapshot(differences) == []
    assert await feed.database.rows(text("SELECT version_num FROM alembic_version_postgresql_search")) == [("0001",)]


class TestFeeding:
    async def test_events_that_come_again_change_nothing(self, feed: Feed) -> None:
        room = a_room()
        events = await feed.append(saying(room, "word one"), saying(room, "word two"))
        events += await feed.append(doing(EventType.MESSAGE_DELETED, events[0]))
        await feed.index.apply(events)
        before = await feed.rows(room)
        assert list(before) == [2]
        for again in (events, events[:1], [events[1], *events], events[::-1]):
            await feed.index.apply(again)
            assert await feed.rows(room) == before
            assert await feed.reached(room) == 3

    async def test_what_comes_too_early_is_preceded_by_what_the_log_has(self, feed: Feed) -> None:
        room = a_room()
        events = await feed.append(*(saying(room, f"word {number}") for number in range(450)))
        await feed.index.apply(events[-1:])
        assert await feed.reached(room) == 450
        assert len(await feed.rows(room)) == 450
        await feed.index.apply(events[:10])
        assert without_words(await feed.rows(room)) == await feed.fold(room)

    async def test_events_of_other_kinds_move_it_on(self, feed: Feed) -> None:
        room = a_room()
        joined = NewEvent(room, EventType.MEMBER_JOINED, ANN, a_client_id(), {"user_id": ANN, "role": "owner"})
        await feed.index.apply(await feed.append(joined, saying(room, "👍"), saying(room, "word")))
        assert await feed.reached(room) == 3
        assert list(await feed.rows(room)) == [3]

    async def test_what_the_log_lacks_is_passed_over(self, feed: Feed) -> None:
        """It was set back after the events were told; nobody's indexing stands still for ever."""
        room, other = a_room(), a_room()
        (event,) = await feed.append(saying(other, "word"))
        stray = RoomEvent(
            room, 7, EventId(uuid7()), EventType.MESSAGE_CREATED, ANN, a_client_id(), START, {"text": "x"}
        )
        unknown = RoomEvent(
            room, 8, EventId(uuid7()), EventType.MESSAGE_PINNED, ANN, a_client_id(), START, {"message_id": stray.id}
        )
        await feed.index.apply([stray, unknown, event])
        assert await feed.reached(room) == 8
        assert await feed.found("word", other) == ["word"]
        assert await feed.found("x", room) == []  # it is not in the log

    @pytest.mark.parametrize(
        "wrong",
        [
            {"room_id": "x"},
            {"id": ""},
            {"sender_id": ANN.upper()},
            {"seq": 0},
            {"seq": 2**63},
            {"at": 2**70},
            {"data": {"text": 7}},
        ],
    )
    async def test_what_is_no_event_is_refused_and_holds_up_nobody(self, feed: Feed, wrong: dict[str, Any]) -> None:
        room, other = a_room(), a_room()
        (event, *more) = await feed.append(saying(room, "word"), saying(room, "word"), saying(other, "word"))
        bad = replace(event, **wrong)
        with pytest.raises(InvalidRequest):
            await feed.index.apply([bad, *more])
        assert await feed.reached(other) == 0
        await asyncio.wait_for(Indexing(feed.index).committed([bad, *more]), 30)
        assert await feed.found("word", other) == ["word"]

    async def test_many_rooms_at_once(self, feed: Feed) -> None:
        rooms = [a_room() for _ in range(300)]
        events = await feed.append(*(saying(room, f"word {number}") for number in range(3) for room in rooms))
        random.Random(1).shuffle(events)
        await feed.index.apply(events)
        assert len(await feed.found("word", *rooms)) == 900

    async def test_a_step_holds_a_bounded_number_of_events(self, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index_module, "STEP", 7)
        asked: list[int] = []
        events_of = feed.log.events

        async def noted(room_id: RoomId, after: int, upto: int, max_bytes: int | None = None) -> list[RoomEvent]:
            asked.append(upto - after)
            return await events_of(room_id, after, upto, max_bytes)

        monkeypatch.setattr(feed.log, "events", noted)
        room, other = a_room(), a_room()
        events = await feed.append(*(saying(each, "word") for _ in range(20) for each in (room, other)))
        await feed.index.apply(events[-2:])
        assert len(await feed.found("word", room, other)) == 40
        assert sum(asked) == 38
        assert max(asked) <= 7

    @pytest.mark.timeout(300)
    async def test_two_that_feed_and_one_that_rebuilds_at_a_time(self, feed: Feed) -> None:
        rooms = [a_room() for _ in range(4)]
        events = [await _history(feed, room, random.Random(seed)) for seed, room in enumerate(rooms)]
        together = [event for each in events for event in each]
        other = open_database(feed.url, timeout=PATIENCE)
        second = PostgresqlSearchIndex(other, feed.log, Guard("search", Unavailable, timeout=PATIENCE))

        async def applying(index: PostgresqlSearchIndex, seed: int) -> None:
            for batch in _batches(together, random.Random(seed)):
                await index.apply(batch)

        async def rebuilding() -> None:
            for room in rooms * 2:
                await second.rebuild(room)

        await asyncio.gather(applying(feed.index, 1), applying(second, 2), rebuilding())
        await other.close()
        for room, each in zip(rooms, events, strict=True):
            assert await feed.reached(room) == each[-1].seq
            assert without_words(await feed.rows(room)) == await feed.fold(room)

    async def test_what_was_read_early_is_not_written_late(self, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
        """One of two that feed is held up between reading the log and writing the index."""
        room = a_room()
        events = await feed.append(saying(room, "first"))
        events += await feed.append(doing(EventType.MESSAGE_EDITED, events[0], text="second"))
        await feed.index.apply(events[:1])
        has_read, may_go = asyncio.Event(), asyncio.Event()
        message_of = feed.log.message

        async def held_up(room_id: RoomId, message_id: EventId, *, reactors: bool = True) -> Message | None:
            found = await message_of(room_id, message_id, reactors=reactors)
            if not has_read.is_set():
                has_read.set()
                await may_go.wait()
            return found

        monkeypatch.setattr(feed.log, "message", held_up)
        slow = asyncio.create_task(feed.index.apply(events))
        await has_read.wait()
        events += await feed.append(doing(EventType.MESSAGE_EDITED, events[0], text="third"))
        await feed.index.apply(events)
        may_go.set()
        await slow
        assert await feed.reached(room) == 3
        assert [row[5] for row in (await feed.rows(room)).values()] == ["third"]

    @pytest.mark.timeout(300)
    async def test_a_server_that_is_killed_and_comes_back_has_everything(
        self, feed: Feed, postgresql: PostgresqlServer
    ) -> None:
        room = a_room()
        events = await feed.append(*(saying(room, f"word {number}") for number in range(2_000)))
        events += await feed.append(*(doing(EventType.MESSAGE_DELETED, each) for each in events[:50]))
        under_way = asyncio.create_task(Indexing(feed.index).committed(events))
        async with asyncio.timeout(60):
            while not await feed.reached(room):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
        await asyncio.to_thread(postgresql.stop)
        try:
            with pytest.raises(Unavailable):
                await feed.search.search(SearchQuery("word", [room]))
            assert not under_way.done()
        finally:
            await asyncio.to_thread(postgresql.start)
        await asyncio.wait_for(under_way, 90)
        assert await feed.reached(room) == 2_050
        assert without_words(await feed.rows(room)) == await feed.fold(room)


class TestRebuilding:
    async def test_whatever_stood_there_is_made_from_the_log(self, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(index_module, "EMPTIED", 3)
        room, other = a_room(), a_room()
        events = await feed.append(*(saying(each, f"word {number}") for number in range(10) for each in (room, other)))
        await feed.index.apply(events)
        right, untouched = await feed.rows(room), await feed.rows(other)
        async with feed.database.transaction() as connection:
            for harm in (
                "UPDATE search_messages SET text = 'wrong', version = 99 WHERE seq = 2",
                "UPDATE search_messages SET seq = 77 WHERE seq = 3",
                "DELETE FROM search_messages WHERE seq = 4",
                "UPDATE search_indexed SET seq = 500",  # of a log that was set back
            ):
                await connection.execute(text(f"{harm} {'AND' if 'WHERE' in harm else 'WHERE'} room_id = '{room}'"))
        assert await feed.rows(room) != right
        assert await Indexing(feed.index).rebuild([room, a_room()]) == 2
        assert await feed.rows(room) == right
        assert await feed.rows(other) == untouched
        assert await feed.reached(room) == 10
        await feed.index.apply(await feed.append(saying(room, "word after")))
        assert len(await feed.rows(room)) == 11

    async def test_one_that_was_cut_short_is_gone_on_with(self, feed: Feed) -> None:
        """Whoever comes next, to feed or to rebuild, forgets the rest first."""
        room = a_room()
        events = await feed.append(*(saying(room, f"word {number}") for number in range(5)))
        await feed.index.apply(events)
        async with feed.database.transaction() as connection:
            await connection.execute(text("UPDATE search_indexed SET seq = -1"))
            await connection.execute(text("UPDATE search_messages SET seq = 77 WHERE seq = 2"))
        await feed.index.apply(await feed.append(saying(room, "word after")))
        assert without_words(await feed.rows(room)) == await feed.fold(room)


TEXTS = st.sampled_from(["tea", "green tea", "tea https://example.org/x", "👍", "北京天安门", "Crème brûlée", "a\x00b"])
ACTS = st.tuples(
    st.sampled_from(
        ["say", "say", "say", "say with mention", "edit", "delete", "react", "unreact", "pin", "unpin", "join"]
    ),
    st.integers(0, 30),
    st.sampled_from([ANN, BEN, CY]),
    TEXTS,
)


async def _history(feed: Feed, room: RoomId, chance: random.Random, length: int = 60) -> list[RoomEvent]:
    kinds = ["say", "say with mention", "edit", "delete", "react", "unreact", "pin", "unpin", "join"]
    acts = [
        (chance.choice(kinds), chance.randrange(31), chance.choice([ANN, BEN, CY]), f"word {chance.randrange(9)}")
        for _ in range(length)
    ]
    return await _act(feed, room, acts)


async def _act(feed: Feed, room: RoomId, acts: Sequence[tuple[str, int, Any, str]]) -> list[RoomEvent]:
    """Append a history, an event at a time, so that each names what is there."""
    events: list[RoomEvent] = []
    said: list[RoomEvent] = []
    for kind, which, user, words in acts:
        if kind in ("say", "say with mention", "join") or not said:
            command = saying(room, words, user, **({"mentions": [BEN]} if kind == "say with mention" else {}))
            if kind == "join":
                command = NewEvent(room, EventType.MEMBER_JOINED, user, a_client_id(), {"user_id": user, "role": "x"})
        else:
            target = said[which % len(said)]
            command = {
                "edit": doing(EventType.MESSAGE_EDITED, target, user, text=words),
                "delete": doing(EventType.MESSAGE_DELETED, target, user),
                "react": doing(EventType.REACTION_ADDED, target, user, emoji="👍"),
                "unreact": doing(EventType.REACTION_REMOVED, target, user, emoji="👍"),
                "pin": doing(EventType.MESSAGE_PINNED, target, user),
                "unpin": doing(EventType.MESSAGE_UNPINNED, target, user),
            }[kind]
        (event,) = await feed.append(command)
        events.append(event)
        if event.type == EventType.MESSAGE_CREATED:
            said.append(event)
    return events


def _batches(events: Sequence[RoomEvent], chance: random.Random) -> list[list[RoomEvent]]:
    """The events in batches, some twice, some late, within a batch in any order; the last one among them."""
    left = list(events)
    batches = []
    while left:
        size = chance.randrange(1, 12)
        batch, left = left[:size], left[size:]
        batch += chance.sample(events, min(3, len(events)))
        chance.shuffle(batch)
        batches.append(batch)
    for _ in range(len(batches) // 2):
        one, other = chance.randrange(len(batches)), chance.randrange(len(batches))
        batches[one], batches[other] = batches[other], batches[one]
    return batches


@pytest.mark.timeout(600)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, min_size=1, max_size=40), seed=st.integers(0, 2**32), parallel=st.booleans())
async def test_fed_in_any_way_it_is_the_fold_and_so_is_one_made_anew(
    feed: Feed, acts: list[tuple[str, int, Any, str]], seed: int, parallel: bool
) -> None:
    room = a_room()
    events = await _act(feed, room, acts)
    batches = _batches(events, random.Random(seed))
    if parallel:
        await asyncio.gather(*(feed.index.apply(each) for each in batches))
    else:
        for each in batches:
            await feed.index.apply(each)
    rows = await feed.rows(room)
    expected = await feed.fold(room)
    assert {seq: row[5].replace(" ", "\x00") for seq, row in rows.items()} == {
        seq: row[5].replace(" ", "\x00") for seq, row in expected.items()
    }
    assert [(row[:5], row[6:-1]) for row in rows.values()] == [
        (expected[seq][:5], expected[seq][6:]) for seq in sorted(expected)
    ]
    assert await feed.reached(room) == len(events)
    await feed.index.rebuild(room)
    assert await feed.rows(room) == rows
