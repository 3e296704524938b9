"""What every cluster keeps: who hears a broadcast, once and in order; whose answers are gathered."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from parlour.realtime import Broadcast, Cluster, MemoryCluster, MemoryHub, RemoteSocket, Request
from parlour.realtime.frames import text_frame
from parlour.realtime.redis_cluster import RedisCluster
from parlour.realtime.redis_line import RedisLine

from ..redis_server import RedisProxy, RedisServer

DEADLINE = 30.0


class Listener:
    """The server of a node, of which the cluster asks."""

    def __init__(self) -> None:
        self.heard: list[Broadcast] = []
        self.asked: list[Request] = []
        self.answers: list[Any] = []
        self.fails = False
        self.hangs = False

    def deliver(self, broadcast: Broadcast) -> None:
        self.heard.append(broadcast)

    async def answer(self, request: Request) -> list[Any]:
        self.asked.append(request)
        if self.hangs:
            await asyncio.sleep(DEADLINE)
        if self.fails:
            raise RuntimeError("the application's fault")
        return self.answers

    def texts(self) -> list[bytes]:
        return [broadcast.frame for broadcast in self.heard]


class Nodes:
    """Three nodes of one deployment."""

    def __init__(self, clusters: list[Cluster]) -> None:
        self.clusters = clusters
        self.listeners = [Listener() for _ in clusters]
        for cluster, listener in zip(clusters, self.listeners, strict=True):
            cluster.attach(listener)
            cluster.subscribe("/", "end")

    async def settled(self) -> None:
        for cluster in self.clusters:
            assert await cluster.settled()

    async def heard(self, *publishers: int) -> list[list[bytes]]:
        """What each node has heard up to now from the publishers, without the mark that is sent to know."""
        for publisher in publishers or range(len(self.clusters)):
            self.clusters[publisher].publish(said("end", rooms=("end",)))
        marks = len(publishers) or len(self.clusters)
        heard = []
        for number, listener in enumerate(self.listeners):
            own = number in publishers or not publishers
            await until(lambda: listener.texts().count(text_frame(b"end")) == marks - own)  # noqa: B023
            heard.append([text for text in listener.texts() if text != text_frame(b"end")])
        return heard


def said(text: str, *, rooms: tuple[str, ...] = ("r",), namespace: str = "/", **more: Any) -> Broadcast:
    return Broadcast(namespace, rooms, more.pop("except_", ()), text_frame(text.encode()), **more)


def frames(*texts: str) -> list[bytes]:
    return [text_frame(text.encode()) for text in texts]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - whatever it is that comes to be
            await asyncio.sleep(0.005)


@pytest.fixture(params=["memory", "redis"])
async def nodes(request: pytest.FixtureRequest) -> AsyncIterator[Nodes]:
    if request.param == "memory":
        hub = MemoryHub()
        yield Nodes([MemoryCluster(hub, node_id=f"n{number}") for number in range(3)])
        return
    redis: RedisServer = request.getfixturevalue("redis")
    prefix = redis.prefix()
    clusters = [RedisCluster(RedisLine(redis.url, prefix=prefix), node_id=f"n{number}") for number in range(3)]
    nodes = Nodes(list(clusters))
    for cluster in clusters:
        await cluster.start()
    await nodes.settled()
    yield nodes
    for cluster in clusters:
        await cluster.close()


async def test_a_broadcast_arrives_as_it_was_where_the_room_has_members(nodes: Nodes) -> None:
    nodes.clusters[0].subscribe("/", "r")
    nodes.clusters[1].subscribe("/", "r")
    nodes.clusters[2].subscribe("/other", "r")
    await nodes.settled()
    broadcast = said("\N{GRINNING FACE}" * 30_000, except_=("x", "n1.y"), volatile=True)
    nodes.clusters[0].publish(broadcast)
    await nodes.heard(0)
    assert nodes.listeners[1].heard[0] == broadcast
    assert [len(listener.heard) for listener in nodes.listeners] == [0, 2, 1]  # the mark included, which node 0 sent


async def test_when_a_broadcast_was_received_is_known_elsewhere_and_is_never_in_the_future(nodes: Nodes) -> None:
    nodes.clusters[1].subscribe("/", "r")
    await nodes.settled()
    now = time.monotonic()
    for since in (now - 2.0, now + 3600.0, 0.0):
        nodes.clusters[0].publish(said("hello", since=since))
    await nodes.heard(0)
    past, future, unknown, _ = [broadcast.since for broadcast in nodes.listeners[1].heard]
    assert past == pytest.approx(now - 2.0, abs=0.5)
    assert future == now + 3600.0 or now <= future <= time.monotonic()  # in one process it is passed on as it is
    assert unknown == 0.0


async def test_no_rooms_are_everybody_of_the_namespace(nodes: Nodes) -> None:
    nodes.clusters[1].subscribe("/", "")
    nodes.clusters[2].subscribe("/admin", "")
    await nodes.settled()
    nodes.clusters[0].publish(said("all", rooms=()))
    nodes.clusters[0].publish(said("admins", rooms=(), namespace="/admin"))
    assert await nodes.heard(0) == [[], frames("all"), frames("admins")]


@pytest.mark.parametrize("count", [2, 40])
async def test_several_rooms_reach_a_node_once(nodes: Nodes, count: int) -> None:
    rooms = tuple(f"room {number}" for number in range(count))
    for room in rooms:
        nodes.clusters[1].subscribe("/", room)
    nodes.clusters[2].subscribe("/other", rooms[0])
    await nodes.settled()
    nodes.clusters[0].publish(said("once", rooms=rooms))
    nodes.clusters[0].publish(said("one of them", rooms=(rooms[-1], "nobody's")))
    assert await nodes.heard(0) == [[], frames("once", "one of them"), []]
    assert nodes.listeners[1].heard[0].rooms == rooms


async def test_broadcasts_of_a_node_to_a_room_keep_their_order(nodes: Nodes) -> None:
    nodes.clusters[2].subscribe("/", "r")
    await nodes.settled()
    for number in range(2_000):
        nodes.clusters[number % 2].publish(said(f"{number}"))
        if number % 100 == 0:
            await asyncio.sleep(0)
    heard = (await nodes.heard(0, 1))[2]
    for publisher in range(2):
        assert [text for text in heard if int(text[2:]) % 2 == publisher] == frames(
            *map(str, range(publisher, 2_000, 2))
        )


async def test_a_room_that_was_left_is_heard_no_more_and_can_be_joined_again(nodes: Nodes) -> None:
    listening = nodes.clusters[1]
    listening.subscribe("/", "r")
    await nodes.settled()
    nodes.clusters[0].publish(said("1"))
    await nodes.heard(0)
    listening.unsubscribe("/", "r")
    listening.unsubscribe("/", "never joined")
    await nodes.settled()
    nodes.clusters[0].publish(said("2"))
    nodes.listeners[1].heard = [each for each in nodes.listeners[1].heard if each.rooms != ("end",)]
    nodes.listeners[2].heard.clear()
    await nodes.heard(0)
    listening.subscribe("/", "r")
    listening.unsubscribe("/", "r")
    listening.subscribe("/", "r")
    await nodes.settled()
    nodes.clusters[0].publish(said("3"))
    nodes.listeners[1].heard = [each for each in nodes.listeners[1].heard if each.rooms != ("end",)]
    nodes.listeners[2].heard.clear()
    assert (await nodes.heard(0))[1] == frames("1", "3")


async def test_a_sockets_own_id_is_a_room(nodes: Nodes) -> None:
    nodes.clusters[1].subscribe("/", "n1.socket")
    nodes.clusters[2].subscribe("/", "n1.socket")  # an application may let others into it
    nodes.clusters[2].subscribe("/", "v1.0")  # whatever looks like an id but is none
    await nodes.settled()
    nodes.clusters[0].publish(said("to it", rooms=("n1.socket",)))
    nodes.clusters[0].publish(said("to both", rooms=("n1.socket", "v1.0")))
    nodes.clusters[0].publish(said("to nobody", rooms=("n1.other",)))
    nodes.clusters[1].publish(said("from its node", rooms=("n1.socket",)))
    first, second, third = await nodes.heard(0, 1)
    assert (first, second) == ([], frames("to it", "to both"))
    assert sorted(third) == sorted(frames("to it", "to both", "from its node"))


async def test_what_others_answer_is_gathered(nodes: Nodes) -> None:
    nodes.listeners[1].answers = [RemoteSocket("n1.a", ("n1.a", "r"), "192.0.2.1")]
    nodes.listeners[2].answers = [RemoteSocket("n2.a", ("n2.a",), "192.0.2.2")]
    found = await nodes.clusters[0].request(Request("fetch", "/", ("r",), ("x",)))
    assert sorted(found, key=lambda each: each.id) == [nodes.listeners[1].answers[0], nodes.listeners[2].answers[0]]
    assert nodes.listeners[1].asked == [Request("fetch", "/", ("r",), ("x",))]
    assert nodes.listeners[0].asked == []


async def test_arguments_and_acknowledgements_travel_as_they_are(nodes: Nodes) -> None:
    acknowledged = [1, "two", None, {"three": [4.5, b"\x00\xff"]}]
    nodes.listeners[1].answers = acknowledged
    arguments = ["question", {"bytes": b"\x00\xff"}, [1, None], "\N{GRINNING FACE}"]
    answers = await nodes.clusters[0].request(Request("call", "/", (), (), arguments, timeout=DEADLINE))
    assert answers == acknowledged
    assert nodes.listeners[2].asked[0].arguments == arguments


async def test_a_node_alone_is_answered_by_nobody(redis: RedisServer) -> None:
    alone = RedisCluster(RedisLine(redis.url, prefix=redis.prefix()))
    for cluster in (MemoryCluster(), alone):
        cluster.attach(Listener())
    await alone.start()
    assert await alone.settled()
    for cluster in (MemoryCluster(), alone):
        async with asyncio.timeout(DEADLINE):
            assert await cluster.request(Request("fetch", "/", (), (), timeout=10 * DEADLINE)) == []
    await alone.close()


# Redis alone: nodes that do not share a process


@pytest.fixture
async def lines(redis: RedisServer) -> AsyncIterator[Callable[..., RedisLine]]:
    """Make lines of one deployment."""
    made: list[RedisLine] = []
    prefix = redis.prefix()

    def make(url: str = redis.url, **more: Any) -> RedisLine:
        made.append(RedisLine(url, prefix=prefix, **more))
        return made[-1]

    yield make
    for line in made:
        await line.close()


async def test_who_fails_or_hangs_costs_the_others_answers_nothing(lines: Callable[..., RedisLine]) -> None:
    clusters = [RedisCluster(lines()) for _ in range(4)]
    listeners = Nodes(list(clusters)).listeners
    for cluster in clusters:
        await cluster.start()
        assert await cluster.settled()
    listeners[1].fails = True
    listeners[2].hangs = True
    listeners[3].answers = ["here"]
    assert await clusters[0].request(Request("call", "/", (), (), ["q"], timeout=0.5)) == ["here"]
    listeners[2].hangs = False
    raw = msgspec.Raw(b'{"already":"JSON"}')
    assert await clusters[0].request(Request("call", "/", (), (), ["q", raw], timeout=DEADLINE)) == ["here"]
    assert listeners[3].asked[-1].arguments == ["q", {"already": "JSON"}]
    for cluster in clusters:
        await cluster.close()


async def test_order_holds_across_the_channels_of_a_node(lines: Callable[..., RedisLine]) -> None:
    """An event to a room, then the answer to the node that its sender is on: the answer must not come first."""
    writer, reader = lines(), lines()
    heard: list[bytes] = []
    for number in range(50):
        reader.subscribe(f"channel {number}", heard.append)
    await writer.start()
    await reader.start()
    assert await reader.settled()
    sent = [b"%d" % number for number in range(5_000)]
    for number, payload in enumerate(sent):
        writer.publish((f"channel {number * 7 % 50}",), payload)
        if number % 500 == 0:
            await asyncio.sleep(0)
    await until(lambda: len(heard) == len(sent))
    assert heard == sent


async def test_a_node_without_members_receives_no_byte_of_a_rooms_traffic(
    lines: Callable[..., RedisLine], redis: RedisServer
) -> None:
    async with RedisProxy(redis) as first, RedisProxy(redis) as second:
        writer, member, stranger = lines(), lines(first.url), lines(second.url)
        clusters = [RedisCluster(line) for line in (writer, member, stranger)]
        listeners = Nodes(list(clusters)).listeners
        clusters[1].subscribe("/", "r")
        clusters[2].subscribe("/", "another")
        for cluster in clusters:
            await cluster.start()
            assert await cluster.settled()
        before = first.received, second.received
        for number in range(1_000):
            clusters[0].publish(said(f"{number}" * 50))
        await until(lambda: len(listeners[1].heard) == 1_000)
        clusters[0].publish(said("last", rooms=("another",)))
        await until(lambda: len(listeners[2].heard) == 1)
        assert first.received - before[0] > 100_000
        assert second.received - before[1] < 10_000  # the last one, and answers to pings
        for cluster in clusters:
            await cluster.close()


async def test_a_server_that_hangs_is_noticed_while_its_connection_still_counts(
    lines: Callable[..., RedisLine], redis: RedisServer
) -> None:
    writer, reader = lines(), lines()
    heard: list[bytes] = []
    reader.subscribe("channel", heard.append)
    for line in (writer, reader):
        await line.start()
        assert await line.settled()
    assert reader.connected
    with redis.frozen():
        await until(lambda: not reader.connected)
        assert not reader._subscriber._away, "it was given up, which takes 15 s"
        writer.publish(("channel",), b"meanwhile")
    await until(lambda: reader.connected)
    await until(lambda: heard == [b"meanwhile"])


async def test_redis_killed_and_started_again_in_the_midst(lines: Callable[..., RedisLine], redis: RedisServer) -> None:
    clusters = [RedisCluster(lines()) for _ in range(2)]
    listeners = Nodes(list(clusters)).listeners
    gaps = [0, 0]

    def count(number: int) -> None:
        gaps[number] += 1

    for number, cluster in enumerate(clusters):
        cluster.on_gap(lambda number=number: count(number))
        for room in range(1_500):
            cluster.subscribe("/", f"{room}")
        await cluster.start()
        assert await cluster.settled()
    published = 0

    def publish() -> None:
        nonlocal published
        clusters[0].publish(said(f"{published}", rooms=(f"{published % 3}",)))
        published += 1

    publish()
    await until(lambda: bool(listeners[1].heard))
    await asyncio.to_thread(redis.kill)
    while published < 500:
        publish()
        if published % 100 == 0:
            await asyncio.sleep(0.05)
    assert await clusters[1].request(Request("fetch", "/", (), (), timeout=DEADLINE)) == []
    clusters[1].subscribe("/", "joined meanwhile")
    clusters[1].unsubscribe("/", "1499")
    await asyncio.to_thread(redis.start)
    await until(lambda: min(gaps) > 0)
    listeners[1].answers = ["answered"]
    async with asyncio.timeout(DEADLINE):  # each has two connections, of which the one may be back before the other
        while await clusters[0].request(Request("call", "/", (), (), ["q"], timeout=1)) != ["answered"]:  # noqa: ASYNC110 - another node is asked
            await asyncio.sleep(0.01)
    before = len(listeners[1].heard)
    publish()
    clusters[0].publish(said("x", rooms=("1499",)))
    clusters[0].publish(said("new", rooms=("joined meanwhile",)))
    await until(lambda: frames("new")[0] in listeners[1].texts())
    assert listeners[1].texts()[before:] == frames("500", "new")
    numbers = [int(text[2:]) for text in listeners[1].texts()[:before]]
    assert numbers == sorted(set(numbers))
    assert await clusters[0].settled()
    for cluster in clusters:
        await cluster.close()


async def test_a_node_that_starts_without_redis_catches_up(lines: Callable[..., RedisLine], redis: RedisServer) -> None:
    async with RedisProxy(redis) as proxy:
        proxy.cut = True
        dropped: list[str] = []
        line = lines(proxy.url, dropped=lambda reason, _: dropped.append(reason))
        heard: list[bytes] = []
        gaps: list[None] = []
        line.subscribe("c", heard.append)
        line.on_gap(lambda: gaps.append(None))
        assert not await line.settled()
        await line.start()
        assert not await line.settled()
        line.publish(("c",), b"lost")
        assert dropped == ["away"]
        assert await line.publish_counted("c", b"lost") == 0
        proxy.cut = False
        await until(lambda: bool(gaps))
        assert await line.settled()
        other = lines()
        await other.start()
        other.publish(("c",), b"heard")
        await until(lambda: heard == [b"heard"])


async def test_who_lost_what_it_published_has_the_others_told(
    lines: Callable[..., RedisLine], redis: RedisServer
) -> None:
    """Only the publisher's connection broke: nobody else would know that there is something to catch up."""
    async with RedisProxy(redis) as proxy:
        publisher, other = lines(proxy.url), lines()
        gaps: list[None] = []
        other.on_gap(lambda: gaps.append(None))
        await publisher.start()
        await other.start()
        assert await other.settled()
        proxy.cut = True
        proxy.disconnect()
        while await publisher.publish_counted("c", b"not yet away"):
            pass
        publisher.publish(("c",), b"lost")
        proxy.cut = False
        await until(lambda: bool(gaps))


