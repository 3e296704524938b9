"""What every room log keeps: order, repeats, durability of views, deletions. DESIGN.md section 3."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.json import encode as json

from parlour.chat.fold import apply
from parlour.chat.model import AMONG_MESSAGES, EventType, NewEvent, RoomView, Tail
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import ClientId, EventId, RoomId, UserId, is_uuid, uuid7

from .room_logs import ADAPTERS, ANN, BEN, CY, START, Bench, Opener, a_client_id, a_room, doing, opener, saying

EDITED, DELETED = EventType.MESSAGE_EDITED, EventType.MESSAGE_DELETED
REACTED, UNREACTED = EventType.REACTION_ADDED, EventType.REACTION_REMOVED
PINNED, UNPINNED = EventType.MESSAGE_PINNED, EventType.MESSAGE_UNPINNED


@pytest.fixture(params=ADAPTERS)
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return opener(request.param, request, tmp_path)


@pytest.fixture
async def bench(opens: Opener) -> AsyncIterator[Bench]:
    async with opens() as bench:
        yield bench


class TestAppend:
    async def test_seq_is_dense_per_room_from_1_in_the_order_of_the_batch(self, bench: Bench) -> None:
        one, two = a_room(), a_room()
        batch = [saying(one, "a"), saying(two, "b"), saying(one, "c"), saying(one, "d"), saying(two, "e")]
        answers = await bench.log.append(batch)
        assert [(each.event.room_id, each.event.seq) for each in answers] == [
            (one, 1),
            (two, 1),
            (one, 2),
            (one, 3),
            (two, 2),
        ]
        assert not any(each.repeated for each in answers)

    async def test_the_answer_is_the_event_as_it_is_read_later(self, bench: Bench) -> None:
        room = a_room()
        command = saying(room, "hi @ben", reply_to=uuid7(), mentions=[BEN])
        event = (await bench.repeat(command)).event
        assert event.sender_id == ANN
        assert event.client_id == command.client_id
        assert event.at == START
        assert event.data == command.data
        assert is_uuid(event.id)
        found = await bench.log.events(room, 0, 1)
        assert found == [event]
        tail = (await bench.log.tails([room]))[room]
        for each in (found[0], await bench.log.find(room, ANN, command.client_id), (await bench.repeat(command)).event):
            assert json(each) == json(event), "an engine's own numbers are no JSON"
        assert json(tail) == json(Tail(1, START))

    async def test_every_type_of_event_survives(self, bench: Bench) -> None:
        room = a_room()
        batch = [NewEvent(room, kind, ANN, a_client_id(), {"message_id": uuid7(), "emoji": "x"}) for kind in EventType]
        answers = await bench.log.append(batch)
        assert await bench.log.events(room, 0, len(batch)) == [each.event for each in answers]

    async def test_a_repeat_answers_with_the_first_event_whatever_else_it_carries(self, bench: Bench) -> None:
        room = a_room()
        command = saying(room, "first")
        first = await bench.one(command)
        again = await bench.repeat(NewEvent(room, EDITED, ANN, command.client_id, {"text": "second"}))
        assert again.repeated
        assert again.event == first
        assert (await bench.log.tails([room]))[room].seq == 1

    async def test_a_repeat_within_one_batch_is_kept_once(self, bench: Bench) -> None:
        room = a_room()
        command = saying(room)
        first, second, third = await bench.log.append([command, saying(room), command])
        assert (first.repeated, second.repeated, third.repeated) == (False, False, True)
        assert third.event == first.event
        assert second.event.seq == 2

    async def test_one_client_id_of_others_or_in_other_rooms_is_no_repeat(self, bench: Bench) -> None:
        room, other, client_id = a_room(), a_room(), a_client_id()
        keys = [(room, ANN), (room, BEN), (other, ANN)]
        batch = [NewEvent(where, EventType.MESSAGE_CREATED, who, client_id, {"text": "x"}) for where, who in keys]
        answers = await bench.log.append(batch) + await bench.log.append(batch)
        assert [each.repeated for each in answers] == [False] * 3 + [True] * 3

    async def test_the_event_of_a_command_is_found_by_what_its_repeat_would_carry(self, bench: Bench) -> None:
        room, other, command = a_room(), a_room(), saying(a_room())
        await bench.say(room)
        event = await bench.one(NewEvent(room, EDITED, ANN, command.client_id, {"text": "x"}))
        await bench.one(NewEvent(other, EDITED, ANN, command.client_id, {"text": "x"}))
        assert await bench.log.find(room, ANN, command.client_id) == event
        for key in (
            (room, BEN, command.client_id),
            (command.room_id, ANN, command.client_id),
            (room, ANN, a_client_id()),
            (RoomId("room"), UserId("ann"), ClientId("1")),
        ):
            assert await bench.log.find(*key) is None

    async def test_concurrent_appends_leave_every_room_dense(self, bench: Bench) -> None:
        rooms = [a_room() for _ in range(3)]
        batches = [[saying(rooms[(start + step) % 3]) for step in range(7)] for start in range(20)]
        answers = await asyncio.gather(*(bench.log.append(batch) for batch in batches))
        for room in rooms:
            seqs = [each.event.seq for batch in answers for each in batch if each.event.room_id == room]
            assert sorted(seqs) == list(range(1, len(seqs) + 1))
            assert [event.seq for event in await bench.log.events(room, 0, len(seqs))] == sorted(seqs)

    async def test_a_large_batch_is_one_batch(self, bench: Bench) -> None:
        room = a_room()
        answers = await bench.log.append([saying(room, str(number)) for number in range(1_000)])
        assert [each.event.seq for each in answers] == list(range(1, 1_001))
        assert [event.data["text"] for event in await bench.log.events(room, 996, 1_000)] == [
            "996",
            "997",
            "998",
            "999",
        ]

    async def test_an_empty_batch_is_nothing(self, bench: Bench) -> None:
        assert await bench.log.append([]) == []

    @pytest.mark.parametrize("text", ["\x01\x1f", '"\\/', "💬" * 2_000, "x" * 8_000, "\u2028\ufeff", "a\r\nb"])
    async def test_any_text_comes_back_as_it_was(self, bench: Bench, text: str) -> None:
        room = a_room()
        event = await bench.say(room, text)
        assert (await bench.log.events(room, 0, 1))[0].data["text"] == text
        message = await bench.log.message(room, event.id)
        assert message is not None
        assert message.text == text

    @pytest.mark.parametrize(
        "command",
        [
            NewEvent(RoomId("lunch"), EventType.MESSAGE_CREATED, ANN, a_client_id(), {"text": "x"}),
            NewEvent(a_room(), EventType.MESSAGE_CREATED, UserId(ANN.upper()), a_client_id(), {"text": "x"}),
            NewEvent(a_room(), EventType.MESSAGE_CREATED, ANN, a_client_id(), {"text": "\ud800"}),
            NewEvent(a_room(), EventType.MESSAGE_CREATED, ANN, a_client_id(), {"text": object()}),
        ],
        ids=["room id", "upper case", "lone surrogate", "not JSON"],
    )
    async def test_what_cannot_be_stored_is_refused_and_nothing_of_its_batch_written(
        self, bench: Bench, command: NewEvent
    ) -> None:
        room = a_room()
        with pytest.raises(InvalidRequest):
            await bench.log.append([saying(room), command])
        assert await bench.log.tails([room]) == {room: Tail()}
        assert (await bench.say(room, "still here")).seq == 1


class TestReading:
    async def test_tails_of_known_and_unknown_rooms(self, bench: Bench) -> None:
        room, unknown = a_room(), a_room()
        await bench.log.append([saying(room), saying(room)])
        assert await bench.log.tails([unknown, room]) == {unknown: Tail(), room: Tail(2, START)}
        assert await bench.log.tails([]) == {}
        bench.clock.wall += 5
        await bench.say(room)
        assert await bench.log.tails([unknown, room]) == {unknown: Tail(), room: Tail(3, START + 5)}
        assert await bench.log.tails([RoomId("no uuid")]) == {"no uuid": Tail()}

    async def test_events_are_the_half_open_range(self, bench: Bench) -> None:
        room = a_room()
        await bench.log.append([saying(room) for _ in range(5)])
        await bench.log.append([saying(a_room())])
        assert [each.seq for each in await bench.log.events(room, 1, 3)] == [2, 3]
        assert [each.seq for each in await bench.log.events(room, 3, 99)] == [4, 5]
        assert await bench.log.events(room, 5, 5) == []
        assert await bench.log.events(a_room(), 0, 9) == []

    async def test_events_over_a_bound_in_bytes_are_not_returned_at_all(self, bench: Bench) -> None:
        room = a_room()
        for text in ("a", "é" * 100, "b"):
            await bench.say(room, text)
        whole = sum(len(json(event.data)) for event in await bench.log.events(room, 0, 3))
        assert [each.seq for each in await bench.log.events(room, 0, 3, max_bytes=whole)] == [1, 2, 3]
        assert await bench.log.events(room, 0, 3, max_bytes=whole - 1) == []
        assert [each.seq for each in await bench.log.events(room, 2, 3, max_bytes=whole - 1)] == [3]

    async def test_pages_run_both_ways_over_messages_only(self, bench: Bench) -> None:
        room = a_room()
        first = await bench.say(room)
        await bench.log.append([doing(REACTED, first, emoji="x"), *(saying(room) for _ in range(4))])

        async def page(**bounds: int) -> list[int]:
            return [each.seq for each in await bench.log.page(room, **bounds)]

        assert await page() == [6, 5, 4, 3, 1]
        assert await page(limit=2) == [6, 5]
        assert await page(before=4, limit=2) == [3, 1]
        assert await page(after=1, limit=2) == [4, 3]
        assert await page(after=6) == []
        assert await page(before=1) == []
        assert await page(after=1, before=5) == [4, 3]
        assert await bench.log.page(a_room()) == []

    async def test_who_knows_a_head_misses_nothing_up_to_it(self, bench: Bench) -> None:
        room = a_room()
        first = await bench.say(room)
        await bench.log.append([saying(room) for _ in range(8)])
        edit = await bench.does(EDITED, first, text="else")
        for head in (4, 9, edit.seq, edit.seq + 5):
            whole = [each for each in await bench.log.page(room) if each.seq <= head]
            assert [each for each in await bench.log.page(room, head=head) if each.seq <= head] == whole
            assert [each.seq for each in await bench.log.page(room, after=1, limit=2, head=head)] == [3, 2]
            assert [each.seq for each in await bench.log.around(room, 2, 3, head=head)] == [3, 2, 1]
            assert [each.seq for each in await bench.log.entries_around(room, 2, 3, head=head)] == [3, 2, 1]
            assert {1, 2, 3, 4} <= {each.seq for each in await bench.log.entries(room, head=head)}

    async def test_entries_are_the_messages_and_what_stands_among_them(self, bench: Bench) -> None:
        room = a_room()
        message = await bench.say(room)
        among = [
            await bench.one(NewEvent(room, kind, BEN, a_client_id(), {"user_id": BEN, "call_id": uuid7()}))
            for kind in AMONG_MESSAGES
        ]
        for kind in set(EventType) - set(AMONG_MESSAGES) - {EventType.MESSAGE_CREATED, DELETED}:
            await bench.does(kind, message, BEN, emoji="x", text="y")
        last = await bench.say(room)
        await bench.say(a_room())
        (newest, *events, oldest) = await bench.log.entries(room)
        assert events == among[::-1]
        assert [newest, oldest] == await bench.log.page(room)

        async def seqs(**bounds: int) -> list[int]:
            return [each.seq for each in await bench.log.entries(room, **bounds)]

        assert await seqs(limit=2) == [last.seq, 6]
        assert await seqs(before=6, limit=3) == [5, 4, 3]
        assert await seqs(before=3, limit=3) == [2, 1]
        assert await seqs(after=1, limit=2) == [3, 2]
        assert await seqs(after=6, limit=2) == [last.seq]
        assert await seqs(after=last.seq) == []
        assert [each.seq for each in await bench.log.entries_around(room, 3, 3)] == [4, 3, 2]
        assert [each.seq for each in await bench.log.entries_around(room, 1, 4)] == [4, 3, 2, 1]
        assert [each.seq for each in await bench.log.entries_around(room, 9, 3)] == [last.seq, 6, 5]
        assert await bench.log.entries(RoomId("no uuid")) == []

    @pytest.mark.parametrize(
        ("seq", "limit", "expected"),
        [
            (5, 5, [7, 6, 5, 4, 3]),
            (5, 1, [5]),
            (9, 4, [9, 8, 7, 6]),
            (1, 4, [4, 3, 2, 1]),
            (99, 3, [9, 8, 7]),
            (5, 99, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ],
    )
    async def test_around_a_place(self, bench: Bench, seq: int, limit: int, expected: list[int]) -> None:
        room = a_room()
        await bench.log.append([saying(room) for _ in range(9)])
        assert [each.seq for each in await bench.log.around(room, seq, limit)] == expected

    async def test_a_message_is_found_in_its_room_only(self, bench: Bench) -> None:
        room = a_room()
        event = await bench.say(room)
        reaction = await bench.does(REACTED, event, emoji="x")
        assert await bench.log.message(a_room(), event.id) is None
        assert await bench.log.message(room, reaction.id) is None
        assert await bench.log.message(room, EventId(uuid7())) is None
        assert await bench.log.message(room, EventId("' OR 1")) is None


class TestChanges:
    async def test_edit_reactions_and_pin_show_in_every_view(self, bench: Bench) -> None:
        room = a_room()
        event = await bench.say(room, "one")
        await bench.say(room, "other")
        await bench.log.append(
            [
                doing(EDITED, event, text="two"),
                doing(REACTED, event, BEN, emoji="👍"),
                doing(REACTED, event, CY, emoji="👍"),
                doing(PINNED, event, BEN),
            ]
        )
        await bench.does(UNREACTED, event, BEN, emoji="👍")
        message = await bench.log.message(room, event.id)
        assert message is not None
        assert (message.text, message.reactions, message.pinned_by) == ("two", {"👍": [CY]}, BEN)
        assert (message.version, message.edited_at) == (7, START)
        assert await bench.log.pinned(room) == [message]
        assert (await bench.log.page(room))[1] == message
        await bench.does(UNPINNED, event)
        assert await bench.log.pinned(room) == []

    async def test_who_reacts_stands_in_the_order_of_reacting(self, bench: Bench) -> None:
        room = a_room()
        event = await bench.say(room)
        await bench.log.append([doing(REACTED, event, who, emoji="x") for who in (CY, ANN, BEN)])
        await bench.log.append(
            [
                doing(UNREACTED, event, CY, emoji="x"),
                doing(REACTED, event, CY, emoji="x"),
                doing(REACTED, event, CY, emoji="y"),
                doing(UNREACTED, event, BEN, emoji="y"),
            ]
        )
        message = await bench.log.message(room, event.id)
        assert message is not None
        assert message.reactions == {"x": [ANN, BEN, CY], "y": [CY]}
        assert message.version == 7, "removing what is not there leaves it"
        outline = await bench.log.message(room, event.id, reactors=False)
        assert outline is not None
        assert outline.reactions == {"x": [], "y": []}
        await bench.does(DELETED, event)
        message = await bench.log.message(room, event.id)
        assert message is not None
        assert message.reactions == {}

    async def test_pins_come_latest_first(self, bench: Bench) -> None:
        room = a_room()
        events = [await bench.say(room) for _ in range(3)]
        for event in (events[1], events[0], events[2]):
            bench.clock.wall += 1
            await bench.does(PINNED, event)
        assert [each.seq for each in await bench.log.pinned(room)] == [3, 1, 2]

    async def test_deleting_takes_the_text_from_the_log_for_good(self, bench: Bench) -> None:
        room = a_room()
        event = await bench.say(room, "secret", mentions=[BEN])
        await bench.does(EDITED, event, text="secret too")
        await bench.does(DELETED, event)
        late = (await bench.repeat(doing(EDITED, event, text="secret again"))).event
        assert late.data == {"message_id": event.id}
        assert [each.data for each in await bench.log.events(room, 0, 9)] == [{}] + [{"message_id": event.id}] * 3
        message = await bench.log.message(room, event.id)
        assert message is not None
        assert (message.text, message.deleted_at, message.version) == ("", START, 3)
        assert (await bench.log.page(room)) == [message]

    async def test_edit_and_deletion_in_one_batch_leave_no_text(self, bench: Bench) -> None:
        room = a_room()
        event = await bench.say(room, "secret")
        late = doing(EDITED, event, text="late")
        await bench.log.append([doing(EDITED, event, text="early"), doing(DELETED, event), late])
        assert all("text" not in each.data for each in await bench.log.events(room, 0, 9))
        again = await bench.repeat(late)
        assert again.repeated
        assert "text" not in again.event.data

    async def test_an_event_naming_a_message_of_another_room_changes_nothing(self, bench: Bench) -> None:
        room, other = a_room(), a_room()
        event = await bench.say(room, "mine")
        await bench.say(other)
        await bench.one(NewEvent(other, DELETED, ANN, a_client_id(), {"message_id": event.id}))
        message = await bench.log.message(room, event.id)
        assert message is not None
        assert message.text == "mine"


class TestMentions:
    async def test_counted_past_the_marker_for_the_user_or_the_room_but_not_for_oneself(self, bench: Bench) -> None:
        room, other = a_room(), a_room()
        await bench.say(room, mentions=[BEN], text="1")
        await bench.say(room, mentions=[BEN, ANN], mentions_room=True, text="2")
        await bench.say(room, mentions=[ANN], text="3")
        await bench.say(room, sender=BEN, mentions_room=True, text="4")
        await bench.say(other, mentions=[BEN], text="x")
        wanted = [(BEN, room, 0), (BEN, room, 1), (ANN, room, 0), (CY, room, 0), (BEN, other, 0), (BEN, room, 4)]
        assert await bench.log.mentions(wanted) == [2, 1, 1, 2, 1, 0]
        assert await bench.log.mentions([]) == []
        assert await bench.log.mentions([(BEN, a_room(), 0), (BEN, room, 1 << 60)]) == [0, 0]

    async def test_edits_change_and_deletions_remove_them(self, bench: Bench) -> None:
        room = a_room()
        event = await bench.say(room, "@ben", mentions=[BEN])
        await bench.does(EDITED, event, text="@cy @room", mentions=[CY], mentions_room=True)
        assert await bench.log.mentions([(BEN, room, 0), (CY, room, 0), (ANN, room, 0)]) == [1, 1, 0]
        await bench.does(EDITED, event, text="@cy", mentions=[CY])
        assert await bench.log.mentions([(BEN, room, 0), (CY, room, 0)]) == [0, 1]
        await bench.does(DELETED, event)
        assert await bench.log.mentions([(BEN, room, 0), (CY, room, 0)]) == [0, 0]


steps = st.lists(
    st.tuples(
        st.sampled_from([EventType.MESSAGE_CREATED, EDITED, DELETED, REACTED, UNREACTED, PINNED, UNPINNED]),
        st.integers(0, 5),
        st.sampled_from([ANN, BEN]),
        st.sampled_from(["a", "b"]),
    ),
    min_size=1,
    max_size=24,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, cuts=st.lists(st.integers(1, 6), max_size=8))
def test_an_old_snapshot_and_the_events_since_are_a_fresh_fetch(
    opens: Opener, steps: list[tuple[EventType, int, UserId, str]], cuts: list[int]
) -> None:
    """The promise of DESIGN.md section 3, on the engine itself: batches of any size, snapshots after each."""

    async def check() -> None:
        async with opens() as bench:
            await _check_snapshots(bench, steps, cuts)

    asyncio.run(check())


async def _check_snapshots(bench: Bench, steps: list[tuple[EventType, int, UserId, str]], cuts: list[int]) -> None:
    room = a_room()
    messages: list[EventId] = [(await bench.say(room, "first")).id]
    snapshots = [await _snapshot(bench, room)]
    left = list(steps)
    for size in [*cuts, len(steps)]:
        taken, left = left[:size], left[size:]
        batch = [
            NewEvent(
                room,
                kind,
                sender,
                a_client_id(),
                {"text": word}
                if kind is EventType.MESSAGE_CREATED
                else {"message_id": messages[target % len(messages)], "emoji": word, "text": word},
            )
            for kind, target, sender, word in taken
        ]
        answers = await bench.log.append(batch)
        messages += [each.event.id for each in answers if each.event.type is EventType.MESSAGE_CREATED]
        snapshots.append(await _snapshot(bench, room))
    for old in snapshots:
        view = old
        for event in await bench.log.events(room, old.head, snapshots[-1].head):
            view = apply(view, event)
        assert view == snapshots[-1]


async def _snapshot(bench: Bench, room: RoomId) -> RoomView:
    head = (await bench.log.tails([room]))[room].seq
    return RoomView(head, {each.id: each for each in await bench.log.page(room, limit=1_000)})
