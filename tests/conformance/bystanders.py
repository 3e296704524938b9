"""Whoever is served while somebody else misbehaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .endpoint import Endpoint


@asynccontextmanager
async def bystander(endpoint: Endpoint) -> AsyncIterator[None]:
    """Keep a client talking while the block runs, and let a new one in after it: neither may notice anything.

    Works on the echoing Engine.IO server and on a Socket.IO server with `message` or `echo`, by the endpoint's path.
    """
    ended = asyncio.Event()
    is_engine = endpoint.path == "/engine.io/"

    async def talk(count: int | None) -> None:
        socket = await (endpoint.open_websocket() if is_engine else endpoint.connect())
        number = 0
        async with socket:
            while not ended.is_set() if count is None else number < count:
                socket.send(f"4{number}" if is_engine else f'42{number}["message-with-ack",{number}]')
                assert await socket.text() == (f"4{number}" if is_engine else f"43{number}[{number}]")
                number += 1
                await asyncio.sleep(0.02)

    talking = asyncio.create_task(talk(None))
    try:
        yield
    finally:
        ended.set()
        await talking
    await talk(3)
