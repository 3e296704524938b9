"""Calls as a newcomer has them, with stock JavaScript, and through the end of the server."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
import pytest

from ..integration.socketio_client import Client
from ..integration.whole_server import PASSWORD
from .conftest import MakeServer, RunScript
from .parlour_server import ParlourServer, wait_until


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_two_stock_clients_call_each_other(server: ParlourServer, run_script: RunScript, transport: str) -> None:
    server.start()
    steps = {
        line["step"]: line["value"] for line in run_script("call.mjs", url=server.url, transports=transport).finish()
    }
    assert steps == {
        "ringing": {"same": True, "state": "ringing", "media": "video", "by": True},
        "joined": {"same": True, "state": "active", "two": 2},
        "offer": "v=0 offer",
        "answer": "v=0 answer",
        "candidate": {"candidate": "candidate:1 1 UDP 1 192.0.2.1 1 typ host", "sdpMid": "0", "sdpMLineIndex": 0},
        "muted": True,
        "present": {"same": True, "two": 2},
        "ended": {"reason": "hangup", "missed": False},
        "refused": "call_not_found",
    }


class People:
    """Two people, their direct room, and the call that they are in."""

    def __init__(self, server: ParlourServer) -> None:
        self.server = server
        self.tokens = [self._register(name) for name in ("ann", "bob")]
        bob = httpx.get(f"{server.url}/api/auth/me", headers=self._headers(1)).json()["id"]
        body = {"kind": "direct", "members": [bob]}
        self.room: str = httpx.post(f"{server.url}/api/rooms", json=body, headers=self._headers(0)).json()["id"]

    def _register(self, name: str) -> str:
        account = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        answer = httpx.post(f"{self.server.url}/api/auth/register", json=account)
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    def _headers(self, number: int) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[number]}"}

    async def connect(self) -> tuple[Client, Client]:
        """Open a socket for each."""
        first, second = [await Client.connect(self.server.url, {"token": token}) for token in self.tokens]
        await first.wait_for("ready")
        await second.wait_for("ready")
        return first, second

    async def log(self, client: Client) -> list[tuple[str, Any]]:
        """What the room's log has of calls: the type, and why a call ended."""
        answer = await client.call("sync", {"rooms": {self.room: 0}})
        events = answer["rooms"][self.room]["events"]
        return [(each["type"], each["data"].get("reason")) for each in events if each["type"].startswith("call.")]


def kill(server: ParlourServer) -> None:
    server.kill()


def end(server: ParlourServer) -> None:
    assert server.terminate() == 0


@pytest.mark.parametrize("stop", [kill, end], ids=["SIGKILL", "SIGTERM"])
async def test_call_goes_on_after_the_server_came_back(
    make_server: MakeServer, stop: Callable[[ParlourServer], None]
) -> None:
    """The media go from peer to peer all the while; both come back as the participants that they were."""
    server = make_server(call_grace_seconds="30").start()
    people = await asyncio.to_thread(People, server)
    first, second = await people.connect()
    begun = await first.call("call.start", {"room_id": people.room, "media": "audio"})
    call_id = begun["call"]["id"]
    joined = await second.call("call.join", {"call_id": call_id})
    await second.wait_for("event", lambda event: event["type"] == "call.started")
    await asyncio.to_thread(wait_until, lambda: both_are_kept(server), "the call is kept")
    await asyncio.to_thread(stop, server)
    await asyncio.to_thread(server.start)
    first, second = await people.connect()
    for client, before in ((first, begun), (second, joined)):
        mine = before["participant_id"]
        back = await client.call("call.join", {"call_id": call_id, "participant_id": mine})
        assert (back["ok"], back["participant_id"], back["call"]["state"]) == (True, mine, "active")
    restart = {"type": "offer", "sdp": "v=0"}
    signal_to = {"call_id": call_id, "to": joined["participant_id"], "description": restart}
    assert await first.call("call.signal", signal_to) == {"ok": True}
    assert (await second.wait_for("call.signal"))["from"] == begun["participant_id"]
    await first.call("call.leave", {"call_id": call_id})
    await second.wait_for("event", lambda event: event["type"] == "call.ended")
    assert await people.log(second) == [("call.started", None), ("call.ended", "hangup")]


def both_are_kept(server: ParlourServer) -> bool:
    """Whether the database has the call with both in it: it is written a moment after they are told."""
    with closing(sqlite3.connect(f"file:{server.data_dir / 'parlour.db'}?mode=ro", uri=True)) as connection:
        return any(
            len(json.loads(state)["participants"]) == 2
            for (state,) in connection.execute("SELECT state FROM live_calls")
        )


async def test_call_that_nobody_comes_back_to_ends_in_the_log(make_server: MakeServer) -> None:
    server = make_server(call_grace_seconds="1").start()
    people = await asyncio.to_thread(People, server)
    first, second = await people.connect()
    begun = await first.call("call.start", {"room_id": people.room, "media": "audio"})
    await second.call("call.join", {"call_id": begun["call"]["id"]})
    await second.wait_for("event", lambda event: event["type"] == "call.started")
    await asyncio.to_thread(wait_until, lambda: both_are_kept(server), "the call is kept")
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    first, _ = await people.connect()
    if ("call.ended", "lost") not in await people.log(first):
        await first.wait_for("event", lambda event: event["type"] == "call.ended")
    assert await people.log(first) == [("call.started", None), ("call.ended", "lost")]
    gone = await first.call("call.join", {"call_id": begun["call"]["id"], "participant_id": begun["participant_id"]})
    assert gone["error"]["code"] == "call_not_found"
