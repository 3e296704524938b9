"""Floods against the whole server: each is refused or held back, and two bystanders talk on meanwhile."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from ..conformance.websocket import WebSocket as RawWebSocket
from .socketio_client import DEADLINE
from .whole_server import Conversation, Person, WholeServer, bystanders, whole_server

STRANGER = {"x-forwarded-for": "198.51.100.7"}
"""The loopback address is a trusted proxy, and exempt from bounds per address; this one is not."""


class House(NamedTuple):
    """A server, two bystanders with a room of their own, and somebody who floods."""

    server: WholeServer
    ann: Person
    bob: Person
    lobby: str
    mallory: Person
    corner: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings: dict[str, Any] = {
        "rates": json.dumps({"message": "12000/minute", "search": "5/hour", "typing": "20/hour"}),
        "max_outbox_bytes": 200_000,
        "ping_interval_ms": 2_000,
        "ping_timeout_ms": 5_000,
    }
    with whole_server(tmp_path_factory.mktemp("floods"), **settings) as server:
        ann, bob, mallory = (server.person(name) for name in ("ann", "bob", "mallory"))
        yield House(server, ann, bob, ann.room(members=(bob,)), mallory, mallory.room(members=(ann,)))


@pytest.fixture
async def conversation(house: House) -> AsyncIterator[Conversation]:
    async with bystanders(house.ann, house.bob, house.lobby) as conversation:
        yield conversation


def metric(server: WholeServer, name: str) -> float:
    """The value of a metric with its labels, as `/metrics` writes it; 0 where it is not there yet."""
    for line in httpx.get(f"{server.url}/metrics").text.splitlines():
        if line.startswith(name + " "):
            return float(line.rpartition(" ")[2])
    return 0.0


async def test_ten_thousand_half_open_handshakes_leave_the_others_alone(
    house: House, conversation: Conversation
) -> None:
    """Sessions by long-polling that never join a namespace; each goes by itself when its time is over."""

    async def open_many(count: int) -> set[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        statuses = set()
        for _ in range(count):
            writer.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: parlour\r\n\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].split(maxsplit=1)[0]))
            statuses.add(head.split(maxsplit=2)[1])
        writer.close()
        return statuses

    statuses = await asyncio.gather(*(open_many(500) for _ in range(20)))
    assert set().union(*statuses) <= {b"200", b"503"}
    assert metric(house.server, 'parlour_sockets_opened_total{transport="polling"}') >= 5_000
    await conversation.progress(20)
    async with asyncio.timeout(60):
        while await asyncio.to_thread(metric, house.server, 'parlour_sockets{transport="polling"}'):  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.2)


async def test_connections_that_never_finish_their_request_leave_the_others_alone(
    house: House, conversation: Conversation
) -> None:
    """A thousand that send half of a request's head."""
    writers = []
    for _ in range(1_000):
        _, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        writer.write(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n")
        writers.append(writer)
    await conversation.progress(20)
    for writer in writers:
        writer.transport.abort()


async def test_handshakes_of_a_stranger_past_the_rate_are_refused(house: House, conversation: Conversation) -> None:
    """429 with `Retry-After`, on both transports; the machine itself goes on connecting."""
    url = f"{house.server.url}/socket.io/?EIO=4&transport=polling"
    async with httpx.AsyncClient(headers=STRANGER, timeout=DEADLINE) as client:
        answers = [await client.get(url) for _ in range(300)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert refused
    assert {answer.status_code for answer in refused} == {429}
    assert {int(answer.headers["retry-after"]) for answer in refused} <= {1, 5}
    assert {answer.json()["code"] for answer in refused} <= {10, 11}
    socket = await house.mallory.connect()
    await socket.close()
    assert metric(house.server, 'parlour_sockets_refused_total{reason="half_open"}') > 0


async def test_member_that_never_reads_is_cut_off_and_the_room_goes_on(
    house: House, conversation: Conversation
) -> None:
    """Its outbox is bounded in bytes; the one who bursts is acknowledged as if nothing were."""
    before = metric(house.server, 'parlour_slow_readers_total{bound="socket"}')
    stuck = await deaf_member(house)
    speaker = await house.mallory.connect()
    text = "x" * 8_000
    async with asyncio.timeout(100):
        while metric(house.server, 'parlour_slow_readers_total{bound="socket"}') == before:
            sent = [
                speaker.start("message.send", {"room_id": house.corner, "client_id": str(uuid4()), "text": text})
                for _ in range(20)  # the speaker's own events stay below its bound, however slow this process is
            ]
            answers = await asyncio.gather(*sent)
            assert all(answer[0]["ok"] for answer in answers)
    await conversation.progress()
    assert not speaker.closed
    seqs = [event.data["seq"] for event in speaker.named("event")]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    await speaker.close()
    stuck.abort()
    async with asyncio.timeout(DEADLINE):
        while await asyncio.to_thread(metric, house.server, "parlour_outbox_bytes"):  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.1)


async def deaf_member(house: House) -> RawWebSocket:
    """A connection of ann that has joined and reads no further, its kernel's buffer a small one."""
    stuck = await RawWebSocket.connect(f"ws://127.0.0.1:{house.server.port}/socket.io/?EIO=4&transport=websocket")
    stuck.send("40" + json.dumps({"token": house.ann.token}))
    while not (await stuck.text()).startswith('42["ready"'):
        pass
    stuck.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's TCP transports have it
    return stuck


async def test_flood_of_events_from_one_socket_is_held_back(house: House, conversation: Conversation) -> None:
    """Past its rate a socket is read slower; what it sent is answered all the same, in order."""
    client = await house.mallory.connect()
    flood = [client.start("sync", {"rooms": {}}) for _ in range(3_500)]
    await conversation.progress(20)
    async with asyncio.timeout(60):
        answers = [answer[0] for answer in await asyncio.gather(*flood)]
    refused = [answer["error"] for answer in answers if not answer["ok"]]
    assert {error["code"] for error in refused} == {"rate_limited"}
    await client.close()


async def test_events_past_the_rate_are_refused_with_the_time_to_wait(house: House, conversation: Conversation) -> None:
    """The setting PARLOUR_RATES, over sockets: nothing is done, and the socket stays."""
    client = await house.mallory.connect()
    answers = [await client.call("typing", {"room_id": house.corner, "on": True}) for _ in range(25)]
    assert [answer["ok"] for answer in answers] == [True] * 20 + [False] * 5
    for answer in answers[20:]:
        assert answer["error"]["code"] == "rate_limited"
        assert 0 < answer["error"]["retry_after"] <= 3_600
    assert (await client.call("presence.update", {"state": "active"}))["ok"]
    await client.close()


async def test_requests_past_the_rate_are_refused_with_the_time_to_wait(
    house: House, conversation: Conversation
) -> None:
    """The setting PARLOUR_RATES, over HTTP; another user is not held to it."""
    answers = [await asyncio.to_thread(house.mallory.request, "GET", "/api/search?q=word") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    for answer in answers[5:]:
        error = answer.json()["error"]
        assert error["code"] == "rate_limited"
        assert 0 < error["retry_after"] <= 3_600
        assert 1 <= int(answer.headers["retry-after"]) <= 3_600
    assert (await asyncio.to_thread(house.ann.request, "GET", "/api/search?q=word")).status_code == 200
