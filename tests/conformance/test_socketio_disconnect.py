"""Leaving a namespace. Socket.IO v5, "Exchange protocol / Disconnection from a namespace"."""

import pytest

from .endpoint import Endpoint
from .websocket import ClosedError


async def test_disconnect_from_the_main_namespace_is_not_answered(socketio: Endpoint) -> None:
    """Disconnection: "No response is expected from the other side"; the next packet is a ping. Official case."""
    async with await socketio.connect() as socket:
        socket.heartbeat = False
        socket.send("41")
        assert await socket.recv() == "2"


@pytest.mark.parametrize("packet", ["41/custom", "41/custom,"])
async def test_disconnect_from_one_namespace_keeps_the_others(socketio: Endpoint, packet: str) -> None:
    """Disconnection: "The low-level connection MAY be kept alive if the client is connected to another namespace".
    Official case.
    """
    async with await socketio.connect() as socket:
        socket.send("40/custom")
        assert (await socket.text()).startswith("40/custom,")
        assert await socket.text() == '42/custom,["auth",{}]'
        socket.send(packet, '42["message","message to main namespace"]')
        assert await socket.text() == '42["message-back","message to main namespace"]'


async def test_namespace_can_be_entered_again(socketio: Endpoint) -> None:
    """Disconnection: "At any time, one side can end the connection"; a new CONNECT starts another, with another id."""
    async with await socketio.connect("/custom") as socket:
        socket.send("40")
        first, _ = await socket.text(), await socket.text()
        socket.send("41")
        await socket.settle()
        socket.send("40")
        second, _ = await socket.text(), await socket.text()
        assert first.startswith("40{")
        assert second.startswith("40{")
        assert first != second


async def test_connection_without_a_namespace_can_enter_one_again(socketio: Endpoint) -> None:
    """Disconnection: the connection is kept alive after the last namespace too (reference server)."""
    async with await socketio.connect() as socket:
        socket.send("41")
        await socket.settle()
        socket.send('40{"again":true}')
        assert (await socket.text()).startswith("40{")
        assert await socket.text() == '42["auth",{"again":true}]'


async def test_event_after_the_disconnect_closes_the_connection(socketio: Endpoint) -> None:
    """Disconnection and Connection: without a CONNECT there is nobody to receive it (reference server)."""
    async with await socketio.connect() as socket:
        socket.send("41")
        await socket.settle()
        socket.send('42["message"]')
        with pytest.raises(ClosedError):
            await socket.recv()


async def test_disconnect_with_a_payload_closes_the_connection(socketio: Endpoint) -> None:
    """Packet encoding: DISCONNECT has no payload (reference parser)."""
    async with await socketio.connect() as socket:
        socket.send("41{}")
        with pytest.raises(ClosedError):
            await socket.recv()
