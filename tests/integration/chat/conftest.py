"""A running chat server for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .chat_server import ChatServer, running


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ChatServer]:
    async with running(tmp_path) as chat:
        yield chat
