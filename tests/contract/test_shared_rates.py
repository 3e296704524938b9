"""What every counter of shared rates keeps: a key is bounded over all processes."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from parlour.platform.clock import SystemClock
from parlour.platform.errors import RateLimited
from parlour.platform.rates import LocalRates, RateLimits, SharedRates
from parlour.platform.redis import RedisEngine
from parlour.platform.redis_rates import RedisRates

from ..redis_server import RedisProxy, RedisServer

Make = Callable[..., tuple[SharedRates, SharedRates]]


@pytest.fixture(params=["memory", "redis"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Make the counters of two processes, with rates of their own; of a single process they are the same."""
    if request.param == "memory":

        def alone(**rates: str) -> tuple[SharedRates, SharedRates]:
            local = LocalRates(RateLimits(SystemClock(), rates))
            return local, local

        yield alone
        return
    redis: RedisServer = request.getfixturevalue("redis")
    prefix = redis.prefix()
    engines = [RedisEngine(redis.url, prefix=prefix) for _ in range(2)]

    def shared(**rates: str) -> tuple[SharedRates, SharedRates]:
        first, second = (RedisRates(engine, RateLimits(SystemClock(), rates)) for engine in engines)
        return first, second

    yield shared
    for engine in engines:
        await engine.close()


async def passed(rates: SharedRates, times: int, name: str = "login", key: str = "ann") -> int:
    for number in range(times):
        try:
            await rates.check(name, key)
        except RateLimited:
            return number
    return times


async def test_a_burst_passes_over_all_processes_and_the_next_waits(make: Make) -> None:
    here, there = make(login="60/hour, burst 5")
    assert await passed(here, 3) == 3
    assert await passed(there, 10) == 2
    with pytest.raises(RateLimited) as refused:
        await here.check("login", "ann")
    assert refused.value.retry_after is not None
    assert 10 < refused.value.retry_after <= 30.1  # one comes half a minute before its time, for rounding's sake


async def test_as_many_at_once_as_pass_one_after_the_other(make: Make) -> None:
    here, there = make(login="10/hour")
    outcomes = await asyncio.gather(
        *((here, there)[number % 2].check("login", "ann") for number in range(30)), return_exceptions=True
    )
    assert outcomes.count(None) == 10
    assert all(outcome is None or isinstance(outcome, RateLimited) for outcome in outcomes)


async def test_names_and_keys_are_apart(make: Make) -> None:
    here, _ = make(login="1/hour", register="1/hour")
    assert await passed(here, 2) == 1
    assert await passed(here, 2, key="ben") == 1
    assert await passed(here, 2, name="register") == 1


async def test_one_more_fits_when_it_was_said_to(make: Make) -> None:
    here, _ = make(login="300/minute, burst 2")

    async def refused() -> float:
        while True:
            try:
                await here.check("login", "ann")
            except RateLimited as error:
                return error.retry_after or 0

    async with asyncio.timeout(30):
        wait = await refused()
    assert wait > 0
    await asyncio.sleep(wait)
    await here.check("login", "ann")


async def test_the_cost_counts_and_passes_where_one_would(make: Make) -> None:
    here, there = make(invite="10/hour")
    await here.check("invite", "ann", 9)
    await there.check("invite", "ann", 50)
    with pytest.raises(RateLimited) as refused:
        await here.check("invite", "ann")
    assert refused.value.retry_after is not None
    assert 49 * 360 < refused.value.retry_after <= 50 * 360 + 1


async def test_addresses_are_counted_but_for_the_machine_itself(make: Make) -> None:
    here, there = make(register="1/hour")
    for _ in range(3):
        await here.check_address("register", "127.0.0.1")
        await here.check_address("register", "::1")
    await here.check_address("register", "192.0.2.1")
    with pytest.raises(RateLimited):
        await there.check_address("register", "192.0.2.1")


# Redis alone


async def test_without_redis_each_process_counts_alone(redis: RedisServer) -> None:
    async with RedisProxy(redis) as proxy:
        engines = [RedisEngine(proxy.url, prefix=redis.prefix()) for _ in range(2)]
        here, there = (RedisRates(each, RateLimits(SystemClock(), {"login": "5/hour"})) for each in engines)
        assert await passed(here, 1) == 1
        proxy.cut = True
        proxy.disconnect()
        assert await passed(here, 20) == 5
        assert await passed(there, 20) == 5
        for engine in engines:
            await engine.close()


async def test_a_key_goes_when_it_is_as_good_as_new(redis: RedisServer) -> None:
    engine = RedisEngine(redis.url, prefix=redis.prefix())
    rates = RedisRates(engine, RateLimits(SystemClock(), {"login": "6/minute"}))
    await rates.check("login", "ann")
    left = int(redis.command("PTTL", engine.key("rate", "login", "ann")).strip(":\r\n"))
    assert 0 < left <= 10_000
    await engine.close()
