"""Ending a session. Engine.IO v4: "close: used to indicate that a transport can be closed"."""

import asyncio

import pytest

from .endpoint import Endpoint
from .websocket import ClosedError


async def test_close_packet_ends_a_polling_session(either: Endpoint) -> None:
    """Protocol: the poll that hangs is answered with a noop, and the sid is unknown from then on. Official case."""
    session = await either.poll_session()
    poll = asyncio.create_task(session.poll())
    await asyncio.sleep(0.15)  # until it hangs, but before a ping ends it
    await session.post("1")
    response = await poll
    assert (response.status_code, response.text) == (200, "6")
    assert (await session.poll()).status_code == 400


async def test_websocket_session_ends_after_a_close_packet(either: Endpoint) -> None:
    """Protocol: the server closes the WebSocket, at the latest when no pong comes. Official case."""
    async with await either.open_websocket(heartbeat=False) as socket:
        socket.send("1")
        await socket.wait_closed()


@pytest.mark.node_deviates("ignores a close packet on WebSocket; the ping timeout ends the session")
async def test_close_packet_ends_a_websocket_session_at_once(engine: Endpoint) -> None:
    """Protocol: "close: used to indicate that a transport can be closed", whether or not pongs still come."""
    async with await engine.open_websocket() as socket:
        socket.send("1")
        with pytest.raises(ClosedError):
            await socket.recv(within=2)


async def test_messages_before_a_close_packet_are_handled_first(engine: Endpoint) -> None:
    """Protocol: packets are handled in the order they came."""
    session = await engine.poll_session()
    poll = asyncio.create_task(session.poll())
    await asyncio.sleep(0.02)
    await session.post("4last words\x1e1")
    assert (await poll).text.split("\x1e")[0] == "4last words"
    assert (await session.poll()).status_code == 400


@pytest.mark.parametrize("ending", ["close frame", "cut"])
async def test_session_id_is_unknown_once_its_websocket_is_gone(engine: Endpoint, ending: str) -> None:
    """Protocol: a session lives as long as its transport."""
    session = await engine.poll_session()
    socket = await engine.probe(session.sid)
    socket.send("5")
    socket.send("4hello")
    assert await socket.recv() == "4hello"
    if ending == "close frame":
        socket.send_frame(0x8, b"\x03\xe8")
        await socket.wait_closed()
    else:
        socket.abort()
    async with asyncio.timeout(5):
        while True:
            response = await engine.request("POST", content="6", **session.query())
            if response.json()["code"] == 1:
                break
            assert response.status_code == 400
            await asyncio.sleep(0.01)


async def test_sessions_that_are_cut_off_leave_the_others_alone(engine: Endpoint) -> None:
    """Protocol: sessions are independent."""
    async with await engine.open_websocket() as stays:
        for socket in [await engine.open_websocket() for _ in range(50)]:
            socket.send("4hello")
            socket.abort()
        stays.send("4hello")
        assert await stays.recv() == "4hello"
