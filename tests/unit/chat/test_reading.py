"""History and search: only for members, within bounds, and with a head that hides nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from parlour.chat.errors import MessageNotFound, RoomNotFound
from parlour.chat.model import EventType, Message, RoomEvent, SearchHit
from parlour.chat.ports import SearchQuery
from parlour.chat.service.history import KEPT_PAGES, LARGEST_KEPT, MAX_PAGE, History, MessagePage
from parlour.chat.service.search import MAX_HITS, MAX_QUERY, SearchMessages
from parlour.platform.errors import InvalidRequest, RateLimited
from parlour.platform.ids import ClientId, EventId, RoomId, UserId
from parlour.platform.rates import RateLimits

from .doubles import FakeHeads, FakeLog, FakeMemberships, ManualClock, a_principal, a_room


class PagedLog(FakeLog):
    """A log of which only the calls matter."""

    def __init__(self, calls: list[Any]) -> None:
        super().__init__()
        self.calls = calls
        self.answer: list[Message] = []
        self.among: list[Message | RoomEvent] = []

    async def page(self, room_id: RoomId, **bounds: Any) -> list[Message]:
        self.calls.append((room_id, bounds))
        return self.answer

    async def around(self, room_id: RoomId, seq: int, limit: int, **bounds: Any) -> list[Message]:
        self.calls.append((room_id, seq, limit, bounds))
        return []

    async def entries(self, room_id: RoomId, **bounds: Any) -> list[Message | RoomEvent]:
        self.calls.append(("entries", room_id, bounds))
        return self.among

    async def entries_around(self, room_id: RoomId, seq: int, limit: int, **bounds: Any) -> list[Message | RoomEvent]:
        self.calls.append(("entries", room_id, seq, limit, bounds))
        return self.among


class CountedHeads(FakeHeads):
    """Heads that note when they are read."""

    def __init__(self, calls: list[Any]) -> None:
        super().__init__()
        self.calls = calls

    async def of(self, room_ids: Any) -> dict[RoomId, int]:
        self.calls.append("head")
        return await super().of(room_ids)


class House:
    def __init__(self, rates: dict[str, str] | None = None) -> None:
        self.ann, self.room, self.other = a_principal(), a_room(), a_room()
        self.calls: list[Any] = []
        self.log, self.heads, memberships = PagedLog(self.calls), CountedHeads(self.calls), FakeMemberships()
        memberships.add(self.ann, self.room)
        memberships.add(self.ann, self.other)
        self.heads.at[self.room.id] = 9
        self.history = History(
            self.log, memberships, self.heads, RateLimits(ManualClock(), {"history": "1000/minute", **(rates or {})})
        )
        self.queries: list[SearchQuery] = []
        self.searching = SearchMessages(self, memberships, RateLimits(ManualClock(), rates))

    async def search(self, query: SearchQuery) -> tuple[list[SearchHit], str | None]:
        """The port, of which this is the double."""
        self.queries.append(query)
        return [], "next"


async def test_the_head_is_read_before_the_page_so_that_no_event_hides_between_them() -> None:
    house = House()
    assert await house.history.page(house.ann, house.room.id, before=7, limit=20) == MessagePage([], 9)
    assert await house.history.around(house.ann, house.room.id, 5) == MessagePage([], 9)
    assert house.calls == [
        "head",
        (house.room.id, {"before": 7, "after": None, "limit": 20, "head": 9}),
        "head",
        (house.room.id, 5, 50, {"head": 9}),
    ]


async def test_a_page_is_read_once_until_the_head_of_its_room_moves() -> None:
    house = House()
    for _ in range(2):
        await house.history.page(house.ann, house.room.id, limit=20)
    await house.history.page(house.ann, house.room.id, limit=10)
    await house.history.page(house.ann, house.other.id, limit=20)
    assert len([call for call in house.calls if call != "head"]) == 3
    house.heads.at[house.room.id] = 10
    assert await house.history.page(house.ann, house.room.id, limit=20) == MessagePage([], 10)
    assert len([call for call in house.calls if call != "head"]) == 4


async def test_a_page_with_events_is_another_page_than_the_one_without() -> None:
    house = House()
    message = house.log.put(house.room, house.ann)
    joined = RoomEvent(
        house.room.id, 8, EventId("8"), EventType.MEMBER_JOINED, UserId("ben"), ClientId("8"), 1, {"user_id": "ben"}
    )
    house.log.among = [joined, message]
    for _ in range(2):
        page = await house.history.page(house.ann, house.room.id, limit=20, events=True)
        assert page == MessagePage([message], 9, [joined])
        assert await house.history.page(house.ann, house.room.id, limit=20) == MessagePage([], 9)
    assert await house.history.around(house.ann, house.room.id, 5, events=True) == page
    assert [call[0] for call in house.calls if call != "head"] == ["entries", house.room.id, "entries"]


async def test_only_so_many_pages_are_kept_and_no_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    large = house.log.put(house.room, house.ann, "x" * (LARGEST_KEPT + 1))
    for before in [*range(1, KEPT_PAGES + 2), 1]:
        await house.history.page(house.ann, house.room.id, before=before, limit=20)
    monkeypatch.setattr(house.log, "answer", [large])
    for _ in range(2):
        assert await house.history.page(house.ann, house.room.id, limit=MAX_PAGE) == MessagePage([large], 9)
    assert len([call for call in house.calls if call != "head"]) == KEPT_PAGES + 2 + 2


Reading = Callable[[History, Any, RoomId], Awaitable[Any]]
READINGS: list[Reading] = [
    lambda history, principal, room_id: history.page(principal, room_id),
    lambda history, principal, room_id: history.around(principal, room_id, 1),
    lambda history, principal, room_id: history.page(principal, room_id, events=True),
    lambda history, principal, room_id: history.around(principal, room_id, 1, events=True),
    lambda history, principal, room_id: history.message(principal, room_id, EventId("any")),
    lambda history, principal, room_id: history.pinned(principal, room_id),
]


@pytest.mark.parametrize("reading", READINGS, ids=["page", "around", "entries", "entries around", "message", "pinned"])
async def test_only_members_read(reading: Reading) -> None:
    house = House()
    for room_id in (house.room.id, RoomId("nowhere")):
        with pytest.raises(RoomNotFound):
            await reading(house.history, a_principal("eve"), room_id)
    assert house.calls == []


@pytest.mark.parametrize("reading", READINGS, ids=["page", "around", "entries", "entries around", "message", "pinned"])
async def test_what_is_read_from_the_log_has_a_rate_and_what_is_kept_has_none(reading: Reading) -> None:
    house = House({"history": "2/minute"})
    message = house.log.put(house.room, house.ann)
    await house.history.page(house.ann, house.room.id, limit=20)
    await house.history.message(house.ann, house.room.id, message.id)
    with pytest.raises(RateLimited) as refused:
        await reading(house.history, house.ann, house.room.id)
    assert refused.value.retry_after
    assert await house.history.page(house.ann, house.room.id, limit=20) == MessagePage([], 9)


async def test_a_large_page_counts_for_as_many_small_ones_as_it_holds() -> None:
    house = House({"history": "4/minute"})
    await house.history.page(house.ann, house.room.id, limit=MAX_PAGE)
    with pytest.raises(RateLimited):
        await house.history.page(house.ann, house.room.id, limit=1)


async def test_pages_are_bounded() -> None:
    house = House()
    for limit in (0, -1, MAX_PAGE + 1):
        with pytest.raises(InvalidRequest):
            await house.history.page(house.ann, house.room.id, limit=limit)
        with pytest.raises(InvalidRequest):
            await house.history.around(house.ann, house.room.id, 1, limit)
    with pytest.raises(InvalidRequest):
        await house.history.page(house.ann, house.room.id, before=2, after=1)


async def test_one_message_is_found_in_its_room_only() -> None:
    house = House()
    message = house.log.put(house.room, house.ann)
    assert await house.history.message(house.ann, house.room.id, message.id) == message
    with pytest.raises(MessageNotFound):
        await house.history.message(house.ann, house.other.id, message.id)


async def test_a_search_looks_only_into_the_callers_rooms() -> None:
    house = House()
    assert await house.searching.search(house.ann, "lunch") == ([], "next")
    assert set(house.queries[0].room_ids) == {house.room.id, house.other.id}
    await house.searching.search(house.ann, "lunch", room_id=house.room.id)
    assert house.queries[1].room_ids == [house.room.id]
    with pytest.raises(RoomNotFound):
        await house.searching.search(house.ann, "lunch", room_id=a_room().id)
    assert await house.searching.search(a_principal("nobody"), "lunch") == ([], None)
    assert len(house.queries) == 2


@pytest.mark.parametrize(
    "wrong", [{"q": " "}, {"q": "x" * (MAX_QUERY + 1)}, {"has": "cake"}, {"limit": 0}, {"limit": MAX_HITS + 1}]
)
async def test_a_search_that_cannot_succeed_is_refused(wrong: dict[str, Any]) -> None:
    house = House()
    with pytest.raises(InvalidRequest) as refused:
        await house.searching.search(house.ann, **{"q": "lunch", **wrong})
    assert refused.value.details == {"field": next(iter(wrong))}


async def test_searches_have_a_rate() -> None:
    house = House({"search": "1/minute"})
    await house.searching.search(house.ann, "lunch")
    with pytest.raises(RateLimited):
        await house.searching.search(house.ann, "lunch")
