"""What every keeper of ended sessions keeps, and that a node which was cut off learns what ended meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

import msgspec
import pytest

from parlour.platform.bus import MemoryBus
from parlour.platform.contracts import SESSION_REVOKED, SessionRevoked
from parlour.platform.ended_sessions import EndedSessions, EndedSessionsWatch, MemoryEndedSessions
from parlour.platform.ids import SessionId, UserId, uuid7
from parlour.platform.redis import RedisEngine
from parlour.platform.redis_bus import RedisBus
from parlour.platform.redis_ended_sessions import RedisEndedSessions
from parlour.platform.tokens import Principal, SessionEnded, TokenVerifier
from parlour.realtime.redis_line import RedisLine

from ..redis_server import RedisProxy, RedisServer
from ..unit.auth.world import ManualClock

ONE, TWO, THREE = (SessionId(uuid7()) for _ in range(3))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - whatever it is that comes to be
            await asyncio.sleep(0.005)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "redis"])
async def ended(
    request: pytest.FixtureRequest, clock: ManualClock
) -> AsyncIterator[tuple[EndedSessions, EndedSessions]]:
    """Of two nodes; of a single process they are the same."""
    if request.param == "memory":
        alone = MemoryEndedSessions(clock)
        yield alone, alone
        return
    redis: RedisServer = request.getfixturevalue("redis")
    prefix = redis.prefix()
    engines = [RedisEngine(redis.url, prefix=prefix) for _ in range(2)]
    yield RedisEndedSessions(engines[0], clock), RedisEndedSessions(engines[1], clock)
    for engine in engines:
        await engine.close()


Pair = tuple[EndedSessions, EndedSessions]


async def test_what_was_added_is_there_until_its_time(ended: Pair, clock: ManualClock) -> None:
    here, there = ended
    assert await here.all() == {}
    now = clock.now()
    await here.add([ONE, TWO], now + 10_000)
    await there.add([THREE], now + 20_000)
    await there.add([], now + 20_000)
    assert await there.all() == {ONE: now + 10_000, TWO: now + 10_000, THREE: now + 20_000}
    clock.advance(10)
    assert await here.all() == {THREE: now + 20_000}


async def test_of_two_times_the_later_counts(ended: Pair, clock: ManualClock) -> None:
    here, there = ended
    now = clock.now()
    await here.add([ONE], now + 20_000)
    await there.add([ONE], now + 10_000)
    assert await here.all() == {ONE: now + 20_000}
    await there.add([ONE], now + 30_000)
    assert await here.all() == {ONE: now + 30_000}


# Redis alone


async def test_what_is_over_is_removed_and_what_is_none_is_left_out(redis: RedisServer, clock: ManualClock) -> None:
    engine = RedisEngine(redis.url, prefix=redis.prefix())
    ended = RedisEndedSessions(engine, clock)
    await ended.add([ONE], clock.now() + 1_000)
    clock.advance(24 * 3_600 + 2)
    await ended.add([TWO], clock.now() + 1_000)
    key = engine.key("sessions", "ended")
    assert redis.command("ZCARD", key) == ":1\r\n"
    redis.command("ZADD", key, "9000000000000", "no id")
    assert set(await ended.all()) == {TWO}
    await engine.close()


async def test_a_node_whose_clock_is_ahead_takes_nothing_from_others(redis: RedisServer, clock: ManualClock) -> None:
    engine = RedisEngine(redis.url, prefix=redis.prefix())
    hours_ahead = RedisEndedSessions(engine, ManualClock(clock.now() + 2 * 3_600_000))
    ended = RedisEndedSessions(engine, clock)
    await ended.add([ONE], clock.now() + 900_000)
    await hours_ahead.add([TWO], clock.now() + 2 * 3_600_000 + 900_000)
    assert set(await ended.all()) == {ONE, TWO}
    await engine.close()


class Closed:
    """What a node was asked to close."""

    def __init__(self) -> None:
        self.ids: list[SessionId] = []

    def __call__(self, session_ids: Iterable[SessionId], reason: str) -> None:
        assert reason == "revoked"
        self.ids += session_ids


class NoKeys:
    def public_keys(self) -> dict[str, object]:
        return {}


def refuses(verifier: TokenVerifier, session_id: SessionId) -> bool:
    try:
        verifier.check_session(Principal(UserId("ann"), session_id, "ann", "member", 0))
    except SessionEnded:
        return True
    return False


async def test_a_session_whose_end_is_not_told_is_refused_while_any_token_lives(clock: ManualClock) -> None:
    verifier, bus = TokenVerifier(NoKeys(), clock), MemoryBus()
    watching = asyncio.create_task(EndedSessionsWatch(MemoryEndedSessions(clock), verifier, bus, clock, Closed()).run())
    await asyncio.sleep(0)  # it listens
    await bus.publish(SESSION_REVOKED, msgspec.json.encode(SessionRevoked(UserId("ann"), [ONE], "logout")))
    await until(lambda: refuses(verifier, ONE))
    clock.advance(24 * 3_600 - 1)  # as long as `access_token_seconds` may be
    for _ in range(10_002):  # past these, what is over is left out
        verifier.end_session(SessionId(uuid7()), clock.now() + 1_000)
    assert refuses(verifier, ONE)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_node_cut_off_learns_what_ended_meanwhile(redis: RedisServer, clock: ManualClock) -> None:
    prefix = redis.prefix()
    async with RedisProxy(redis) as proxy:
        lines = [RedisLine(proxy.url, prefix=prefix), RedisLine(redis.url, prefix=prefix)]
        engines = [RedisEngine(proxy.url, prefix=prefix), RedisEngine(redis.url, prefix=prefix)]
        here, there = (RedisEndedSessions(engine, clock) for engine in engines)
        buses = [RedisBus(line) for line in lines]
        verifier, closed = TokenVerifier(NoKeys(), clock), Closed()
        await there.add([ONE], clock.now() + 60_000)
        for line in lines:
            await line.start()
        watching = asyncio.create_task(EndedSessionsWatch(here, verifier, buses[0], clock, closed).run())
        await until(lambda: ONE in closed.ids)  # it ended before this node started
        assert refuses(verifier, ONE)
        assert not refuses(verifier, TWO)

        told = SessionRevoked(UserId("ann"), [TWO], "logout", clock.now() + 60_000)
        await buses[1].publish(SESSION_REVOKED, msgspec.json.encode(told))
        await until(lambda: refuses(verifier, TWO))

        proxy.cut = True
        proxy.disconnect()
        await there.add([THREE], clock.now() + 60_000)
        told = SessionRevoked(UserId("ann"), [THREE], "logout", clock.now() + 60_000)
        await buses[1].publish(SESSION_REVOKED, msgspec.json.encode(told))
        assert not refuses(verifier, THREE)
        proxy.cut = False
        await until(lambda: refuses(verifier, THREE))
        assert THREE in closed.ids
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for line in lines:
            await line.close()
        for engine in engines:
            await engine.close()
