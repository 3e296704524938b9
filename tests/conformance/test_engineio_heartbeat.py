"""Liveness. Engine.IO v4, "Protocol / Heartbeat": an interval of 300 ms, a timeout of 200 ms, or 5 s where a client has to keep it."""

import asyncio

import pytest

from .endpoint import Endpoint
from .websocket import DEADLINE, ClosedError, WebSocket


async def test_polling_session_gets_pings_and_sends_pongs(patient_either: Endpoint) -> None:
    """Heartbeat: "At a given interval the server sends a ping packet and the client has a few seconds to send a pong
    packet back". Official case.
    """
    session = await patient_either.poll_session()
    for _ in range(3):
        response = await session.poll()
        assert (response.status_code, response.text) == (200, "2")
        assert (await session.post("3")).status_code == 200


async def test_polling_session_without_pong_is_closed(either: Endpoint) -> None:
    """Heartbeat: "If the server does not receive a pong packet back, it SHOULD consider that the connection is closed".
    Official case.
    """
    session = await either.poll_session()
    await asyncio.sleep(0.5)
    assert (await session.poll()).status_code == 400


async def test_poll_that_hangs_when_the_pong_is_overdue_is_ended(patient_engine: Endpoint) -> None:
    """Heartbeat: the session is closed, so the request that waits for its packets is told by a close packet."""
    session = await patient_engine.poll_session()
    assert (await session.poll()).text == "2"
    response = await session.poll()
    assert (response.status_code, response.text) == (200, "1")
    assert (await session.poll()).status_code == 400


async def test_websocket_session_gets_pings_and_sends_pongs(patient_either: Endpoint) -> None:
    """Heartbeat: "2 (ping packet), 3 (pong packet)". Official case."""
    async with await patient_either.open_websocket(heartbeat=False) as socket:
        for _ in range(3):
            assert await socket.recv() == "2"
            socket.send("3")


async def test_websocket_session_without_pong_is_closed(either: Endpoint) -> None:
    """Heartbeat: "it SHOULD consider that the connection is closed". Official case."""
    async with await either.websocket(heartbeat=False) as socket:
        await socket.wait_closed()


async def test_messages_do_not_stand_in_for_a_pong_for_ever(engine: Endpoint) -> None:
    """Heartbeat: only a pong answers a ping (the reference server lets one message extend the timeout, once)."""
    async with await engine.open_websocket(heartbeat=False) as socket:

        async def talk() -> None:
            while True:
                socket.send("4still here")
                await asyncio.sleep(0.05)

        talking = asyncio.create_task(talk())
        await socket.wait_closed()
        talking.cancel()


async def test_a_websocket_pong_is_not_an_engineio_pong(engine: Endpoint) -> None:
    """Heartbeat: the packets of the protocol count, not the control frames of RFC 6455."""
    async with await engine.open_websocket(heartbeat=False) as socket:
        assert await socket.recv() == "2"
        socket.send_frame(0xA, b"")
        with pytest.raises(ClosedError):
            await socket.recv()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_session_that_answers_lives_on_and_is_served(engine: Endpoint, transport: str) -> None:
    """Heartbeat: well past interval and timeout, a session whose pongs come is open."""
    if transport == "polling":
        session = await engine.poll_session()
        for _ in range(4):
            assert (await session.poll()).text == "2"
            await session.send("3")
        await session.send("4hello")
        assert await session.receive() == ["4hello"]
    else:
        async with await engine.open_websocket(heartbeat=False) as socket:
            for _ in range(4):
                assert await socket.recv() == "2"
                socket.send("3")
            socket.send("4hello")
            assert await socket.recv() == "4hello"


async def test_heartbeat_goes_on_after_an_upgrade(patient_either: Endpoint) -> None:
    """Heartbeat and Upgrade: the session stays the same one, and so does its clock."""
    session = await patient_either.poll_session()
    async with await patient_either.probe(session.sid, heartbeat=False) as socket:
        socket.send("5")
        for _ in range(2):
            assert await socket.recv() == "2"
            socket.send("3")


async def test_upgraded_session_without_pong_is_closed(patient_engine: Endpoint) -> None:
    """Heartbeat and Upgrade: nor does an upgrade switch the timeout off."""
    session = await patient_engine.poll_session()
    async with await patient_engine.probe(session.sid, heartbeat=False) as socket:
        socket.send("5")
        await socket.wait_closed()


async def test_many_silent_sessions_end_while_one_that_answers_stays(patient_engine: Endpoint) -> None:
    """Heartbeat: each session has its own clock."""
    async with await patient_engine.open_websocket() as lively:
        silent = [await patient_engine.open_websocket(heartbeat=False) for _ in range(20)]
        async with asyncio.timeout(DEADLINE):
            gone = asyncio.gather(*(socket.wait_closed() for socket in silent))
            while not gone.done():
                await echo(lively)
                await asyncio.sleep(0.05)
        assert len(await gone) == 20
        await echo(lively)


async def echo(socket: WebSocket) -> None:
    socket.send("4hello")
    assert await socket.recv() == "4hello"
