"""What a client cannot do to the server, and to the others."""

import asyncio
import contextlib
import json
import os
from typing import Any

import httpx
import pytest
from picows import WSHandshakeError, WSMsgType

from parlour.realtime import CorsPolicy, Limits, Observer, Server


class Refusals(Observer):
    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.outbox = 0
        self.slow_readers: list[str] = []
        self.dropped_packets = 0

    def refused(self, reason: str) -> None:
        self.reasons.append(reason)

    def outbox_bytes(self, delta: int) -> None:
        self.outbox += delta

    def slow_reader_closed(self, bound: str) -> None:
        self.slow_readers.append(bound)

    def dropped(self, n_packets: int) -> None:
        self.dropped_packets += n_packets


async def test_a_reader_that_never_reads_is_cut_off_and_costs_the_others_nothing(serve: Any, until: Any) -> None:
    observer = Refusals()
    server = Server(limits=Limits(max_outbox_bytes=200_000), observer=observer)
    reasons = []
    server.on("disconnect")(lambda _, reason: reasons.append(reason))
    server.on("connect")(lambda socket: socket.emit("hello"))
    site = await serve(server)
    lazy = await site.connect()
    assert await lazy.next() == '42["hello"]'
    (socket,) = server.of("/").sockets.values()
    other = await site.connect()
    assert await other.next() == '42["hello"]'
    lazy.transport.underlying_transport.pause_reading()
    chunk = os.urandom(25_000).hex()
    sent = 0
    while socket.connected:
        server.emit("m", chunk)
        sent += 1
        assert await other.next() == f'42["m","{chunk}"]'
        if not socket.connection.writable and socket.connected:
            socket.volatile.emit("v")
            server.of("/").to().volatile.emit("v")
            assert await other.next() == '42["v"]'
        assert sent < 1_000
    assert (observer.slow_readers, observer.outbox, reasons) == (["socket"], 0, ["transport error"])
    assert observer.dropped_packets > 0
    server.emit("after")
    assert await other.next() == '42["after"]'


async def test_a_reader_that_pauses_within_the_bound_gets_everything_in_order(serve: Any, until: Any) -> None:
    observer = Refusals()
    server = Server(limits=Limits(max_outbox_bytes=20_000_000), observer=observer)
    site = await serve(server)
    peer = await site.connect()
    (socket,) = server.of("/").sockets.values()
    peer.transport.underlying_transport.pause_reading()
    chunk = "x" * 100_000
    count = 0
    while observer.outbox < 300_000:
        socket.emit("m", count, chunk)
        count += 1
        await asyncio.sleep(0)
    peer.transport.underlying_transport.resume_reading()
    for number in range(count):
        assert await peer.next() == f'42["m",{number},"{chunk}"]'
    assert observer.outbox == 0
    assert socket.connection.writable


@pytest.mark.parametrize("fragmented", [False, True])
async def test_a_message_past_the_maximum_closes_with_1009(serve: Any, fragmented: bool) -> None:
    site = await serve(Server(max_payload=10_000))
    peer = await site.connect()
    if fragmented:
        peer.transport.send(WSMsgType.TEXT, b"4" + b"x" * 6_000, fin=False)
        peer.transport.send(WSMsgType.CONTINUATION, b"x" * 6_000)
    else:
        peer.send("4" + "x" * 12_000)
    assert await peer.until_closed() == 1009


async def test_a_fragmented_message_is_put_together_with_pings_between(serve: Any) -> None:
    server = Server()
    server.on("m")(lambda _, text: text)
    peer = await (await serve(server)).connect()
    peer.transport.send(WSMsgType.TEXT, b'421["m",', fin=False)
    peer.transport.send_ping(b"there?")
    peer.transport.send(WSMsgType.CONTINUATION, b'"' + b"x" * 5_000, fin=False)
    peer.transport.send(WSMsgType.CONTINUATION, b'"]')
    assert await peer.next() == b"there?"  # the pong
    assert await peer.next() == f'431["{"x" * 5_000}"]'


@pytest.mark.parametrize("case", ["lone continuation", "message within a message", "reserved bit"])
async def test_frames_that_rfc_6455_forbids_close_with_1002(serve: Any, case: str) -> None:
    peer = await (await serve(Server())).connect()
    match case:
        case "lone continuation":
            peer.transport.send(WSMsgType.CONTINUATION, b"x")
        case "message within a message":
            peer.transport.send(WSMsgType.TEXT, b"4", fin=False)
            peer.transport.send(WSMsgType.TEXT, b"4")
        case "reserved bit":
            peer.transport.send(WSMsgType.TEXT, b"4", rsv1=True)
    assert await peer.until_closed() == 1002


