"""Whose password is hashed next."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from parlour.auth.adapters.turns import MAX_OF_ADDRESS, Turns
from parlour.auth.errors import PasswordsBusy
from parlour.platform.errors import RateLimited


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


def take(turns: Turns, served: list[str], name: str, *, known: bool = False) -> asyncio.Task[None]:
    async def take_it() -> None:
        await turns.take(known=known, retry_after=3)
        served.append(name)

    return asyncio.create_task(take_it())


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_whom_we_know_come_first_and_each_kind_in_order() -> None:
    turns, served = Turns(1, 10), list[str]()
    for name in ("s1", "s2", "k1", "k2", "s3"):
        take(turns, served, name, known=name.startswith("k"))
        await settled()
    for _ in range(5):
        turns.free()
        await settled()
    assert served == ["s1", "k1", "k2", "s2", "s3"]


async def test_strangers_cannot_fill_the_whole_queue() -> None:
    turns = Turns(1, 8)
    tasks = [take(turns, [], str(number)) for number in range(1 + 6)]
    await settled()
    with pytest.raises(PasswordsBusy) as refused:
        await turns.take(known=False, retry_after=3)
    assert refused.value.retry_after == 3
    tasks += [take(turns, [], str(number), known=True) for number in range(2)]
    await settled()
    assert turns.waiting == 8
    with pytest.raises(PasswordsBusy):
        await turns.take(known=True, retry_after=3)
    for task in tasks:
        task.cancel()


async def test_one_address_has_few_at_a_time(stack: AsyncExitStack) -> None:
    turns = Turns(1, 100)
    for _ in range(MAX_OF_ADDRESS):
        await stack.enter_async_context(turns.counted("192.0.2.7", 3))
    with pytest.raises(RateLimited) as refused:
        await stack.enter_async_context(turns.counted("192.0.2.7", 3))
    assert refused.value.retry_after == 3
    await stack.enter_async_context(turns.counted("192.0.2.8", 3))
    await stack.enter_async_context(turns.counted(None, 3))
    await stack.aclose()
    assert not turns._of_address
    await stack.enter_async_context(turns.counted("192.0.2.7", 3))


async def test_the_machine_itself_may_have_many(stack: AsyncExitStack) -> None:
    for _ in range(50):
        await stack.enter_async_context(Turns(1, 100).counted("127.0.0.1", 3))


@pytest.mark.parametrize("served_first", [False, True])
async def test_who_is_cancelled_leaves_no_place_taken(served_first: bool) -> None:
    """Also when the turn came in the same moment."""
    turns, served = Turns(1, 10), list[str]()
    await turns.take(known=False, retry_after=3)
    cancelled, next_one = take(turns, served, "cancelled"), take(turns, served, "next")
    await settled()
    if served_first:
        turns.free()
        cancelled.cancel()
    else:
        cancelled.cancel()
        turns.free()
    await settled()
    assert cancelled.cancelled()
    assert next_one.done()
    turns.free()
    await turns.take(known=False, retry_after=3)
    assert turns.waiting == 0
