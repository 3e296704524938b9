"""Rooms: who is reached, once, in order."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from parlour.realtime import Cluster, MemoryCluster, MemoryHub, RemoteSocket, Server
from parlour.realtime.redis_cluster import RedisCluster
from parlour.realtime.redis_line import RedisLine

from ...redis_server import RedisServer


async def members(site: Any, server: Server, count: int) -> tuple[list[Any], list[Any]]:
    """Peers and their sockets, in the same order."""
    peers, sockets = [], []
    for _ in range(count):
        peers.append(await site.connect())
        sockets.append(list(server.of("/").sockets.values())[-1])
    return peers, sockets


async def heard(peer: Any, socket: Any) -> list[str]:
    """What a peer has received up to now."""
    socket.emit("end")
    received = []
    while (packet := await peer.next()) != '42["end"]':
        received.append(packet)
    return received


async def test_emits_reach_the_union_of_rooms_once_without_the_excepted(serve: Any) -> None:
    server = Server()
    peers, sockets = await members(await serve(server), server, 4)
    for socket, rooms in zip(sockets, ("a", "ab", "b", ""), strict=True):
        for room in rooms:
            socket.join(room)
    server.to("a").emit("1")
    server.to("a", "b").emit("2")
    server.to("a").to("b").except_("b").emit("3")
    server.emit("4")
    server.of("/").except_(sockets[0].id, "b").emit("5")
    sockets[1].to("a", "b").emit("6")
    sockets[3].broadcast.emit("7")
    server.to(sockets[2].id).emit("8")
    server.to("nobody").emit("9")
    sockets[0].volatile.emit("10")
    events = [
        [packet[4:-2] for packet in await heard(peer, socket)] for peer, socket in zip(peers, sockets, strict=True)
    ]
    assert events == [["1", "2", "3", "4", "6", "7", "10"], ["1", "2", "4", "7"], ["2", "4", "6", "7", "8"], ["4", "5"]]


async def test_membership_counts_at_the_moment_of_the_emit(serve: Any) -> None:
    server = Server()
    (peer, other), (socket, witness) = await members(await serve(server), server, 2)
    witness.join("r")
    server.to("r").emit("before")
    socket.join("r")
    server.to("r").emit("within")
    socket.leave("r")
    server.to("r").emit("after")
    assert socket.rooms == {socket.id}
    assert await heard(peer, socket) == ['42["within"]']
    assert await heard(other, witness) == ['42["before"]', '42["within"]', '42["after"]']
    socket.disconnect()
    server.emit("gone")
    assert await peer.next() == "41"
    assert await other.next() == '42["gone"]'
    assert peer.received.empty()
    with pytest.raises(ValueError, match="name"):
        witness.join("")


async def test_one_turn_is_one_write_in_the_order_of_the_emits_across_rooms(serve: Any) -> None:
    server = Server()
    (peer,), (socket,) = await members(await serve(server), server, 1)
    socket.join("a")
    socket.join("b")
    writes = []
    write = socket.connection.write
    socket.connection.write = lambda data: (writes.append(data), write(data))
    for number in range(6):
        (server.to("a"), server.to("b"), socket)[number % 3].emit(str(number))
    await peer.take(6)
    assert len(writes) == 1
    assert writes[0].count(b"42[") == 6


async def test_binary_is_broadcast_with_its_attachments(serve: Any) -> None:
    server = Server()
    peers, _ = await members(await serve(server), server, 2)
    server.emit("b", {"x": b"\x01\x02"})
    for peer in peers:
        assert await peer.take(2) == ['451-["b",{"x":{"_placeholder":true,"num":0}}]', b"\x01\x02"]


async def test_a_broadcast_collects_the_answers_that_arrive_in_time(serve: Any) -> None:
    server = Server()
    peers, _ = await members(await serve(server), server, 3)
    asking = asyncio.ensure_future(server.of("/").to().timeout(0.2).call("q"))
    for number, peer in enumerate(peers[:2]):
        question = await peer.next()
        peer.send(f"43{question[2 : question.index('[')]}[{number}]")
    assert sorted(await asking) == [0, 1]
    assert await server.of("/").to("nobody").call("q") == []


@pytest.fixture(params=["memory", "redis"])
async def servers(request: pytest.FixtureRequest) -> AsyncIterator[list[Server]]:
    """Two nodes of one deployment."""
    names = ("n1", "n2")
    if request.param == "memory":
        hub = MemoryHub()
        yield [Server(cluster=MemoryCluster(hub, node_id=name)) for name in names]
        return
    redis: RedisServer = request.getfixturevalue("redis")
    prefix = redis.prefix()
    clusters = [RedisCluster(RedisLine(redis.url, prefix=prefix), node_id=name) for name in names]
    servers = [Server(cluster=cluster) for cluster in clusters]
    for cluster in clusters:
        await cluster.start()
    yield servers
    for cluster in clusters:
        await cluster.close()


async def settled(servers: list[Server]) -> None:
    for server in servers:
        cluster: Cluster = server.cluster
        assert await cluster.settled()


async def test_two_nodes_are_one_server_to_their_clients(serve: Any, servers: list[Server]) -> None:
    """The port is enough: rooms, exceptions, single sockets, requests, and nothing twice."""
    sites = [await serve(server) for server in servers]
    (here,), (mine,) = await members(sites[0], servers[0], 1)
    (there, third), (theirs, thirds) = await members(sites[1], servers[1], 2)
    assert theirs.id.startswith("n2.")
    for socket in (mine, theirs):
        socket.join("r")
        socket.join("s")
    await settled(servers)
    servers[0].to("r", "s").emit("both")
    servers[0].to("r").except_(theirs.id).emit("not theirs")
    mine.to("r").emit("from mine")
    servers[0].to(theirs.id).emit("direct")
    servers[0].emit("all")
    servers[0].of("/").to().local.emit("local")
    assert await here.take(4) == ['42["both"]', '42["not theirs"]', '42["all"]', '42["local"]']
    assert await there.take(4) == ['42["both"]', '42["from mine"]', '42["direct"]', '42["all"]']
    assert await third.take(1) == ['42["all"]']

    found = await servers[0].of("/").in_("r").fetch_sockets()
    assert found == [mine, RemoteSocket(theirs.id, tuple(sorted((theirs.id, "r", "s"))), "127.0.0.1")]
    await servers[0].of("/").in_("r").sockets_join("t")
    assert "t" in theirs.rooms
    await servers[0].of("/").in_("r").sockets_leave("t")
    assert "t" not in theirs.rooms

    asking = asyncio.ensure_future(servers[0].of("/").in_("r").timeout(5).call("q"))
    for peer in (here, there):
        question = await peer.next()
        peer.send(f'43{question[2 : question.index("[")]}["yes"]')
    assert await asking == ["yes", "yes"]
    await servers[0].of("/").in_(thirds.id).disconnect_sockets()
    assert await third.next() == "41"
    await servers[0].of("/").in_("r").disconnect_sockets(close=True)
    await there.until_closed()
    await here.until_closed()
    servers[0].of("/unknown").emit("nobody there")
    assert await servers[0].of("/unknown").fetch_sockets() == []