async def test_a_flood_of_packets_is_slowed_down_not_dropped(serve: Any, until: Any) -> None:
    observer = Refusals()
    server = Server(limits=Limits(packets_per_second=2_000, packet_burst=50), observer=observer)
    handled: list[int] = []
    server.on("m")(lambda _, number: handled.append(number))
    site = await serve(server)
    peer = await site.connect()
    for number in range(600):
        await peer.emit("m", number)
    await until(lambda: "packet_rate" in observer.reasons)
    assert len(handled) < 600
    await until(lambda: len(handled) == 600)
    assert handled == list(range(600))


async def test_half_open_sessions_past_their_bound_go_oldest_first(serve: Any, until: Any) -> None:
    observer = Refusals()
    server = Server(limits=Limits(max_half_open=3), observer=observer)
    site = await serve(server)
    joined = await site.connect()
    idle = [await site.websocket() for _ in range(5)]
    await idle[0].until_closed()
    await idle[1].until_closed()
    assert observer.reasons == ["half_open", "half_open"]
    assert not joined.closed.is_set()
    late = await site.connect()
    assert late.transport is not None


async def test_a_connection_that_joins_no_namespace_in_time_is_closed(serve: Any) -> None:
    site = await serve(Server(connect_timeout=20))
    peer, joined = await site.websocket(), await site.connect()
    await peer.until_closed()
    joined.send("2")  # still read: a ping from the client is an error that only an open session has
    assert await joined.until_closed() == 1002


async def test_a_request_that_does_not_come_is_not_waited_for_for_ever(serve: Any) -> None:
    observer = Refusals()
    site = await serve(Server(limits=Limits(request_head_timeout=0.03), observer=observer))
    for beginning in (b"", b"GET / HT"):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(beginning)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
    assert observer.reasons == ["slow_request"] * 2


async def hangs_up(reader: asyncio.StreamReader) -> bytes:
    """What the server says before it closes, and that it does."""
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(5):
            return await reader.read()
    return b""


@pytest.mark.parametrize(
    "afterwards",
    [b"\r\n", b"\r\n" * 50_000, b"half a body", b"GET / HT"],
    ids=["line end", "line ends", "rest of a body", "half a head"],
)
async def test_what_is_no_request_does_not_keep_an_idle_connection(serve: Any, afterwards: bytes) -> None:
    """Of uvicorn: its own bound on idle connections ends with any byte that comes."""
    site = await serve(Server(limits=Limits(request_head_timeout=0.05)))
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    body = b"Content-Length: 1000\r\n" if afterwards == b"half a body" else b""
    writer.write(b"POST /socket.io/?EIO=4&transport=polling&sid=none HTTP/1.1\r\nHost: x\r\n" + body + b"\r\n")
    assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 400")
    writer.write(afterwards)
    assert await hangs_up(reader) in (b"", b"Invalid HTTP request received.")
    writer.close()


REQUEST = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def test_an_address_has_a_number_of_connections_whatever_they_are_for(serve: Any, until: Any) -> None:
    observer = Refusals()
    limits = Limits(max_tcp_connections_per_address=4)
    site = await serve(Server(limits=limits, observer=observer, exempt_peer=lambda _: False))
    silent: Streams = await asyncio.open_connection("127.0.0.1", site.port)
    http: Streams = await asyncio.open_connection("127.0.0.1", site.port)
    http[1].write(REQUEST)
    await http[0].readuntil(b"}")
    socket = await site.connect()
    late: Streams = await asyncio.open_connection("127.0.0.1", site.port)
    late[1].write(UPGRADE_IN_PIECES[0])
    await until(lambda: len(site.state.connections) == 4)
    late[1].write(UPGRADE_IN_PIECES[1])
    assert (await late[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    refused, _ = await asyncio.open_connection("127.0.0.1", site.port)
    assert await hangs_up(refused) == b""
    assert observer.reasons == ["address_tcp_connections"]
    for writer in (silent[1], http[1], late[1]):
        writer.close()
    socket.transport.disconnect()
    await until(lambda: not site.state.connections)
    assert [await site.connect() for _ in range(4)]


UPGRADE_IN_PIECES = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgr",
    b"ade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
)


async def test_the_process_has_a_number_of_connections_and_loopback_counts(serve: Any) -> None:
    observer = Refusals()
    site = await serve(Server(limits=Limits(max_tcp_connections=3), observer=observer))
    sockets = [await site.connect() for _ in range(3)]
    refused, _ = await asyncio.open_connection("127.0.0.1", site.port)
    assert await hangs_up(refused) == b""
    assert observer.reasons == ["tcp_connections"]
    sockets[0].transport.disconnect()
    await sockets[0].until_closed()
    assert await site.connect()


async def test_loopback_has_no_bound_of_its_own(serve: Any) -> None:
    site = await serve(Server(limits=Limits(max_tcp_connections_per_address=1)))
    assert [await site.connect() for _ in range(3)]


async def test_refusals_are_http_with_a_code_and_a_time_to_come_back(serve: Any) -> None:
    observer = Refusals()
    server = Server(limits=Limits(max_connections=1), observer=observer)
    site = await serve(server)
    await site.connect()
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{site.url}?EIO=4&transport=polling")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json() == {"code": 7, "message": "Too many connections"}
    with pytest.raises(WSHandshakeError) as failure:
        await site.websocket()
    assert failure.value.response.status == 503
    assert observer.reasons == ["connections"] * 2


async def test_limits_per_address_believe_the_function_that_names_it(serve: Any) -> None:
    server = Server(
        limits=Limits(max_connections_per_address=1),
        client_address=lambda headers, peer: headers.get("x-forwarded-for", peer),
    )
    site = await serve(server)
    async with httpx.AsyncClient() as client:
        statuses = [
            (await client.get(f"{site.url}?EIO=4&transport=polling", headers={"x-forwarded-for": address})).status_code
            for address in ("203.0.113.1", "203.0.113.1", "203.0.113.2")
        ]
    assert statuses == [200, 429, 200]


async def test_an_admission_whose_handshake_fails_is_given_back(serve: Any, until: Any) -> None:
    server = Server()
    site = await serve(server)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n"
    )
    assert b"400" in await reader.readline()
    writer.close()
    await until(lambda: site.engine.admission.connections == 0)


