"""What every search keeps: it finds what messages say now, in the given rooms only, in any script, whatever is asked."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parlour.chat.model import EventType, SearchHit
from parlour.chat.ports import SearchQuery
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import RoomId

from ..postgresql_server import PostgresqlServer
from . import fed_search
from .fed_search import search_database
from .room_logs import ANN, BEN, START, SearchBench, a_room, doing, saying, sqlite_with_search


@pytest.fixture(params=["sqlite", "postgresql"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path, templates: set[str]) -> AsyncIterator[SearchBench]:
    if request.param == "sqlite":
        async with sqlite_with_search(tmp_path) as bench:
            yield bench
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    url = await search_database(server, templates)
    async with fed_search.postgresql(tmp_path, url) as bench:
        yield bench
    server.drop(url)


async def hits(bench: SearchBench, text: str, rooms: list[RoomId], **filters: Any) -> list[SearchHit]:
    await bench.settled()
    found, _ = await bench.search.search(SearchQuery(text, rooms, **filters))
    return found


async def texts(bench: SearchBench, text: str, rooms: list[RoomId], **filters: Any) -> list[str]:
    return [hit.message.text for hit in await hits(bench, text, rooms, **filters)]


class TestWords:
    @pytest.mark.parametrize(
        ("text", "query", "highlighted"),
        [
            ("The Quick brown fox", "quick", ["Quick"]),
            ("The quick brown fox", "FOX the", ["The", "fox"]),
            ("snake_case and kebab-case", "case", ["case", "case"]),
            ("version 3.11.4", "11", ["11"]),
            ("Crème brûlée", "creme BRULEE", ["Crème", "brûlée"]),
            ("Creme brulee", "crème", ["Creme"]),
            ("Cre\u0300me again", "crème", ["Cre\u0300me"]),
            ("Žluťoučký kůň", "kun", ["kůň"]),
            ("Straße", "strasse", ["Straße"]),
            ("Привет, МИР", "мир", ["МИР"]),
            ("Καλημέρα", "καλημερα", ["Καλημέρα"]),
            ("שָׁלוֹם", "שלום", ["שָׁלוֹם"]),
            ("हिन्दी में", "हिन्दी", ["हिन्दी"]),
            ("ｆｕｌｌ ｗｉｄｔｈ", "full", ["ｆｕｌｌ"]),
            ("我爱北京天安门", "北京", ["北京"]),
            ("我爱北京天安门", "爱", ["爱"]),
            ("我爱北京天安门", "门", ["门"]),
            ("我爱北京天安门", "北京天安门", ["北京天安门"]),
            ("東京タワーへ行く", "タワー", ["タワー"]),
            ("東京タワーへ行く", "東京 行く", ["東京", "行く"]),
            ("สวัสดีชาวโลก", "ชาว", ["ชาว"]),
            ("한국어를 배워요", "한국", ["한국"]),
            ("Parlour很好用v2", "好用", ["好用"]),
            ("say 👍 twice", "twice", ["twice"]),
        ],
    )
    async def test_found_and_highlighted_in_any_script(
        self, bench: SearchBench, text: str, query: str, highlighted: list[str]
    ) -> None:
        room = a_room()
        await bench.say(room, text)
        await bench.say(room, "nothing of the kind: unrelated")
        (hit,) = await hits(bench, query, [room])
        assert hit.message.text == text
        assert [text[start:end] for start, end in hit.highlights] == highlighted

    async def test_every_word_must_be_there(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.log.append([saying(room, "red apple"), saying(room, "red pear"), saying(room, "green apple")])
        assert await texts(bench, "apple red", [room]) == ["red apple"]

    async def test_a_pair_of_characters_is_no_match_out_of_order(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.log.append([saying(room, "京北"), saying(room, "北京"), saying(room, "北风京")])
        assert await texts(bench, "北京", [room]) == ["北京"]

    async def test_phrases_hold_words_in_a_row(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.log.append([saying(room, "to be or not"), saying(room, "be to or"), saying(room, "to really be")])
        assert await texts(bench, '"to be"', [room]) == ["to be or not"]
        assert await texts(bench, '"to be', [room]) == ["to be or not"]
        assert await texts(bench, "“to be” not", [room]) == ["to be or not"]
        assert len(await texts(bench, "to be", [room])) == 3

    async def test_prefixes_need_a_star(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.log.append([saying(room, "deploy"), saying(room, "deployment"), saying(room, "depot")])
        assert set(await texts(bench, "deploy*", [room])) == {"deploy", "deployment"}
        assert await texts(bench, "deploy", [room]) == ["deploy"]
        assert await texts(bench, "zebra*", [room]) == []
        assert await texts(bench, "d*", [room]) == []

    async def test_a_query_without_a_word_finds_nothing(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.say(room, "x")
        for query in ("", "  ", "***", '""', '"', "!?", "👍", "()", "\x00", "\ue000rx"):
            assert await hits(bench, query, [room]) == []

    async def test_search_operators_are_words(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.say(room, "cats AND dogs")
        await bench.say(room, "cats")
        assert await texts(bench, "cats AND dogs", [room]) == ["cats AND dogs"]
        assert await texts(bench, "cats OR birds", [room]) == []
        assert await texts(bench, "words : cats", [room]) == []

    async def test_very_long_words_and_queries(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.say(room, "x" * 8_000)
        assert len(await hits(bench, "x" * 8_000, [room])) == 1
        assert await hits(bench, " ".join(f"w{number}" for number in range(2_000)), [room]) == []


class TestNow:
    async def test_edited_text_is_found_and_the_old_one_is_not(self, bench: SearchBench) -> None:
        room = a_room()
        event = await bench.say(room, "before")
        await bench.settled()
        await bench.does(EventType.MESSAGE_EDITED, event, text="after")
        assert await texts(bench, "after", [room]) == ["after"]
        assert await hits(bench, "before", [room]) == []
        assert await hits(bench, "befor*", [room]) == []

    async def test_a_change_before_the_index_has_caught_up(self, bench: SearchBench) -> None:
        room = a_room()
        event = await bench.say(room, "before")
        await bench.does(EventType.MESSAGE_EDITED, event, text="between")
        await bench.does(EventType.MESSAGE_EDITED, event, text="after")
        assert await texts(bench, "after", [room]) == ["after"]
        assert await hits(bench, "between", [room]) == []

    async def test_deleted_text_is_not_found_at_once(self, bench: SearchBench) -> None:
        room = a_room()
        event = await bench.say(room, "secret")
        await bench.settled()
        await bench.does(EventType.MESSAGE_DELETED, event)
        found, _ = await bench.search.search(SearchQuery("secret", [room]))
        assert found == []
        assert await hits(bench, "secret", [room]) == []


class TestFilters:
    async def test_only_the_given_rooms_are_looked_at(self, bench: SearchBench) -> None:
        rooms = [a_room() for _ in range(3)]
        await bench.log.append([saying(room, f"word {number}") for number, room in enumerate(rooms)])
        assert set(await texts(bench, "word", rooms[:2])) == {"word 0", "word 1"}
        assert await hits(bench, "word", []) == []
        assert await hits(bench, "word", [a_room()]) == []

    @pytest.mark.parametrize("nobody", ["", "x", '"', '" OR "word', "é", pytest.param(BEN.upper(), id="upper")])
    async def test_what_is_no_id_is_nobody(self, bench: SearchBench, nobody: str) -> None:
        room = a_room()
        await bench.say(room, "word", BEN)
        assert await hits(bench, "word", [room], from_user=nobody) == []
        assert await hits(bench, "word", [RoomId(nobody)]) == []

    async def test_ids_alike_at_either_end_are_different_ones(self, bench: SearchBench) -> None:
        rooms = [RoomId(f"{n:08x}-0000-4000-8000-000000000000") for n in range(3)]
        rooms += [RoomId(f"00000000-0000-4000-8000-00000000000{n}") for n in range(1, 3)]
        for room in rooms:
            await bench.say(room, "word")
        for room in rooms:
            assert [hit.message.room_id for hit in await hits(bench, "word", [room])] == [room]

    async def test_more_rooms_than_the_index_is_asked_for(self, bench: SearchBench) -> None:
        rooms = [a_room() for _ in range(300)]
        await bench.log.append([saying(room, "word") for room in rooms])
        await bench.settled()
        query, found = SearchQuery("word", rooms[:-1], limit=1_000), []
        while True:  # a busy machine gives it in several pages
            page, query.cursor = await bench.search.search(query)
            found += [hit.message.room_id for hit in page]
            if query.cursor is None:
                break
        assert sorted(found) == sorted(rooms[:-1])

    async def test_by_sender_and_time(self, bench: SearchBench) -> None:
        room = a_room()
        for minute, sender in enumerate((ANN, BEN, ANN)):
            bench.clock.wall = START + minute * 60_000
            await bench.say(room, f"word {minute}", sender)
        assert await texts(bench, "word", [room], from_user=BEN) == ["word 1"]
        assert await texts(bench, "word", [room], before=START + 60_000) == ["word 0"]
        assert await texts(bench, "word", [room], after=START + 60_000) == ["word 2"]
        assert await texts(bench, "word", [room], after=START, before=START + 120_000) == ["word 1"]
        assert await texts(bench, "word", [room], after=START + 10**9) == []
        assert len(await texts(bench, "word", [room], after=-1, before=10**18)) == 3

    async def test_by_what_a_message_has(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.say(room, "word https://example.org/x")
        await bench.say(room, "word @ben", mentions=[BEN])
        liked = await bench.say(room, "word liked")
        pinned = await bench.say(room, "word pinned")
        await bench.settled()
        await bench.log.append(
            [doing(EventType.REACTION_ADDED, liked, emoji="x"), doing(EventType.MESSAGE_PINNED, pinned)]
        )
        for what, text in (("link", "word https://example.org/x"), ("mention", "word @ben")):
            assert await texts(bench, "word", [room], has=what) == [text]
        assert await texts(bench, "word", [room], has="reaction") == ["word liked"]
        assert await texts(bench, "word", [room], has="pin") == ["word pinned"]
        await bench.does(EventType.REACTION_REMOVED, liked, emoji="x")
        assert await hits(bench, "word", [room], has="reaction") == []


class TestOrder:
    async def test_more_of_the_words_ranks_higher(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.say(room, "tea tea tea")
        await bench.say(room, "tea and a great many other words that say nothing about it at all, whatever they are")
        assert (await texts(bench, "tea", [room]))[0] == "tea tea tea"

    async def test_newer_ranks_higher_among_equals(self, bench: SearchBench) -> None:
        room = a_room()
        await bench.say(room, "tea 1")
        bench.clock.wall += 90 * 86_400_000
        await bench.say(room, "tea 2")
        first, second = await hits(bench, "tea", [room])
        assert (first.message.text, second.message.text) == ("tea 2", "tea 1")
        assert first.score > second.score

    async def test_pages_hold_every_hit_once_while_messages_come_and_go(self, bench: SearchBench) -> None:
        room = a_room()
        events = [(await bench.say(room, "word " * (number % 7 + 1))) for number in range(450)]
        await bench.settled()
        found, cursor = await bench.search.search(SearchQuery("word", [room], limit=50))
        seqs = [hit.message.seq for hit in found]
        await bench.log.append([saying(room, "word word") for _ in range(20)])
        await bench.does(EventType.MESSAGE_DELETED, events[3])
        await bench.settled()
        while cursor is not None:
            found, cursor = await bench.search.search(SearchQuery("word", [room], limit=50, cursor=cursor))
            seqs += [hit.message.seq for hit in found]
        assert len(seqs) == len(set(seqs))
        assert set(seqs) | {events[3].seq} == {event.seq for event in events}

    async def test_scores_and_cursors_tell_nothing_of_other_rooms(self, bench: SearchBench) -> None:
        answers = []
        for elsewhere in ("nothing", "rare"):
            room, other = a_room(), a_room()
            for number in range(60):
                await bench.log.append([saying(room, "rare common " + "common " * (number % 5))])
                await bench.log.append([saying(other, f"{elsewhere} common")])
            await bench.settled()
            query = SearchQuery("rare common", [room], limit=20)
            found, cursor = await bench.search.search(query)
            assert cursor is not None
            answers.append([(hit.score, hit.message.seq) for hit in found])
        assert answers[0] == answers[1]

    @pytest.mark.parametrize("cursor", ["", "x", "????", "W10", "WzEsMiwzXQ", "é", "WzAsMSwxZTQwMCwwLDAsWzFdXQ"])
    async def test_a_cursor_of_something_else_is_refused(self, bench: SearchBench, cursor: str) -> None:
        with pytest.raises(InvalidRequest):
            await bench.search.search(SearchQuery("word", [a_room()], cursor=cursor))


def _as_cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([2**62, 2**63, 2**64, 10**400, -1, 0, 1e308, -1e308]))
FORGED = st.one_of(
    st.text(max_size=40),
    st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")),
    st.recursive(NUMBERS | st.none() | st.text(max_size=3), st.lists, max_leaves=8).map(_as_cursor),
)


@pytest.mark.timeout(600)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cursor=FORGED, fields=st.lists(NUMBERS, min_size=6, max_size=6), changed=st.integers(0, 5))
async def test_a_forged_cursor_is_refused_or_leads_to_a_page(
    bench: SearchBench, cursor: str, fields: list[float], changed: int
) -> None:
    room = a_room()
    await bench.log.append([saying(room, "word") for _ in range(3)])
    await bench.settled()
    _, genuine = await bench.search.search(SearchQuery("word", [room], limit=1))
    assert genuine is not None
    values = json.loads(base64.urlsafe_b64decode(genuine + "=" * (-len(genuine) % 4)))
    one_changed = [*values[:changed], fields[changed], *values[changed + 1 :]]
    for forged in (cursor, _as_cursor(fields), _as_cursor(one_changed)):
        try:
            found, _ = await bench.search.search(SearchQuery("word", [room], cursor=forged))
        except InvalidRequest:
            continue
        assert {hit.message.text for hit in found} <= {"word"}


@pytest.mark.timeout(600)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), query=st.text(max_size=30))
async def test_any_text_is_stored_and_any_text_is_a_query(bench: SearchBench, text: str, query: str) -> None:
    room = a_room()
    await bench.say(room, text)
    for asked in (query, text, f'"{query}', query + "*", f"{text}* {query}"):
        for hit in await hits(bench, asked, [room]):
            assert hit.highlights
            assert all(0 <= start < end <= len(text) for start, end in hit.highlights)


@pytest.mark.timeout(600)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="aàÀ 北京x́कि.я", min_size=1, max_size=30), data=st.data())
async def test_a_text_with_a_word_is_found_by_itself(bench: SearchBench, text: str, data: st.DataObject) -> None:
    room = a_room()
    await bench.say(room, text)
    if any(character.isalnum() for character in text):
        assert [hit.message.text for hit in await hits(bench, f'"{text}"', [room])] == [text]
