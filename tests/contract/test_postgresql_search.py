"""What is particular to search on PostgreSQL: its plans and limits, hits as they are now, and what it does when it is slow or away."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from parlour.chat.adapters.fulltext.query import parse
from parlour.chat.adapters.fulltext.ranking import score
from parlour.chat.adapters.postgresql_search import PostgresqlSearch, candidates, vectors
from parlour.chat.adapters.postgresql_search import search as search_module
from parlour.chat.model import EventType, RoomEvent
from parlour.chat.ports import SearchQuery
from parlour.platform.errors import Unavailable
from parlour.platform.ids import EventId, uuid7

from ..postgresql_server import PostgresqlServer
from .fed_search import PATIENCE, Feed, feeding
from .room_logs import ANN, BEN, START, a_client_id, a_room, doing, saying


@pytest.fixture
async def feed(postgresql: PostgresqlServer, templates: set[str], tmp_path: Path) -> AsyncIterator[Feed]:
    async with feeding(postgresql, templates, tmp_path) as feed:
        yield feed


async def eventually(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Poll until the condition holds: what is awaited happens in the server, which tells nobody."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.02)


class TestAsTheyAre:
    """The index may lag; what is shown does not."""

    async def test_a_text_edited_since_is_shown_as_it_is_or_not_at_all(self, feed: Feed) -> None:
        room = a_room()
        events = await feed.append(saying(room, "tea at four"), saying(room, "tea at five"))
        await feed.index.apply(events)
        await feed.append(
            doing(EventType.MESSAGE_EDITED, events[0], text="now there is tea"),
            doing(EventType.MESSAGE_EDITED, events[1], text="coffee"),
        )
        (hit,), _ = await feed.search.search(SearchQuery("tea", [room]))
        assert hit.message.text == "now there is tea"
        assert hit.highlights == [(13, 16)]

    async def test_what_it_has_no_more_is_not_found_by_it(self, feed: Feed) -> None:
        room = a_room()
        events = await feed.append(saying(room, "tea liked"), saying(room, "tea"))
        events += await feed.append(doing(EventType.REACTION_ADDED, events[0], emoji="x"))
        await feed.index.apply(events)
        query = SearchQuery("tea", [room], has="reaction")
        (hit,), _ = await feed.search.search(query)
        assert hit.message.reactions == {"x": [ANN]}
        await feed.append(doing(EventType.REACTION_REMOVED, events[0], emoji="x"))
        assert await feed.search.search(query) == ([], None)
        assert len(await feed.found("tea", room)) == 2

    async def test_nothing_has_what_is_unknown(self, feed: Feed) -> None:
        room = a_room()
        await feed.index.apply(await feed.append(saying(room, "tea")))
        assert await feed.search.search(SearchQuery("tea", [room], has="text) OR (true")) == ([], None)


class TestLimits:
    async def test_a_phrase_is_found_past_the_places_that_are_kept(self, feed: Feed) -> None:
        """PostgreSQL keeps 256 places of a word, and none past 16383."""
        room = a_room()
        often = "to " * 300 + "be"
        far = "x " * 20_000 + "or not"
        await feed.index.apply(await feed.append(saying(room, often), saying(room, far), saying(room, "be to not or")))
        assert await feed.found('"to be"', room) == [often]
        assert await feed.found('"or not"', room) == [far]
        assert await feed.found('"be to"', room) == ["be to not or"]

    async def test_a_phrase_of_any_length_is_a_query(self, feed: Feed) -> None:
        room = a_room()
        long = "x y " * 16_000  # so many words one within the other would be too deep for PostgreSQL's stack
        await feed.index.apply(await feed.append(saying(room, long), saying(room, long[4:])))
        assert await feed.found(f'"{long}"', room) == [long]

    async def test_a_text_past_what_a_message_may_have_is_searched_in_part(self, feed: Feed) -> None:
        """A tsvector of all its words would be refused, and its room never be indexed."""
        room = a_room()
        long = " ".join(f"w{number:06d}" for number in range(160_000))
        await feed.index.apply(await feed.append(saying(room, long), saying(room, "after")))
        assert await feed.found("w000123", room) == [long]
        assert await feed.found("w159999", room) == []
        assert await feed.found("after", room) == ["after"]

    async def test_every_match_is_there_once_however_small_the_windows_are(
        self, feed: Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(candidates, "CHARACTERS", 20)
        monkeypatch.setattr(search_module, "BUDGET", -1)
        rooms = [a_room(), a_room()]
        events = await feed.append(*(saying(room, f"tea {n} " * (n % 4 + 1)) for n in range(40) for room in rooms))
        await feed.index.apply(events)
        query = SearchQuery("tea", rooms, limit=3)
        seen, pages = [], 0
        while True:
            hits, query.cursor = await feed.search.search(query)
            seen += [(hit.message.room_id, hit.message.seq) for hit in hits]
            pages += 1
            if query.cursor is None:
                break
        assert len(seen) == len(set(seen)) == 80
        assert pages > 30

    async def test_a_message_indexed_late_takes_none_from_the_pages(
        self, feed: Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its place is among those of a window that was begun."""
        monkeypatch.setattr(candidates, "WINDOW", 10)
        monkeypatch.setattr(search_module, "WINDOW", 10)
        late, room = a_room(), a_room()
        events, missing = [], []
        for minute in range(40):
            feed.clock.wall = START + minute * 60_000
            events += await feed.append(saying(room, f"tea {minute}"))
            if minute % 4 == 0:
                missing += await feed.append(saying(late, "tea late"))
        await feed.index.apply(events)
        query = SearchQuery("tea", [room, late], limit=4)
        hits, query.cursor = await feed.search.search(query)
        seen = [hit.message.seq for hit in hits if hit.message.room_id == room]
        await feed.index.apply(missing)
        while query.cursor is not None:
            hits, query.cursor = await feed.search.search(query)
            seen += [hit.message.seq for hit in hits if hit.message.room_id == room]
        assert sorted(seen) == list(range(1, 41))


