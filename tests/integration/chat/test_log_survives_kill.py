"""Acknowledged means durable: SIGKILL at any moment loses, doubles and reorders nothing. DESIGN.md section 3."""

import asyncio
import random
import sys
from pathlib import Path

from parlour.chat.adapters.sqlite_log import SqliteRoomLog, SqliteSearch
from parlour.chat.model import EventType, NewEvent
from parlour.chat.ports import SearchQuery
from parlour.platform.clock import SystemClock
from parlour.platform.ids import ClientId, RoomId

from .appending_until_killed import ROOMS, USER

KILLS = 20
PROGRAM = Path(__file__).with_name("appending_until_killed.py")


async def _run_and_kill(path: Path, acknowledged: dict[tuple[str, str], int], after: int) -> None:
    """Let the program acknowledge `after` events, kill it, and take note of all that it acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    seen = 0
    while line := await process.stdout.readline():
        if not line.endswith(b"\n"):
            break  # killed in the middle of telling
        room, seq, client_id = line.decode().split()
        acknowledged[room, client_id] = int(seq)
        seen += 1
        if seen == after:
            process.kill()
    assert seen >= after, (await process.stderr.read()).decode()
    await process.wait()


async def test_every_acknowledged_event_is_there_once_and_dense_after_20_kills(tmp_path: Path) -> None:
    path = tmp_path / "messages.db"
    acknowledged: dict[tuple[str, str], int] = {}
    for _ in range(KILLS):
        await _run_and_kill(path, acknowledged, after=random.randint(1, 400))

    log = await SqliteRoomLog.open(path, SystemClock())
    tails = await log.tails(ROOMS)
    for room in ROOMS:
        events = await log.events(room, 0, tails[room].seq)
        assert [event.seq for event in events] == list(range(1, tails[room].seq + 1))
        places = {event.client_id: event.seq for event in events}
        assert len(places) == len(events), "an event is there twice"
        mine = {client_id: seq for (where, client_id), seq in acknowledged.items() if where == room}
        assert {client_id: places.get(ClientId(client_id)) for client_id in mine} == mine
        await _resends_double_nothing(log, room, mine)
    await _index_is_whole(log)
    await log.close()


async def _resends_double_nothing(log: SqliteRoomLog, room: RoomId, acknowledged: dict[str, int]) -> None:
    again = [NewEvent(room, EventType.MESSAGE_CREATED, USER, ClientId(each), {"text": "x"}) for each in acknowledged]
    answers = await log.append(again)
    assert all(answer.repeated for answer in answers)
    assert [answer.event.seq for answer in answers] == list(acknowledged.values())


async def _index_is_whole(log: SqliteRoomLog) -> None:
    search = await SqliteSearch.open(log, SystemClock())
    await search.settled()
    for room in ROOMS:
        query = SearchQuery("words", [room], limit=1_000)
        found = set()
        while True:
            hits, query.cursor = await search.search(query)
            found |= {hit.message.seq for hit in hits}
            if query.cursor is None:
                break
        head = (await log.tails([room]))[room].seq
        page = await log.page(room, limit=head)
        assert found == {message.seq for message in page}
    await search.close()
