"""The race of snapshot and events: what `ready` names, what comes live and what `sync` brings fit without hole or double."""

import asyncio
from uuid import uuid4

import pytest

from ..integration.socketio_client import Client
from .conftest import RunScript
from .parlour_server import ParlourServer

BURST = 400
"""Messages; `sync` replays at most 500."""


@pytest.mark.parametrize("transports", ["websocket", "polling", "polling,websocket"])
async def test_two_tabs_and_a_reconnect_in_a_burst_leave_no_hole_and_no_double(
    server: ParlourServer, run_script: RunScript, transports: str
) -> None:
    ann, ben = server.seed(2, 2)
    server.start()
    (room_id,) = ann.room_ids
    writer = await Client.connect(server.url, {"token": ben.access_token})
    (room,) = (await writer.wait_for("ready"))["rooms"]
    first = room["head"] + 1
    last = room["head"] + BURST
    tabs = run_script(
        "two-tabs.mjs",
        url=server.url,
        token=ann.access_token,
        room=room_id,
        last=str(last),
        transports=transports,
    )
    tabs.until(lambda lines: {"event": "listening"} in lines, "a tab listens")
    places: dict[int, str] = {}
    for number in range(BURST):
        command = {"room_id": room_id, "client_id": str(uuid4()), "text": f"message {number}"}
        ack = await writer.call("message.send", command)
        places[ack["seq"]] = ack["id"]
        await asyncio.sleep(0.003)  # a burst of two seconds, within which the second tab comes and goes
    await writer.close()
    told = {line["name"]: line for line in tabs.finish() if line["event"] == "tab"}
    for tab in told.values():
        assert [seq for seq, _ in tab["applied"]] == list(range(1, last + 1))
        assert [event_id for seq, event_id in tab["applied"] if seq >= first] == [places[seq] for seq in sorted(places)]
    assert told["first"]["connections"] == 1
    assert told["first"]["live"] == BURST
    assert told["second"]["connections"] > 3
    assert told["second"]["synced"] > 0
    assert told["second"]["live"] > 0
