"""Background tasks: one that ends by itself ends the process; all end in order."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from parlour.platform import metrics
from parlour.platform.supervision import Supervisor, watch_loop_lag

Work = Callable[[], Coroutine[Any, Any, None]]


async def forever() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise ValueError("broken")


@pytest.mark.parametrize("work", [fail, lambda: asyncio.sleep(0)], ids=["fails", "returns"])
async def test_task_that_ends_by_itself_is_told_once(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    told = asyncio.Event()
    calls: list[int] = []

    def on_failure() -> None:
        calls.append(1)
        told.set()

    supervisor = Supervisor(on_failure)
    supervisor.start("steady", forever())
    with caplog.at_level(logging.CRITICAL):
        supervisor.start("first", work())
        async with asyncio.timeout(5):
            await told.wait()
        supervisor.start("second", fail())
        await asyncio.sleep(0)
        await supervisor.stop()
    assert supervisor.failed
    assert calls == [1]
    assert [record.task for record in caplog.records] == ["first"]  # type: ignore[attr-defined]  # an extra


async def test_stop_ends_the_last_started_first_and_waits_for_each() -> None:
    ended: list[str] = []

    async def work(name: str) -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            ended.append(name)

    supervisor = Supervisor(lambda: pytest.fail("stopping is no failure"))
    for name in ("engine", "worker", "relay"):
        supervisor.start(name, work(name))
    await asyncio.sleep(0)
    await supervisor.stop()
    assert ended == ["relay", "worker", "engine"]
    assert not supervisor.failed


async def test_lag_of_the_loop_is_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: asyncio.Queue[float] = asyncio.Queue()
    monkeypatch.setattr(metrics.LOOP_LAG_SECONDS, "observe", seen.put_nowait)
    watching = asyncio.create_task(watch_loop_lag(0.001))
    async with asyncio.timeout(5):
        lags = [await seen.get() for _ in range(3)]
    watching.cancel()
    assert all(lag >= 0 for lag in lags)
