"""What an application sees: order, acknowledgements, middleware, failures."""

import asyncio
import logging
import re
from typing import Any

import pytest

from parlour.realtime import (
    AckTimeout,
    ConnectRefused,
    Disconnected,
    Limits,
    Observer,
    PacketRefused,
    ReservedEventName,
    Server,
)


async def test_the_return_value_of_a_handler_acknowledges(serve: Any) -> None:
    server = Server()
    answers = {"nothing": None, "one": {"a": 1}, "several": (1, "two"), "list": [1, 2], "binary": b"\x01"}

    @server.on("plain")
    def plain(_: Any, which: str) -> Any:
        return answers[which]

    @server.on("waiting")
    async def waiting(_: Any, which: str) -> Any:
        await asyncio.sleep(0)
        return answers[which]

    @server.on("eager")
    async def eager(_: Any, which: str) -> Any:
        return answers[which]

    peer = await (await serve(server)).connect()
    for event in ("plain", "waiting", "eager"):
        received = []
        for number, which in enumerate(answers):
            await peer.emit(event, which, ack=number)
            received.append(await peer.next())
        assert received == [
            "430[]",
            '431[{"a":1}]',
            '432[1,"two"]',
            "433[[1,2]]",
            '461-4[{"_placeholder":true,"num":0}]',
        ]
        assert await peer.next() == b"\x01"