class TestSlowOrAway:
    async def test_what_takes_too_long_is_given_up_and_is_no_failure_of_the_server(
        self, feed: Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(search_module, "GRACE", 60.0)
        room = a_room()
        await feed.index.apply(await feed.append(saying(room, "tea")))
        hasty = PostgresqlSearch(feed.database, feed.log, feed.clock, feed.guard, patience=0.1)
        async with feed.database.transaction() as connection:
            await connection.execute(text("LOCK TABLE search_messages IN ACCESS EXCLUSIVE MODE"))
            for _ in range(8):
                with pytest.raises(Unavailable, match="took too long") as refused:
                    await hasty.search(SearchQuery("tea", [room]))
                assert refused.value.retry_after
            assert not feed.guard.away
        assert await feed.found("tea", room) == ["tea"]

    async def test_searches_take_turns_and_wait_no_longer_than_their_patience(
        self, feed: Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(search_module, "SEARCHES", 2)
        search = PostgresqlSearch(feed.database, feed.log, feed.clock, feed.guard, patience=PATIENCE)
        query = SearchQuery("tea", [a_room()])
        async with feed.database.transaction() as connection:
            await connection.execute(text("LOCK TABLE search_messages IN ACCESS EXCLUSIVE MODE"))
            under_way = [asyncio.create_task(search.search(query)) for _ in range(2)]
            await asyncio.sleep(0)  # both have their turn
            search._patience = 0.05
            with pytest.raises(Unavailable, match="Too many searches"):
                await search.search(query)
        assert await asyncio.gather(*under_way) == [([], None)] * 2
        search._patience = PATIENCE
        assert await search.search(query) == ([], None)

    async def test_a_search_nobody_waits_for_ends_in_the_server(self, feed: Feed) -> None:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

        async def waits() -> bool:
            found = await feed.database.row(waiting)
            return found is not None and found[0] > 0

        async with feed.database.transaction() as connection:
            await connection.execute(text("LOCK TABLE search_messages IN ACCESS EXCLUSIVE MODE"))
            search = asyncio.create_task(feed.search.search(SearchQuery("tea", [a_room()])))
            await eventually(waits)
            search.cancel()

            async def ended() -> bool:
                return not await waits()

            await eventually(ended)  # the lock_timeout, a minute, would end it too
            with pytest.raises(asyncio.CancelledError):
                await search

    async def test_a_server_that_is_not_there_is_unavailable_and_comes_back(
        self, feed: Feed, postgresql: PostgresqlServer
    ) -> None:
        room = a_room()
        await feed.index.apply(await feed.append(saying(room, "tea")))
        await asyncio.to_thread(postgresql.stop)
        try:
            for _ in range(8):
                with pytest.raises(Unavailable) as refused:
                    await feed.search.search(SearchQuery("tea", [room]))
                assert refused.value.retry_after
            assert feed.guard.away
        finally:
            await asyncio.to_thread(postgresql.start)

        async def found() -> bool:
            try:
                return await feed.found("tea", room) == ["tea"]
            except Unavailable:
                return False

        await eventually(found)


WORDS = st.sampled_from(["tea", "teapot", "milk", "北京", "北京市"])
QUERIES = st.sampled_from(["tea", "tea*", "tea milk", '"tea milk"', "北京", "京", "milk", '"milk tea'])


@pytest.mark.timeout(600)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(st.tuples(st.integers(0, 3), st.lists(WORDS, max_size=4)), max_size=30),
    asked=st.sets(st.integers(0, 3), min_size=1),
    query=QUERIES,
    marked=st.sampled_from([1, 128]),
    limit=st.integers(1, 5),
)
async def test_a_query_finds_what_matches_in_its_rooms_and_nothing_of_others(
    feed: Feed, said: list[tuple[int, list[str]]], asked: set[int], query: str, marked: int, limit: int
) -> None:
    rooms = [a_room() for _ in range(4)]
    if said:
        await feed.index.apply(await feed.append(*(saying(rooms[which], " ".join(words)) for which, words in said)))
    terms = parse(query)
    wanted = [
        (rooms[which], " ".join(words))
        for which, words in said
        if which in asked and score(" ".join(words), START, terms, START) is not None
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vectors, "MARKED_ROOMS", marked)
        for some in ([rooms[each] for each in sorted(asked)], rooms):
            seen = []
            page = SearchQuery(query, some, limit=limit)
            while True:
                hits, page.cursor = await feed.search.search(page)
                seen += [(hit.message.room_id, hit.message.text) for hit in hits]
                page.room_ids = [rooms[each] for each in sorted(asked)]  # those of the caller may get fewer meanwhile
                if page.cursor is None:
                    break
            if some is not rooms:
                assert sorted(seen) == sorted(wanted)
            assert {room for room, _ in seen[limit:]} <= set(page.room_ids)


@pytest.mark.timeout(600)
async def test_no_plan_looks_at_every_message(feed: Feed) -> None:
    """20,000 messages in 50 rooms, words by Zipf's law."""
    chance = random.Random(1)
    vocabulary = [f"word{number}" for number in range(3_000)]
    weights = [1 / rank for rank in range(1, 3_001)]
    rooms = [a_room() for _ in range(50)]
    lengths = dict.fromkeys(rooms, 0)
    events = []
    for number in range(20_000):
        room = rooms[min(int(chance.expovariate(0.1)), 49)]
        lengths[room] += 1
        said = " ".join(chance.choices(vocabulary, weights, k=12))
        at = START + number * 1_000
        sender = BEN if number % 50 == 0 else ANN
        data = {"text": said}
        events.append(
            RoomEvent(
                room,
                lengths[room],
                EventId(uuid7()),
                EventType.MESSAGE_CREATED,
                sender,
                a_client_id(),
                at,
                data,
            )
        )
    for start in range(0, len(events), 2_000):
        await feed.index.apply(events[start : start + 2_000])
    async with feed.database.transaction() as connection:
        await connection.execute(text("ANALYZE search_messages"))

    async def plan(query: SearchQuery) -> str:
        terms = parse(query.text)
        sql, values = candidates.statement(query, terms, candidates.begun(terms, START))

        def explain(connection: Any) -> str:
            connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
            return "\n".join(row[0] for row in connection.execute(text("EXPLAIN " + sql), values))

        return await feed.database.snapshot(explain)

    largest, smallest = rooms[0], min(rooms, key=lambda each: lengths[each])
    many = [*rooms, *(a_room() for _ in range(200))]
    rare = [
        SearchQuery("word900", [largest]),
        SearchQuery("word900", rooms),
        SearchQuery("word900", many),
        SearchQuery("word0 word900", rooms),
        SearchQuery('"word40 word50"', rooms),
        SearchQuery("word200 word300", many),
        SearchQuery("word299*", rooms),
        SearchQuery("word40", rooms, from_user=BEN),
        SearchQuery("word900", rooms, has="link", before=START + 10_000_000, after=START),
    ]
    for query in rare:
        found = await plan(query)
        assert "Bitmap Index Scan on ix_search_messages_words" in found, f"{query}\n{found}"
        assert "Seq Scan" not in found, f"{query}\n{found}"
    others = [  # common words, and a room of some messages: the newest first, or the room's own
        SearchQuery("word0", [largest]),
        SearchQuery("word0 word1", [smallest]),
        SearchQuery("word0", [smallest]),
        SearchQuery("word0", rooms),
        SearchQuery("word0", many),
        SearchQuery("word0 word1", many),
    ]
    for query in others:
        found = await plan(query)
        assert "Seq Scan" not in found, f"{query}\n{found}"
