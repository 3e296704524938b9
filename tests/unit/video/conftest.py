"""A timer that fails fails its test."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_callback_fails(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The event loop logs what a callback raises, and goes on."""
    yield
    failed = [
        record
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.name == "asyncio" and record.levelno >= logging.ERROR
    ]
    assert failed == []
