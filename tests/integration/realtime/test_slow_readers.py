"""A member that never reads while its room is spoken to: it is cut off, and nobody else loses or waits for anything."""

import asyncio
import json

from ...conformance.endpoint import Endpoint
from ...conformance.websocket import ClosedError, WebSocket

SIZE = 50_000


async def member(scenarios: Endpoint, room: str) -> tuple[WebSocket, str]:
    """A connection in a room, and its socket id."""
    socket = await scenarios.open_websocket()
    socket.send("40")
    sid = json.loads((await socket.text())[2:])["sid"]
    socket.send(f'420["join","{room}"]')
    assert await socket.text() == "430[]"
    return socket, sid


def stop_reading(socket: WebSocket) -> None:
    socket.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's TCP transports have it


async def hear(socket: WebSocket, count: int) -> list[int]:
    """The numbers of `count` floods; what else is said in between is passed over."""
    numbers: list[int] = []
    while len(numbers) < count:
        packet = await socket.text()
        if packet.startswith('42["flood",'):
            numbers.append(json.loads(packet[2:])[1])
    return numbers


async def test_member_that_never_reads_is_cut_off_and_the_room_goes_on(scenarios: Endpoint) -> None:
    """DESIGN.md section 5: "a paused socket's outbox is bounded in bytes; then the socket is closed". 400 messages of
    50 kB are far more than the kernel's buffers and the outbox hold.
    """
    stuck, sid = await member(scenarios, "flooded")
    stop_reading(stuck)
    listeners = [await member(scenarios, "flooded") for _ in range(5)]
    speaker, _ = await member(scenarios, "speakers")
    gone = asyncio.create_task(until_gone(speaker, sid))
    for _ in range(40):
        speaker.send(f'42["flood","flooded",10,{SIZE}]')
        heard = await asyncio.gather(*(hear(socket, 10) for socket, _ in listeners))
        assert heard == [list(range(10))] * 5
    assert await gone
    for socket in [speaker, *(socket for socket, _ in listeners)]:
        await socket.close()
    stuck.abort()


async def until_gone(speaker: WebSocket, sid: str) -> str:
    """Why the socket went, as the server tells everybody."""
    while True:
        packet = await speaker.text()
        if packet.startswith(f'42["gone","{sid}"'):
            return str(json.loads(packet[2:])[2])


async def test_member_that_was_cut_off_finds_its_connection_closed(scenarios: Endpoint) -> None:
    """Whoever reads again later gets what was on its way, in order and without a gap, and then the end."""
    stuck, sid = await member(scenarios, "resumed")
    stop_reading(stuck)
    speaker, _ = await member(scenarios, "speakers")
    sent = 0
    while True:
        speaker.send(f'42["flood","resumed",10,{SIZE}]', '421["add",1,1]')
        sent += 10
        packet = await speaker.text()
        if packet.startswith(f'42["gone","{sid}"'):
            break
        assert packet == "431[2]" or packet.startswith('42["gone"')
        assert sent < 2_000, "100 MB wait for a member that does not read"
    stuck.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
    numbers: list[int] = []
    try:
        while True:
            numbers += await hear(stuck, 1)
    except ClosedError:
        pass
    assert numbers == [index % 10 for index in range(len(numbers))]
    assert len(numbers) < sent
    await speaker.close()


async def test_volatile_events_are_dropped_for_the_slow_and_reach_the_rest(scenarios: Endpoint) -> None:
    """DESIGN.md section 5: "past it volatile events are dropped", and the connection is kept."""
    slow, _ = await member(scenarios, "volatile")
    stop_reading(slow)
    reader, _ = await member(scenarios, "volatile")
    for _ in range(40):
        reader.send(f'42["volatile-flood","volatile",10,{SIZE}]')
        assert await hear(reader, 10) == list(range(10))
    slow.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
    slow.send('421["add",1,1]')
    heard = 0
    while (packet := await slow.text()) != "431[2]":
        heard += packet.startswith('42["flood",')
    assert heard < 400
    await slow.close()
    await reader.close()


async def test_poller_that_never_polls_is_cut_off_and_the_room_goes_on(scenarios: Endpoint) -> None:
    """What waits for a poll is bounded by the same number of bytes."""
    session = await scenarios.poll_session()
    await session.send("40")
    await session.send('420["join","unpolled"]')
    reader, _ = await member(scenarios, "unpolled")
    for _ in range(4):
        reader.send(f'42["flood","unpolled",10,{SIZE}]')
        assert await hear(reader, 10) == list(range(10))
    await session.wait_gone()
    await reader.close()
