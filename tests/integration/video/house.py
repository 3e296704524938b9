"""People with phones: a whole server, and what calls look like from a client."""

import asyncio
from typing import Any
from uuid import uuid4

from ..socketio_client import Client
from ..whole_server import Person, WholeServer

OFFER = {"type": "offer", "sdp": "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"}
ANSWER = {"type": "answer", "sdp": "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\n"}
CANDIDATE = {
    "candidate": "candidate:1 1 UDP 2122252543 192.0.2.1 50000 typ host",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "a1b2",
}


class House:
    """A server, and people made for one test each."""

    def __init__(self, server: WholeServer) -> None:
        self.server = server

    async def people(self, *names: str) -> list[Person]:
        """Register people, under names that are taken by nobody."""
        unique = [f"{name}-{uuid4().hex[:8]}" for name in names]
        return list(await asyncio.gather(*(asyncio.to_thread(self.server.person, name) for name in unique)))


async def direct(first: Person, second: Person) -> str:
    """Open the direct room of two people."""
    return await asyncio.to_thread(first.room, "direct", (second,))


async def start(client: Client, room_id: str, media: str = "video") -> dict[str, Any]:
    """Start a call, and return the acknowledgement."""
    answer: dict[str, Any] = await client.call("call.start", {"room_id": room_id, "media": media})
    assert answer["ok"], answer
    return answer


async def join(client: Client, call_id: str, **fields: Any) -> dict[str, Any]:
    """Join a call, and return the acknowledgement."""
    answer: dict[str, Any] = await client.call("call.join", {"call_id": call_id, **fields})
    assert answer["ok"], answer
    return answer


async def code(client: Client, event: str, **fields: Any) -> str:
    """Send what has to be refused, and return the code."""
    answer = await client.call(event, fields)
    assert answer["ok"] is False, answer
    refused: str = answer["error"]["code"]
    return refused


async def ended(client: Client, call_id: str) -> dict[str, Any]:
    """Wait until a client hears that a call is over."""
    told: dict[str, Any] = await client.wait_for("call.ended", lambda event: event["call_id"] == call_id)
    return told


async def logged(client: Client, kind: str, call_id: str) -> dict[str, Any]:
    """Wait until a client hears of a call in the log of its room."""

    def is_it(event: Any) -> bool:
        return bool(event["type"] == kind and event["data"]["call_id"] == call_id)

    told: dict[str, Any] = await client.wait_for("event", is_it)
    return told
