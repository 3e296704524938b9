"""Loads that share their queries."""

import asyncio
from collections.abc import Sequence

import pytest

from parlour.chat.service.batching import BatchLoader


class Source:
    """Squares even numbers, batch by batch, each when it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Semaphore(0)
        self.begun = asyncio.Event()

    async def fetch(self, keys: Sequence[int]) -> dict[int, int]:
        self.batches.append(list(keys))
        self.begun.set()
        await self.gate.acquire()
        if 13 in keys:
            raise OSError("thirteen")
        return {key: key * key for key in keys if key % 2 == 0}


async def test_what_is_asked_in_one_turn_is_one_batch_and_the_same_key_is_fetched_once() -> None:
    source = Source()
    loader = BatchLoader(source.fetch)
    source.gate.release()
    assert await asyncio.gather(loader.load(2), loader.load(3), loader.load(2)) == [4, None, 4]
    assert source.batches == [[2, 3]]


async def test_what_is_asked_while_a_batch_is_under_way_is_the_next_batch() -> None:
    source = Source()
    loader = BatchLoader(source.fetch, largest=3)
    first = asyncio.create_task(loader.load(2))
    await source.begun.wait()
    rest = asyncio.create_task(loader.load_many([4, 6, 8, 10]))
    for _ in range(3):
        source.gate.release()
    assert (await first, await rest) == (4, {4: 16, 6: 36, 8: 64, 10: 100})
    assert source.batches == [[2], [4, 6, 8], [10]]


async def test_a_failure_is_of_its_batch_only() -> None:
    source = Source()
    loader = BatchLoader(source.fetch)
    source.gate.release()
    with pytest.raises(OSError, match="thirteen"):
        await loader.load_many([2, 13])
    source.gate.release()
    assert await loader.load(2) == 4


async def test_who_gives_up_waiting_takes_nothing_from_the_others() -> None:
    source = Source()
    loader = BatchLoader(source.fetch)
    quitter, other = asyncio.create_task(loader.load(2)), asyncio.create_task(loader.load(2))
    await source.begun.wait()
    quitter.cancel()
    source.gate.release()
    assert await other == 4
    assert quitter.cancelled()


async def test_nothing_is_fetched_for_nothing() -> None:
    source = Source()
    assert await BatchLoader(source.fetch).load_many([]) == {}
    assert source.batches == []
