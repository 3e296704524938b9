"""One search a user at a time: the newest."""

import asyncio
from typing import Any

import pytest

from parlour.chat.model import SearchHit
from parlour.chat.ports import SearchQuery
from parlour.chat.service.search import SearchMessages
from parlour.platform.errors import Conflict
from parlour.platform.rates import RateLimits

from .doubles import FakeMemberships, ManualClock, a_principal, a_room


class SlowSearch:
    """A search whose answers tests release; it knows who stopped waiting."""

    def __init__(self) -> None:
        self.begun: dict[str, asyncio.Event] = {}
        self.released = asyncio.Event()
        self.cancelled: list[str] = []

    async def search(self, query: SearchQuery) -> tuple[list[SearchHit], str | None]:
        self.begun.setdefault(query.text, asyncio.Event()).set()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.append(query.text)
            raise
        return [], query.text


class House:
    def __init__(self) -> None:
        self.engine = SlowSearch()
        self.ann, self.ben = a_principal("ann"), a_principal("ben")
        memberships: Any = FakeMemberships()
        room = a_room()
        for who in (self.ann, self.ben):
            memberships.add(who, room)
        self.searches = SearchMessages(self.engine, memberships, RateLimits(ManualClock()))

    async def begin(self, who: Any, text: str) -> "asyncio.Task[Any]":
        begun = self.engine.begun.setdefault(text, asyncio.Event())
        task = asyncio.create_task(self.searches.search(who, text))
        await begun.wait()
        return task


async def test_a_newer_search_ends_the_older_of_the_same_user_only() -> None:
    house = House()
    older, other = await house.begin(house.ann, "old"), await house.begin(house.ben, "other")
    newer = await house.begin(house.ann, "new")
    with pytest.raises(Conflict):
        await older
    assert house.engine.cancelled == ["old"]
    house.engine.released.set()
    assert (await newer)[1] == "new"
    assert (await other)[1] == "other"


async def test_one_after_the_other_both_answer() -> None:
    house = House()
    house.engine.released.set()
    for text in ("one", "two"):
        assert (await house.searches.search(house.ann, text))[1] == text


async def test_a_caller_who_goes_ends_the_search() -> None:
    house = House()
    gone = await house.begin(house.ann, "old")
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert house.engine.cancelled == ["old"]
    house.engine.released.set()
    assert (await house.searches.search(house.ann, "new"))[1] == "new"
