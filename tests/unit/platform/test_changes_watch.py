"""While the bus cannot tell, a process without accounts learns from the auth service whose session ended and who changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from parlour.platform import changes_watch
from parlour.platform.bus import MemoryBus
from parlour.platform.changes_watch import ChangesWatch
from parlour.platform.contracts import (
    CHANGES_PATH,
    SESSION_REVOKED,
    USER_CHANGED,
    Changes,
    ChangesWanted,
    SessionRevoked,
    UserChanged,
)
from parlour.platform.errors import Unavailable
from parlour.platform.ids import SessionId, UserId
from parlour.platform.looks import DAY
from parlour.platform.services import ServiceClient

from ..auth.world import ManualClock

MINUTE = 60_000
ANN = UserId("ann")


def ended(*session_ids: str) -> SessionRevoked:
    return SessionRevoked(ANN, [SessionId(each) for each in session_ids], "logout", 5)


def changed(role: str) -> UserChanged:
    return UserChanged(ANN, "ann", "Ann", role, disabled=False)


class Asked(ServiceClient):
    """Answers with what it holds, or as an auth service that is away or defective; `since` is what it was asked."""

    def __init__(self) -> None:
        super().__init__("auth", "http://nobody.test", "secret")
        self.since: list[int] = []
        self.sessions: list[SessionRevoked] = []
        self.users: list[UserChanged] = []
        self.fails: Exception | None = None
        self.meanwhile: Callable[[], None] = lambda: None

    async def call(self, path: str, request: Any, kind: Any, *, repeatable: bool) -> Any:
        assert (path, kind, repeatable) == (CHANGES_PATH, Changes, True)
        assert isinstance(request, ChangesWanted)
        self.since.append(request.since)
        self.meanwhile()
        if self.fails is not None:
            raise self.fails
        return Changes(self.sessions, self.users)


class GappyBus(MemoryBus):
    """A bus that can have a gap, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[Callable[[], None]] = []
        self.told: list[SessionRevoked | UserChanged] = []
        self.subscribe(SESSION_REVOKED, lambda body: self.told.append(msgspec.json.decode(body, type=SessionRevoked)))
        self.subscribe(USER_CHANGED, lambda body: self.told.append(msgspec.json.decode(body, type=UserChanged)))

    def on_gap(self, listener: Callable[[], None]) -> None:
        self.gaps.append(listener)

    def gap(self) -> None:
        for listener in self.gaps:
            listener()


class House:
    """A process whose Redis is there, or away."""

    def __init__(self) -> None:
        self.clock, self.bus, self.auth = ManualClock(), GappyBus(), Asked()
        self.connected = True
        self.watch = ChangesWatch(self.auth, self.bus, self.clock, lambda: self.connected, interval=0.005)

    async def look(self) -> None:
        self.clock.advance(0.5)
        await self.watch.look()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.auth.close()


async def test_nobody_asks_while_the_bus_tells(house: House) -> None:
    for _ in range(5):
        await house.look()
    assert house.auth.since == []


async def test_what_changes_in_an_outage_is_told_here_once(house: House) -> None:
    await house.look()
    heard = house.clock.now()
    house.connected = False
    await house.look()
    assert house.auth.since == [heard - MINUTE]
    assert house.bus.told == []
    house.auth.sessions, house.auth.users = [ended("s1")], [changed("admin")]
    await house.look()
    await house.look()
    assert house.bus.told == [ended("s1"), changed("admin")]
    house.auth.sessions, house.auth.users = [ended("s1", "s2")], [changed("member")]
    await house.look()
    assert house.bus.told[2:] == [ended("s2"), changed("member")]


async def test_each_question_goes_back_behind_the_last_that_was_answered(house: House) -> None:
    await house.look()
    house.connected = False
    await house.look()
    answered = house.clock.now()
    house.auth.fails = Unavailable(retry_after=1)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await house.look()
    house.auth.fails = None
    house.auth.sessions = [ended("s1")]
    await house.look()
    await house.look()
    assert house.auth.since[1:] == [answered - MINUTE] * 4 + [house.clock.now() - 500 - MINUTE]
    assert house.bus.told == [ended("s1")]


async def test_it_asks_once_more_when_the_outage_is_over(house: House) -> None:
    house.connected = False
    await house.look()
    house.connected = True
    house.auth.sessions = [ended("s1")]
    for _ in range(5):
        await house.look()
    assert len(house.auth.since) == 2
    assert house.bus.told == [ended("s1")]


async def test_an_outage_that_ends_or_begins_under_a_question_has_one_more(house: House) -> None:
    await house.look()
    house.connected = False
    house.auth.meanwhile = lambda: setattr(house, "connected", True)
    for _ in range(5):
        await house.look()
    assert len(house.auth.since) == 2
    house.bus.gap()
    house.auth.meanwhile = lambda: house.bus.gap() if len(house.auth.since) == 3 else None
    for _ in range(5):
        await house.look()
    assert len(house.auth.since) == 4


async def test_after_a_gap_that_nobody_noticed_it_asks(house: House) -> None:
    await house.look()
    heard = house.clock.now()
    house.bus.gap()
    house.auth.fails = Unavailable(retry_after=1)
    with pytest.raises(Unavailable):
        await house.look()
    house.auth.fails = None
    house.auth.users = [changed("admin")]
    for _ in range(3):
        await house.look()
    assert house.auth.since == [heard - MINUTE] * 2
    assert house.bus.told == [changed("admin")]


async def test_who_starts_in_an_outage_asks_for_all_that_may_matter(house: House) -> None:
    begun = house.clock.now()
    house.connected = False
    await house.look()
    await house.look()
    assert house.auth.since == [begun - DAY - MINUTE + 500, begun + 500 - MINUTE]


async def test_no_more_is_remembered_than_the_last_answer_held(house: House) -> None:
    house.connected = False
    for number in range(100):
        house.auth.sessions = [ended(f"s{number}")]
        house.auth.users = [UserChanged(UserId(f"u{number}"), "u", "U", "member", disabled=False)]
        await house.look()
    assert len(house.bus.told) == 200
    assert (len(house.watch._sessions), len(house.watch._users)) == (1, 1)


@pytest.mark.parametrize("failure", [Unavailable(retry_after=1), ZeroDivisionError()], ids=["away", "defect"])
async def test_it_goes_on_whatever_happens_and_complains_once(
    house: House, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(changes_watch.logger, "warning", lambda *about, **_: complaints.append(about))
    house.connected = False
    house.auth.fails = failure
    often, told = asyncio.Event(), asyncio.Event()
    house.auth.meanwhile = lambda: often.set() if len(house.auth.since) > 5 else None
    house.bus.subscribe(SESSION_REVOKED, lambda _: told.set())
    running = asyncio.create_task(house.watch.run())
    await asyncio.wait_for(often.wait(), 20)
    assert len(complaints) == 1
    house.auth.sessions, house.auth.fails = [ended("s1")], None
    await asyncio.wait_for(told.wait(), 20)
    running.cancel()
    await asyncio.wait({running})
    assert len(complaints) == 1
