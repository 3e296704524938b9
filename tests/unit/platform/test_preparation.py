"""What an engine needs is made at start, or later while everything else goes on."""

import asyncio
import logging

import pytest

from parlour.platform import preparation
from parlour.platform.errors import BrokerUnavailable, Unavailable
from parlour.platform.preparation import Preparation


class Engine:
    """Refuses with `error` until that is None."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.calls = 0

    async def make(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "AGAIN", 0.001)


def because(reason: str) -> Unavailable:
    error = Unavailable(retry_after=1)
    error.__cause__ = OSError(reason)
    return error


async def test_what_is_made_at_start_is_made_once() -> None:
    engine = Engine(None)
    made = Preparation("tables", engine.make, BrokerUnavailable)
    with pytest.raises(BrokerUnavailable):
        made.check()
    await made.begin()
    made.check()
    await made.wait()
    running = asyncio.create_task(made.run())
    await asyncio.sleep(0.01)
    running.cancel()
    assert engine.calls == 1


async def test_it_is_made_later_and_each_reason_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(because("no password"))
    made = Preparation("tables", engine.make, BrokerUnavailable)
    with caplog.at_level(logging.INFO):
        await made.begin()
        running = asyncio.create_task(made.run())
        while engine.calls < 4:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.001)
        engine.error = because("no rights")
        while engine.calls < 8:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        engine.error = None
        async with asyncio.timeout(20):
            await made.wait()
    running.cancel()
    made.check()
    reasons = [getattr(record, "error", "") for record in caplog.records]
    assert reasons == ["OSError('no password')", "OSError('no rights')", ""]


async def test_an_engine_that_hangs_holds_up_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "FIRST", 0.01)
    made = Preparation("tables", asyncio.Event().wait, BrokerUnavailable)
    await made.begin()
    with pytest.raises(BrokerUnavailable):
        made.check()


async def test_what_is_no_outage_is_raised() -> None:
    made = Preparation("tables", Engine(ValueError("refused")).make, BrokerUnavailable)
    with pytest.raises(ValueError, match="refused"):
        await made.begin()
    with pytest.raises(ValueError, match="refused"):
        await made.run()
