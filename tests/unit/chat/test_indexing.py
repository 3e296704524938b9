"""Feeding the index goes on through outages, waits for it, and lets no room that cannot be indexed hold up the others."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from parlour.chat.model import EventType, RoomEvent
from parlour.chat.service.indexing import ATTEMPTS, LONGEST_DELAY, PIECE, Indexing
from parlour.platform.errors import Unavailable
from parlour.platform.ids import ClientId, EventId, RoomId, UserId

from .virtual_time import in_virtual_time

HALL, ATTIC = RoomId("hall"), RoomId("attic")


class Index:
    """Holds what it was told, unless it is away or a room is bad."""

    def __init__(self) -> None:
        self.held: list[RoomEvent] = []
        self.rebuilt: list[RoomId] = []
        self.calls: Counter[str] = Counter()
        self.largest = 0
        self.at_once = self.most_at_once = 0
        self.away_until = 0.0
        self.bad: set[RoomId] = set()

    async def apply(self, events: Sequence[RoomEvent]) -> None:
        self._enter("apply")
        if self.bad & {event.room_id for event in events}:
            raise ValueError("no such event was foreseen")
        self.largest = max(self.largest, len(events))
        self.held += events

    async def rebuild(self, room_id: RoomId) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(1)
            self._enter("rebuild")
        finally:
            self.at_once -= 1
        self.rebuilt.append(room_id)

    def _enter(self, what: str) -> None:
        self.calls[what] += 1
        if asyncio.get_running_loop().time() < self.away_until:
            raise Unavailable(retry_after=1)


def events(room_id: RoomId, *seqs: int) -> list[RoomEvent]:
    kind = EventType.MESSAGE_CREATED
    return [RoomEvent(room_id, seq, EventId(""), kind, UserId("ann"), ClientId(""), 0, {}) for seq in seqs]


@in_virtual_time
async def test_it_waits_for_an_index_that_is_away_however_long_and_without_haste() -> None:
    index = Index()
    index.away_until = asyncio.get_running_loop().time() + 3_600
    await Indexing(index).committed(events(HALL, 1, 2))
    assert [event.seq for event in index.held] == [1, 2]
    assert 3_600 / LONGEST_DELAY <= index.calls["apply"] <= 2 * 3_600 / LONGEST_DELAY + 10
    assert asyncio.get_running_loop().time() < index.away_until + LONGEST_DELAY


@in_virtual_time
async def test_a_large_batch_is_handed_over_in_pieces() -> None:
    index = Index()
    await Indexing(index).committed(events(HALL, *range(1, 2 * PIECE + 2)))
    assert [event.seq for event in index.held] == list(range(1, 2 * PIECE + 2))
    assert index.largest == PIECE


@in_virtual_time
async def test_a_room_that_cannot_be_indexed_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    index = Index()
    index.bad = {ATTIC}
    mixed = [*events(ATTIC, 1), *events(HALL, 1), *events(ATTIC, 2), *events(HALL, 2)]
    await Indexing(index).committed(mixed)
    assert index.held == events(HALL, 1, 2)
    told = [record for record in caplog.records if record.message == "a room's events cannot be indexed"]
    assert [record.__dict__["room_id"] for record in told] == [ATTIC]
    index.bad = set()
    await Indexing(index).committed(events(ATTIC, 3))
    assert index.held[-1].room_id == ATTIC


@in_virtual_time
async def test_rooms_are_rebuilt_some_at_a_time_through_a_short_outage() -> None:
    index = Index()
    index.away_until = asyncio.get_running_loop().time() + 10
    rooms = [RoomId(str(number)) for number in range(20)]
    assert await Indexing(index).rebuild(iter(rooms)) == 20
    assert sorted(index.rebuilt) == sorted(rooms)
    assert index.most_at_once == 4


@in_virtual_time
async def test_whoever_asked_for_a_rebuild_is_told_when_the_index_stays_away() -> None:
    index = Index()
    index.away_until = float("inf")
    with pytest.raises(Unavailable):
        await Indexing(index).rebuild([HALL])
    assert index.calls["rebuild"] == ATTEMPTS
    assert index.at_once == 0
