"""A running chat server for each test."""

from collections.abc import AsyncIterator

import pytest

from .chat_server import ChatServer, running


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with running(ChatServer()) as chat:
        yield chat
