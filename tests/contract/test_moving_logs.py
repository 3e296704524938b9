"""A room log that is written into another one, as it is: `MovableLog`."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from parlour.chat.model import EventType, NewEvent, RoomEvent
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import EventId, RoomId, UserId, uuid7

from .room_logs import ADAPTERS, ANN, BEN, CY, Bench, Opener, a_client_id, a_room, doing, opener, saying, sqlite

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


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[Bench]:
    """Where the events come from; its clock is elsewhere than that of the log under test."""
    async with sqlite(tmp_path) as source:
        source.clock.wall -= 1_000_000
        yield source


async def a_history(source: Bench) -> RoomId:
    """A room in which everything has happened that changes a view."""
    room = a_room()
    one = await source.say(room, "one @ben", mentions=[BEN])
    two = await source.say(room, "secret", BEN, mentions_room=True)
    three = await source.say(room, "three", CY, reply_to=one.id)
    source.clock.wall += 7
    for command in [
        NewEvent(room, EventType.MEMBER_JOINED, ANN, a_client_id(), {"user_id": CY, "role": "member"}),
        doing(EDITED, one, text="one @cy", mentions=[CY]),
        doing(EDITED, one, BEN, text="not mine"),
        *(doing(REACTED, one, who, emoji="x") for who in (CY, ANN, BEN)),
        doing(UNREACTED, one, ANN, emoji="x"),
        doing(PINNED, one, CY),
        doing(PINNED, three),
        doing(UNPINNED, three),
        doing(EDITED, two, BEN, text="secret too"),
        doing(DELETED, two),
        doing(EDITED, two, BEN, text="secret again"),
        doing(REACTED, three, emoji="y"),
    ]:
        source.clock.wall += 1
        await source.one(command)
    return room


async def history(bench: Bench, room: RoomId) -> list[RoomEvent]:
    tail = (await bench.log.tails([room]))[room]
    return await bench.log.events(room, 0, tail.seq)


async def views(bench: Bench, room: RoomId) -> dict[str, Any]:
    """Everything that is read of a room."""
    log = bench.log
    page = await log.page(room, limit=1_000)
    return {
        "tails": await log.tails([room]),
        "events": await history(bench, room),
        "page": page,
        "entries": await log.entries(room, limit=1_000),
        "messages": [await log.message(room, each.id) for each in page],
        "pinned": await log.pinned(room),
        "mentions": await log.mentions([(who, room, seq) for who in (ANN, BEN, CY) for seq in (0, 1, 2)]),
        "found": [await log.find(room, each.sender_id, each.client_id) for each in await history(bench, room)],
    }


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_events_are_written_as_they_are_and_every_view_is_theirs(bench: Bench, source: Bench, size: int) -> None:
    rooms = [await a_history(source), await a_history(source)]
    parts = [await history(source, room) for room in rooms]
    mixed = [event for pair in zip(*parts, strict=True) for event in pair]
    for start in range(0, len(mixed), size):
        await bench.log.restore(mixed[start : start + size])
    for room in rooms:
        assert await views(bench, room) == await views(source, room)
    assert await bench.log.rooms() == sorted(rooms)


async def test_the_log_goes_on_from_there_and_knows_what_it_was_sent(bench: Bench, source: Bench) -> None:
    room = a_room()
    command = saying(room, "one")
    first = await source.one(command)
    await bench.log.restore([first])
    again = await bench.repeat(command)
    assert (again.repeated, again.event) == (True, first)
    assert (await bench.say(room, "two")).seq == 2
    edited = await bench.does(EDITED, first, text="one more")
    message = await bench.log.message(room, first.id)
    assert message is not None
    assert (message.text, message.version) == ("one more", edited.seq)


async def test_what_is_there_already_changes_nothing(bench: Bench, source: Bench) -> None:
    room = await a_history(source)
    events = await history(source, room)
    await bench.log.restore(events[:9])
    await bench.log.restore(events[:9])
    await bench.log.restore(events[4:])
    await bench.log.restore([])
    assert await views(bench, room) == await views(source, room)


def another(event: RoomEvent) -> RoomEvent:
    return replace(event, id=EventId(uuid7()), client_id=a_client_id())


@pytest.mark.parametrize(
    "changed",
    [
        lambda events: events[2:],
        lambda events: [events[0], events[2]],
        lambda events: [events[1], events[0]],
        lambda events: [events[0], events[0]],
        lambda events: [events[0], another(events[0])],
        lambda events: [replace(events[0], id=EventId("no uuid"))],
        lambda events: [replace(events[0], sender_id=UserId("no uuid"))],
        lambda events: [replace(events[0], data={"text": object()})],
    ],
    ids=["late", "gap", "backwards", "twice", "two in one place", "id", "sender", "data"],
)
async def test_what_cannot_stand_in_its_place_is_refused(bench: Bench, source: Bench, changed: Any) -> None:
    room = a_room()
    events = [await source.say(room, text) for text in "abc"]
    wrong: Sequence[RoomEvent] = changed(events)
    with pytest.raises(InvalidRequest):
        await bench.log.restore(wrong)
    assert await history(bench, room) == []
    await bench.log.restore(events)
    assert await history(bench, room) == events


async def test_a_room_that_has_another_history_is_left_as_it_is(bench: Bench, source: Bench) -> None:
    room = a_room()
    own = await bench.say(room, "own")
    events = [await source.say(room, text) for text in "ab"]
    with pytest.raises(InvalidRequest):
        await bench.log.restore(events)
    assert await history(bench, room) == [own]


async def test_rooms_come_in_pages_by_id(bench: Bench) -> None:
    rooms = sorted(a_room() for _ in range(5))
    await bench.log.append([saying(room) for room in reversed(rooms)])
    assert await bench.log.rooms(limit=2) == rooms[:2]
    assert await bench.log.rooms(after=rooms[1], limit=2) == rooms[2:4]
    assert await bench.log.rooms(after=rooms[4]) == []


steps = st.lists(
    st.tuples(
        st.sampled_from([EventType.MESSAGE_CREATED, EDITED, DELETED, REACTED, UNREACTED, PINNED, UNPINNED]),
        st.integers(0, 5),
        st.sampled_from([ANN, BEN]),
        st.sampled_from(["a", "b"]),
    ),
    max_size=24,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, cut=st.integers(1, 9))
async def test_any_history_has_the_same_views(
    bench: Bench, source: Bench, steps: list[tuple[EventType, int, UserId, str]], cut: int
) -> None:
    room = a_room()
    messages = [await source.say(room, "first")]
    for kind, target, sender, word in steps:
        if kind is EventType.MESSAGE_CREATED:
            messages.append(await source.say(room, word, sender))
        else:
            await source.does(kind, messages[target % len(messages)], sender, emoji=word, text=word)
    events = await history(source, room)
    for start in range(0, len(events), cut):
        await bench.log.restore(events[start : start + cut])
    assert await views(bench, room) == await views(source, room)