async def test_firefox_may_keep_its_connection_header(serve: Any) -> None:
    site = await serve(Server())
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert b"101" in await reader.readline()
    writer.close()


async def test_pages_outside_the_allow_list_get_neither_answer_nor_websocket(serve: Any) -> None:
    observer = Refusals()
    site = await serve(Server(cors=CorsPolicy(origins=("https://ours.example",), credentials=True), observer=observer))
    async with httpx.AsyncClient() as client:
        url = f"{site.url}?EIO=4&transport=polling"
        ours = await client.get(url, headers={"origin": "https://ours.example"})
        assert ours.headers["access-control-allow-origin"] == "https://ours.example"
        assert ours.headers["access-control-allow-credentials"] == "true"
        theirs = await client.get(url, headers={"origin": "https://theirs.example"})
        assert theirs.status_code == 403
        assert "access-control-allow-origin" not in theirs.headers
    assert observer.reasons == ["origin"]


async def test_drain_refuses_newcomers_flushes_and_sends_everybody_away_within_its_bound(serve: Any) -> None:
    server = Server()
    reasons = []
    server.on("disconnect")(lambda _, reason: reasons.append(reason))
    server.on("connect")(lambda socket: socket.emit("hello"))
    site = await serve(server)
    peers = [await site.connect() for _ in range(5)]
    for peer in peers:
        assert await peer.next() == '42["hello"]'
    async with httpx.AsyncClient() as client:
        url = f"{site.url}?EIO=4&transport=polling"
        await client.get(url)
        server.emit("last words")
        draining = asyncio.ensure_future(server.drain(within=0.5))
        await asyncio.sleep(0)
        refused = await client.get(url)
        assert (refused.status_code, refused.json()["code"]) == (503, 6)
    async with asyncio.timeout(2):
        await draining
    for peer in peers:
        assert await peer.next() == '42["last words"]'
        assert await peer.until_closed() == 1001
    assert reasons == ["server shutting down"] * 5
    assert not site.engine.connections


async def test_a_second_burst_beyond_the_first_closes_the_connection(serve: Any) -> None:
    """What is read already is delivered even while reading is stopped; it must not keep the loop busy for seconds."""
    observer = Refusals()
    server = Server(limits=Limits(packets_per_second=1, packet_burst=10), observer=observer)
    site = await serve(server)
    peer = await site.connect()
    (connection,) = site.engine.connections.values()
    for _ in range(2_000):  # as picows does with what one read brought
        connection.receive_text(b'42["m"]')
    assert await peer.until_closed() == 1008
    assert observer.reasons == ["packet_rate"]


async def test_pings_count_as_packets(serve: Any, until: Any) -> None:
    observer = Refusals()
    site = await serve(Server(limits=Limits(packets_per_second=1, packet_burst=10), observer=observer))
    peer = await site.connect()
    for _ in range(15):
        peer.transport.send_ping(b"x")
    await until(lambda: observer.reasons == ["packet_rate"])


async def test_a_page_may_speak_to_the_host_it_came_from() -> None:
    policy = CorsPolicy(origins=("https://other.example",))
    assert policy.allows("https://chat.example", "chat.example")
    assert policy.allows("http://localhost:8000", "localhost:8000")
    assert not policy.allows("https://evil.example", "chat.example")
    assert not policy.allows("null", "null.example")


