"""From polling to WebSocket. Engine.IO v4, "Protocol / Upgrade"."""

import asyncio

import pytest

from .endpoint import SEPARATOR, Endpoint
from .websocket import ClosedError, UpgradeRefusedError


async def test_session_moves_from_polling_to_websocket(engine: Endpoint) -> None:
    """Upgrade: "respond with a pong packet with the string probe in the payload", "send a noop packet to any pending
    GET request". Official case.
    """
    session = await engine.poll_session()
    async with await engine.probe(session.sid) as socket:
        response = await session.poll()
        assert (response.status_code, response.text) == (200, "6")
        socket.send("5", "4hello")
        assert await socket.recv() == "4hello"


async def test_socketio_session_moves_too(socketio: Endpoint) -> None:
    """Upgrade, below Socket.IO. Official case."""
    session = await socketio.poll_session()
    async with await socketio.probe(session.sid) as socket:
        socket.send("5", "40")
        assert (await socket.text()).startswith('40{"sid":"')


async def test_poll_that_hangs_gets_a_noop(either: Endpoint) -> None:
    """Upgrade: "send a noop packet to any pending GET request (if applicable) to cleanly close HTTP long-polling"."""
    session = await either.poll_session()
    poll = asyncio.create_task(session.poll())
    await asyncio.sleep(0.02)
    async with await either.probe(session.sid) as socket:
        response = await poll
        assert (response.status_code, response.text) == (200, "6")
        socket.send("5")


async def test_poll_that_hangs_at_the_upgrade_packet_is_ended(engine: Endpoint) -> None:
    """Upgrade: a poll may still be on its way when the upgrade completes; it must not hang for ever."""
    session = await engine.poll_session()
    async with await engine.probe(session.sid) as socket:
        poll = asyncio.create_task(session.poll())
        socket.send("5")
        response = await poll
        assert (response.status_code, response.text[:1]) in {(200, "6"), (200, "1"), (400, "{")}
        socket.send("4hello")
        assert await socket.recv() == "4hello"


async def test_http_requests_after_the_upgrade_are_refused_and_harmless(engine: Endpoint) -> None:
    """Upgrade: the session has left polling. Official case."""
    session = await engine.poll_session()
    async with await engine.probe(session.sid) as socket:
        socket.send("5", "4first")
        assert await socket.recv() == "4first"
        assert (await session.poll()).status_code == 400
        assert (await session.post("4stray")).status_code == 400
        socket.send("4hello")
        assert await socket.recv() == "4hello"


async def test_http_requests_after_a_hasty_upgrade_are_refused(either: Endpoint) -> None:
    """Upgrade: the same where the upgrade packet does not wait for the pong. Official case of Socket.IO."""
    session = await either.poll_session()
    socket = await either.websocket(EIO="4", transport="websocket", sid=session.sid)
    socket.send("2probe", "5")
    assert await socket.recv() == "3probe"
    assert (await session.poll()).status_code == 400
    await socket.close()


async def test_websocket_after_the_upgrade_is_closed_and_harmless(engine: Endpoint) -> None:
    """WebSocket: "A client MUST NOT open more than one WebSocket connection per session. Should it happen, the server
    MUST close the WebSocket connection". Official case.
    """
    session = await engine.poll_session()
    async with await engine.probe(session.sid) as socket:
        socket.send("5")
        second = await engine.websocket(EIO="4", transport="websocket", sid=session.sid)
        await second.wait_closed()
        socket.send("4hello")
        assert await socket.recv() == "4hello"


async def test_websocket_after_a_hasty_upgrade_is_closed(socketio: Endpoint) -> None:
    """WebSocket: one connection per session. Official case of Socket.IO."""
    session = await socketio.poll_session()
    socket = await socketio.websocket(EIO="4", transport="websocket", sid=session.sid)
    socket.send("2probe", "5")
    second = await socketio.websocket(EIO="4", transport="websocket", sid=session.sid)
    await second.wait_closed()
    await socket.close()


async def test_second_websocket_during_the_probe_is_closed(engine: Endpoint) -> None:
    """WebSocket: one connection per session, while it probes too; the first one can still complete."""
    session = await engine.poll_session()
    async with await engine.probe(session.sid) as socket:
        second = await engine.websocket(EIO="4", transport="websocket", sid=session.sid)
        await second.wait_closed()
        socket.send("5", "4hello")
        assert await socket.recv() == "4hello"