async def test_a_future_that_a_handler_returns_acknowledges_later_without_holding_back_the_next_packet(
    serve: Any, until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(limits=Limits(max_waiting_packets=3))
    owed: list[asyncio.Future[Any]] = []

    @server.on("later")
    async def later(_: Any) -> Any:
        owed.append(asyncio.get_running_loop().create_future())
        return owed[-1]

    peer = await (await serve(server)).connect()
    for number in range(5):
        await peer.emit("later", ack=number)
    await until(lambda: len(owed) == 3)
    owed[1].set_result("second")
    assert await peer.next() == '431["second"]'
    await until(lambda: len(owed) == 4)  # as many answers may be owed as packets may wait
    owed[0].set_exception(PacketRefused("no", "because"))
    assert await peer.next() == '430[{"ok":false,"error":{"code":"because","message":"no"}}]'
    owed[2].cancel()
    assert '"internal"' in str(await peer.next())
    await until(lambda: len(owed) == 5)
    owed[4].set_result(None)
    assert await peer.next() == "434[]"
    assert not caplog.records


async def test_handlers_of_one_socket_keep_the_order_of_its_packets(serve: Any) -> None:
    server = Server()
    log: list[Any] = []
    gate = asyncio.Event()

    @server.on("slow")
    async def slow(_: Any) -> None:
        log.append("slow begins")
        await gate.wait()
        log.append("slow ends")

    @server.on("fast")
    def fast(_: Any, number: int) -> int:
        log.append(number)
        return number

    site = await serve(server)
    peer, other = await site.connect(), await site.connect()
    peer.send('42["slow"]', '421["fast",1]', '422["fast",2]')
    await other.emit("fast", 3, ack=3)
    assert await other.next() == "433[3]"  # another socket is not held back
    gate.set()
    assert await peer.take(2) == ["431[1]", "432[2]"]
    assert log == ["slow begins", 3, "slow ends", 1, 2]


async def test_reading_stops_while_too_many_packets_wait(serve: Any, until: Any) -> None:
    from parlour.realtime import Limits

    server = Server(limits=Limits(max_waiting_packets=5))
    gate = asyncio.Event()
    handled: list[int] = []

    @server.on("m")
    async def message(_: Any, number: int) -> None:
        await gate.wait()
        handled.append(number)

    site = await serve(server)
    peer = await site.connect()
    (connection,) = site.engine.connections.values()
    for number in range(500):
        await peer.emit("m", number)
    await until(lambda: connection.held)
    gate.set()
    await until(lambda: len(handled) == 500)
    assert handled == list(range(500))
    assert not connection.held


async def test_a_handler_may_wait_for_the_acknowledgement_of_its_own_client(serve: Any) -> None:
    server = Server()

    @server.on("ask me")
    async def ask(socket: Any) -> Any:
        return await socket.call("question", 1, timeout=5)

    peer = await (await serve(server)).connect()
    await peer.emit("ask me", ack=9)
    question = await peer.next()
    ack_id = re.fullmatch(r'42(\d+)\["question",1\]', question)
    assert ack_id
    peer.send(f'43{ack_id[1]}["answer",2]')
    assert await peer.next() == '439[["answer",2]]'


async def test_an_acknowledgement_that_does_not_come_is_a_timeout_or_a_disconnect(serve: Any, until: Any) -> None:
    server = Server()
    site = await serve(server)
    peer = await site.connect()
    (socket,) = server.of("/").sockets.values()
    with pytest.raises(AckTimeout):
        await socket.call("question", timeout=0.01)
    waiting = asyncio.ensure_future(socket.call("question", timeout=5))
    await peer.next()
    peer.transport.disconnect()
    with pytest.raises(Disconnected):
        await waiting
    with pytest.raises(Disconnected):
        await socket.call("question", timeout=5)
    socket.emit("into the void")
    socket.join("nowhere")
    assert socket.rooms == frozenset()


@pytest.mark.parametrize("waits", [False, True])
async def test_a_handler_that_raises_answers_with_the_refusal_and_is_logged_once(
    serve: Any, caplog: pytest.LogCaptureFixture, waits: bool
) -> None:
    server = Server(refusal=lambda failure: {"error": type(failure).__name__})

    async def fail_later() -> None:
        await asyncio.sleep(0)
        raise KeyError("x")

    @server.on("m")
    def message(_: Any) -> Any:
        if waits:
            return fail_later()
        raise KeyError("x")

    @server.on("odd answer")
    def odd(_: Any) -> Any:
        return object()

    peer = await (await serve(server)).connect()
    with caplog.at_level(logging.ERROR):
        await peer.emit("m", ack=1)
        assert await peer.next() == '431[{"error":"KeyError"}]'
    assert len(caplog.records) == 1
    await peer.emit("odd answer", ack=2)
    assert await peer.next() == '432[{"error":"TypeError"}]'
    await peer.emit("m", ack=3)  # and the socket lives on
    assert await peer.next() == '433[{"error":"KeyError"}]'


async def test_connect_middleware_lets_in_or_refuses_with_data(serve: Any) -> None:
    server = Server()
    seen = []

    @server.use
    async def check(socket: Any, auth: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        seen.append(auth)
        if auth.get("token") == "broken":
            raise RuntimeError("secret detail")
        if auth.get("token") != "good":
            raise ConnectRefused("Not you", {"code": "unauthorized"})
        socket.data = "known"

    site = await serve(server)
    peer = await site.connect(auth={"token": "good"})
    (socket,) = server.of("/").sockets.values()
    assert socket.data == "known"
    assert socket.handshake.auth == {"token": "good"}
    assert socket.handshake.query["transport"] == "websocket"
    assert socket.handshake.headers["upgrade"] == "websocket"
    assert socket.handshake.address == "127.0.0.1"
    other = await site.websocket()
    await other.next()
    other.send("40")
    assert await other.next() == '44{"message":"Not you","data":{"code":"unauthorized"}}'
    other.send('40{"token":"broken"}')
    assert await other.next() == '44{"message":"Internal error"}'
    other.send('40{"token":"good"}')  # it may try again on the same connection
    assert (await other.next()).startswith('40{"sid":')
    assert not peer.closed.is_set()


async def test_a_refused_connect_gets_the_data_that_the_application_has_for_it(serve: Any) -> None:
    """Data of a ConnectRefused stays; the default, none, is the reference server's answer, which the tests above have."""
    server = Server(connect_data=lambda failure: {"code": type(failure).__name__})

    @server.use
    async def check(_: Any, auth: dict[str, Any]) -> None:
        raise ConnectRefused("No", auth.get("data")) if auth else RuntimeError("secret detail")

    site = await serve(server)
    peer = await site.websocket()
    await peer.next()
    peer.send("40", "40/nowhere", '40{"why":1}', '40{"data":{"code":"own"}}')
    assert await peer.take(4) == [
        '44{"message":"Internal error","data":{"code":"RuntimeError"}}',
        '44/nowhere,{"message":"Invalid namespace","data":{"code":"UnknownNamespace"}}',
        '44{"message":"No","data":{"code":"ConnectRefused"}}',
        '44{"message":"No","data":{"code":"own"}}',
    ]


async def test_packet_middleware_sees_every_event_and_may_refuse_it(serve: Any) -> None:
    server = Server()
    seen = []

    @server.of("/").use_packet
    async def check(_: Any, event: str, args: list[Any]) -> None:
        seen.append((event, list(args)))
        if event == "forbidden":
            raise PacketRefused("No", "forbidden")

    @server.on("allowed")
    async def allowed(_: Any, number: int) -> int:
        return number + 1

    @server.of("/").on_any
    def anything(_: Any, event: str, *args: Any) -> Any:
        return [event, *args]

    peer = await (await serve(server)).connect()
    peer.send('421["allowed",1]', '422["forbidden",1]', '423["unknown",1,2]')
    assert await peer.take(3) == [
        "431[2]",
        '432[{"ok":false,"error":{"code":"forbidden","message":"No"}}]',
        '433[["unknown",1,2]]',
    ]
    assert seen == [("allowed", [1]), ("forbidden", [1]), ("unknown", [1, 2])]


async def test_connect_handler_comes_before_what_the_client_sends_and_disconnect_after(serve: Any, until: Any) -> None:
    server = Server()
    log: list[Any] = []

    @server.on("connect")
    async def connect(_: Any) -> None:
        await asyncio.sleep(0.01)
        log.append("connect")

    @server.on("m")
    def message(_: Any) -> None:
        log.append("m")

    @server.on("disconnect")
    async def disconnect(socket: Any, reason: str) -> None:
        log.append((reason, socket.connected))

    peer = await (await serve(server)).connect()
    peer.send('42["m"]', "41")
    await until(lambda: len(log) == 3)
    assert log == ["connect", "m", ("client namespace disconnect", False)]


async def test_a_connect_handler_that_fails_closes_the_connection_so_that_the_client_comes_back(serve: Any) -> None:
    server = Server()

    @server.on("connect")
    def connect(_: Any) -> None:
        raise RuntimeError

    peer = await (await serve(server)).connect()
    assert await peer.until_closed() == 1011


async def test_dynamic_namespaces_come_by_pattern_or_function_and_go_with_their_last_socket(
    serve: Any, until: Any
) -> None:
    server = Server()

    @server.of(re.compile(r"/room-\d+")).on("where")
    def where(socket: Any) -> str:
        return socket.namespace.name

    @server.of(lambda name, auth: auth.get("key") == name).on("where")
    def there(socket: Any) -> str:
        return "by key"

    site = await serve(server)
    peer = await site.connect("/room-12")
    peer.send('42/room-12,1["where"]')
    assert await peer.next() == '43/room-12,1["/room-12"]'
    keyed = await site.connect("/x", {"key": "/x"})
    keyed.send('42/x,1["where"]')
    assert await keyed.next() == '43/x,1["by key"]'
    keyed.send("40/room-x")
    assert await keyed.next() == '44/room-x,{"message":"Invalid namespace"}'
    peer.send("41/room-12,")
    await until(lambda: server.namespaces == {"/", "/x"})


async def test_reserved_event_names_are_refused_everywhere() -> None:
    server = Server()
    for name in ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"):
        with pytest.raises(ReservedEventName):
            server.emit(name)
        if name not in ("connect", "disconnect"):
            with pytest.raises(ReservedEventName):
                server.on(name)


async def test_the_observer_is_told(serve: Any, until: Any) -> None:
    class Watching(Observer):
        def __init__(self) -> None:
            self.told: list[tuple[Any, ...]] = []

        def connection_opened(self, transport: str) -> None:
            self.told.append(("opened", transport))

        def connection_closed(self, transport: str, reason: str) -> None:
            self.told.append(("closed", transport, reason))

        def handled(self, event: str, seconds: float, ok: bool) -> None:
            self.told.append(("handled", event, seconds >= 0, ok))

        def latency(self, seconds: float) -> None:
            self.told.append(("latency", 0 <= seconds < 5))

    observer = Watching()
    server, told = Server(observer=observer), observer.told

    @server.on("m")
    async def message(socket: Any) -> None:
        await asyncio.sleep(0)
        server.to(socket.id).since(socket.received_at).emit("m")
        server.of("/").to("nobody").since(socket.received_at).emit("m")
        server.of("/").volatile.since(socket.received_at).emit("m")

    peer = await (await serve(server)).connect()
    await peer.emit("m")
    await peer.take(2)
    peer.transport.disconnect()
    await until(lambda: len(told) == 4)
    assert told == [
        ("opened", "websocket"),
        ("handled", "m", True, True),
        ("latency", True),
        ("closed", "websocket", "transport close"),
    ]
