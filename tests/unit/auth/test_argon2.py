"""The hasher: Argon2id off the loop, in bounded threads with a bounded queue."""

import asyncio
import os
import sys
import threading

import pytest

from parlour.auth.adapters.argon2 import Argon2Hasher
from parlour.auth.errors import PasswordsBusy


@pytest.fixture
def hasher() -> Argon2Hasher:
    return Argon2Hasher(threads=1, queue=2, memory_kib=8192, passes=1)


async def test_a_hash_is_argon2id_and_verifies_its_password_only(hasher: Argon2Hasher) -> None:
    encoded = await hasher.hash("correct horse")
    assert encoded.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    assert await hasher.verify(encoded, "correct horse")
    assert not await hasher.verify(encoded, "another horse")
    assert not await hasher.verify("nonsense", "correct horse")
    assert not await hasher.verify(None, "correct horse")


async def test_nobodys_hash_costs_what_a_real_one_does(hasher: Argon2Hasher) -> None:
    assert not hasher.is_outdated(hasher._nobodys.result())
    assert hasher.is_outdated(Argon2Hasher(threads=1, memory_kib=8192, passes=2)._nobodys.result())


async def test_past_its_queue_it_refuses_at_once_and_says_when(hasher: Argon2Hasher) -> None:
    release = threading.Event()
    waiting = [asyncio.create_task(hasher._run(release.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(PasswordsBusy) as refused:
        await hasher.hash("correct horse")
    assert refused.value.retry_after is not None
    assert refused.value.retry_after >= 1
    release.set()
    await asyncio.gather(*waiting)
    assert await hasher.hash("correct horse")


async def test_who_stops_waiting_leaves_the_queue_without_work_done(hasher: Argon2Hasher) -> None:
    release = threading.Event()
    done: list[str] = []
    running = asyncio.create_task(hasher._run(release.wait))
    waiting = [asyncio.create_task(hasher._run(lambda: done.append("hashed"))) for _ in range(2)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    release.set()
    await running
    assert await hasher.hash("correct horse")
    assert done == []


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads are Linux's")
async def test_its_threads_give_way_to_the_loop(hasher: Argon2Hasher) -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await hasher._run(priority) == 19
    assert priority() < 19


async def test_a_closed_hasher_lets_its_threads_end(hasher: Argon2Hasher) -> None:
    await hasher.hash("correct horse")
    hasher.close()
    with pytest.raises(RuntimeError):
        await hasher.hash("correct horse")