async def test_a_head_without_end_is_cut_off(serve: Any) -> None:
    observer = Refusals()
    site = await serve(Server(limits=Limits(max_request_head_bytes=5_000), observer=observer))
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 6_000)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    assert observer.reasons == ["large_request"]


async def test_an_upgrade_behind_an_answer_that_is_under_way_is_refused(serve: Any) -> None:
    """It would go on between the frames, and the outbox would not know of it."""
    observer = Refusals()
    site = await serve(Server(observer=observer))
    async with httpx.AsyncClient() as client:
        sid = json.loads((await client.get(f"{site.url}?EIO=4&transport=polling")).text[1:])["sid"]
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    poll = f"GET /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n\r\n"
    upgrade = (
        f"GET /socket.io/?EIO=4&transport=websocket&sid={sid} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    writer.write(poll.encode())
    await asyncio.sleep(0)
    writer.write(upgrade.encode())
    async with asyncio.timeout(5):
        assert b"101" not in await reader.read()
    writer.close()
    assert observer.reasons == ["pipelined_upgrade"]


async def test_one_large_write_to_a_reader_that_never_reads_is_not_kept_for_ever(serve: Any, until: Any) -> None:
    observer = Refusals()
    server = Server(limits=Limits(max_outbox_bytes=100_000, stall_timeout=0.05), observer=observer)
    site = await serve(server)
    peer = await site.connect()
    (socket,) = server.of("/").sockets.values()
    peer.transport.underlying_transport.pause_reading()
    socket.emit("m", "x" * 20_000_000)
    await until(lambda: not socket.connected)
    assert observer.slow_readers == ["socket"]


async def test_past_the_budget_of_all_outboxes_the_slowest_readers_go_first(serve: Any, until: Any) -> None:
    """Each is within its own bound; ended sessions' last words and then the largest outboxes make room for the rest."""
    observer = Refusals()
    server = Server(limits=Limits(max_outbox_bytes=100_000_000, outbox_budget=50_000_000), observer=observer)
    site = await serve(server)
    peers, sockets = [], []
    for _ in range(3):
        peers.append(await site.connect())
        sockets.append(next(reversed(server.of("/").sockets.values())))
    reader = await site.connect()
    for peer, socket, size in zip(peers, sockets, (8, 60, 16), strict=True):
        peer.transport.underlying_transport.pause_reading()
        for number in range(size):
            socket.emit("m", number, "x" * 1_000_000)
    await until(lambda: not sockets[1].connected)
    assert observer.slow_readers == ["process"]
    assert [socket.connected for socket in sockets] == [True, False, True]
    assert site.engine.outboxes.total == observer.outbox <= 25_000_000
    for peer, size in ((peers[0], 8), (peers[2], 16)):
        peer.transport.underlying_transport.resume_reading()
        assert [int(message[7:].partition(",")[0]) for message in await peer.take(size)] == list(range(size))
    await until(lambda: observer.outbox == 0)
    server.emit("after")
    assert await reader.next() == '42["after"]'


async def test_last_words_that_nobody_fetches_count_and_are_dropped_past_the_budget(serve: Any, until: Any) -> None:
    observer = Refusals()
    server = Server(limits=Limits(outbox_budget=40_000), observer=observer)
    site = await serve(server)
    async with httpx.AsyncClient() as client:
        for _ in range(2):
            opened = await client.get(f"{site.url}?EIO=4&transport=polling")
            sid = json.loads(opened.text[1:])["sid"]
            await client.post(f"{site.url}?EIO=4&transport=polling&sid={sid}", content="40")
            (socket,) = server.of("/").sockets.values()
            socket.emit("m", "x" * 25_000)
            socket.disconnect(close=True)
    await until(lambda: observer.outbox == 0)
    assert observer.slow_readers == []


async def test_one_large_write_to_a_reader_that_reads_arrives(serve: Any) -> None:
    server = Server(limits=Limits(max_outbox_bytes=100_000))
    site = await serve(server)
    peer = await site.connect()
    server.emit("m", "x" * 5_000_000)
    assert len(await peer.next()) == 5_000_000 + len('42["m",""]')


async def test_who_leaves_without_having_read_is_not_waited_for_for_ever(serve: Any, until: Any) -> None:
    server = Server()
    site = await serve(server)
    peer = await site.connect()
    (socket,) = server.of("/").sockets.values()
    peer.transport.underlying_transport.pause_reading()
    socket.emit("m", "x" * 20_000_000)
    await asyncio.sleep(0)
    peer.transport.send(WSMsgType.CLOSE, b"\x03\xe8")
    await until(lambda: not socket.connected)
    assert len(site.engine.closings) == 1  # aborted when its few seconds are over