async def test_packets_that_wait_for_a_poll_follow_over_the_websocket(engine: Endpoint) -> None:
    """Upgrade: "to ensure that no packet gets lost"; in order, binary as it is on the new transport."""
    session = await engine.poll_session()
    await session.send("4one", "bAgI=")
    await session.send("4three")
    async with await engine.probe(session.sid) as socket:
        socket.send("5", "4four")
        assert [await socket.recv() for _ in range(4)] == ["4one", b"\x02\x02", "4three", "4four"]


async def test_packets_sent_while_probing_are_neither_lost_nor_doubled(engine: Endpoint) -> None:
    """Upgrade: "no packet gets lost"; until the upgrade packet polling is the transport."""
    session = await engine.poll_session()
    async with await engine.probe(session.sid) as socket:
        await session.send("4one", "4two")
        first = (await session.poll()).text.split(SEPARATOR)
        await session.send("4three")
        socket.send("5", "4four")
        rest = [await socket.recv()]
        while rest[-1] != "4four":
            rest.append(await socket.recv())
    assert [packet for packet in [*first, *rest] if packet != "6"] == ["4one", "4two", "4three", "4four"]


async def test_many_messages_across_an_upgrade_come_once_and_in_order(patient_engine: Endpoint) -> None:
    """Upgrade: "no packet gets lost", with a poll hanging and messages under way the whole time."""
    session = await patient_engine.poll_session()
    got: list[str | bytes] = []

    async def poll() -> None:
        while (response := await session.poll()).text != "6":
            assert response.status_code == 200
            got.extend(packet for packet in response.text.split(SEPARATOR) if packet not in {"2", "6"})

    polling = asyncio.create_task(poll())
    for number in range(50):
        await session.send(f"4{number}")
    async with await patient_engine.probe(session.sid) as socket:
        for number in range(50, 60):
            await session.send(f"4{number}")
        await polling
        socket.send("5", *(f"4{number}" for number in range(60, 100)))
        while len(got) < 100:
            got.append(await socket.recv())
    assert got == [f"4{number}" for number in range(100)]


@pytest.mark.parametrize("first", ["2", "2abc", "4hello", "3probe", "abc"])
async def test_websocket_that_does_not_probe_is_closed_and_polling_goes_on(engine: Endpoint, first: str) -> None:
    """Upgrade: the client MUST "send a ping packet with the string probe in the payload"."""
    session = await engine.poll_session()
    socket = await engine.websocket(EIO="4", transport="websocket", sid=session.sid)
    socket.send(first)
    with pytest.raises(ClosedError):
        await socket.recv()
    await session.send("4hello")
    assert await session.receive() == ["4hello"]


@pytest.mark.parametrize("ending", ["close frame", "cut"])
async def test_probe_that_goes_away_leaves_the_polling_session(engine: Endpoint, ending: str) -> None:
    """Upgrade: until the upgrade packet the session stays on polling; a later attempt may succeed."""
    session = await engine.poll_session()
    socket = await engine.probe(session.sid)
    if ending == "cut":
        socket.abort()
    else:
        socket.send_frame(0x8, b"\x03\xe8")
        await socket.wait_closed()
    await session.send("4hello")
    assert [packet for packet in await session.receive(1) if packet != "6"] or await session.receive() == ["4hello"]
    async with asyncio.timeout(5):
        while True:
            try:
                again = await engine.probe(session.sid)
            except (ClosedError, UpgradeRefusedError):
                await asyncio.sleep(0.01)  # the server has not noticed yet that the first one is gone
            else:
                break
    again.send("5", "4upgraded")
    assert await again.recv() == "4upgraded"


async def test_session_closed_during_the_probe_closes_the_websocket(engine: Endpoint) -> None:
    """Upgrade: both transports belong to one session."""
    session = await engine.poll_session()
    async with await engine.probe(session.sid) as socket:
        await session.post("1")
        with pytest.raises(ClosedError):
            await socket.recv(within=3)
    assert (await session.poll()).status_code == 400


async def test_probe_on_an_unknown_session_is_refused(engine: Endpoint) -> None:
    """Upgrade: "open a WebSocket connection with the same session ID"."""
    with pytest.raises((UpgradeRefusedError, ClosedError)):
        await engine.probe("unknown")