async def test_what_waits_is_bounded_in_bytes_and_the_rest_is_counted(
    lines: Callable[..., RedisLine], caplog: pytest.LogCaptureFixture
) -> None:
    dropped: list[tuple[str, int]] = []
    publisher = lines(max_queue=100_000, dropped=lambda *what: dropped.append(what))
    other = lines()
    heard: list[bytes] = []
    gaps: list[None] = []
    other.subscribe("c", heard.append)
    other.on_gap(lambda: gaps.append(None))
    await publisher.start()
    await other.start()
    assert await other.settled()
    for _ in range(200):
        publisher.publish(("c",), bytes(1_000))
    assert dropped == [("overflow", 1)] * (200 - 100_000 // 1_016)
    publisher.publish(("c",), bytes(17 * 1024 * 1024))
    assert await publisher.publish_counted("c", bytes(17 * 1024 * 1024)) == 0
    await until(lambda: len(heard) == 100_000 // 1_016)
    await until(lambda: bool(gaps))
    assert len([record for record in caplog.records if "dropped" in record.message]) == 1


async def test_many_subscriptions_of_a_turn_are_few_commands(
    lines: Callable[..., RedisLine], redis: RedisServer
) -> None:
    def commands() -> int:
        stats = redis.command("INFO", "commandstats")
        return int(stats.partition("cmdstat_subscribe:calls=")[2].partition(",")[0] or 0)

    line = lines()
    await line.start()
    assert await line.settled()
    before = commands()
    heard: list[bytes] = []
    for number in range(5_000):
        line.subscribe(f"{number}", heard.append)
    assert await line.settled()
    assert commands() - before <= 6
    for number in range(5_000):
        line.unsubscribe(f"{number}")
        line.subscribe(f"{number}", heard.append)
    assert await line.settled()
    assert commands() - before <= 6


async def test_what_is_malformed_is_counted_and_dropped(
    lines: Callable[..., RedisLine], caplog: pytest.LogCaptureFixture
) -> None:
    dropped: list[str] = []
    line, other = lines(dropped=lambda reason, _: dropped.append(reason)), lines()
    cluster = RedisCluster(line, node_id="n0")
    listener = Nodes([cluster]).listeners[0]
    await cluster.start()
    await other.start()
    assert await cluster.settled()
    header = msgspec.msgpack.encode(["/", ["end"], [], False])

    def broadcast(header: bytes, frame: bytes) -> bytes:
        return b"b" + len(header).to_bytes(4, "big") + header + frame

    question = ["fetch", "/", [], []]
    malformed = [
        b"",
        b"?",
        b"b",
        b"b\xff\xff\xff\xff",
        broadcast(header, b"\x81\x05half"),
        broadcast(msgspec.msgpack.encode(["/", "end", [], False]), text_frame(b"x")),
        broadcast(msgspec.msgpack.encode(["/", ["x" * 5_000], [], False]), text_frame(b"x")),
        b"q" + msgspec.msgpack.encode([1, "n1", question]),
        b"q" + msgspec.msgpack.encode([1, "n1", dict(zip(("operation", "namespace"), question, strict=False))]),
        b"q" + msgspec.msgpack.encode([1, "n1", Request("fetch", "/", (), (), timeout=float("nan"))]),
        b"q" + msgspec.msgpack.encode([1, "n1", Request("fetch", "/", (), (), timeout=1e9)]),
        b"a" + msgspec.msgpack.encode(["one", []]),
    ]
    for payload in malformed:
        other.publish(("nodes",), payload)
    other.publish(("nodes",), b"a" + msgspec.msgpack.encode([99, ["answers nothing that was asked"]]))
    other.publish(("nodes",), broadcast(header, text_frame(b"well")))
    await until(lambda: bool(listener.heard))
    assert listener.texts() == frames("well")
    assert dropped == ["malformed"] * len(malformed)
    assert listener.asked == []


async def test_a_handler_that_raises_ends_nothing(lines: Callable[..., RedisLine]) -> None:
    line, other = lines(), lines()
    heard: list[bytes] = []

    def handle(payload: bytes) -> None:
        heard.append(payload)
        raise RuntimeError("broken")

    line.subscribe("c", handle)
    await line.start()
    await other.start()
    assert await line.settled()
    other.publish(("c",), b"1")
    other.publish(("c",), b"2")
    await until(lambda: heard == [b"1", b"2"])


def test_a_missing_driver_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ImportError, match=r"pip install 'redis\[hiredis\]'"):
        RedisLine("redis://localhost")


def test_the_url_is_checked_at_once() -> None:
    with pytest.raises(ValueError, match="redis://"):
        RedisLine("http://localhost")
