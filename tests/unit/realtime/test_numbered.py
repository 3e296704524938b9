"""Numbered broadcasts: whatever is lost, doubled or late on the way, members hear each once and in order."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from parlour.realtime import Broadcast, MemoryCluster, MemoryHub, Server
from parlour.realtime.numbered import MAX_MISSED, NumberedRooms

ROOM = "room"


class Log:
    """What the source keeps of one room, and whether it answers."""

    def __init__(self, head: int = 0) -> None:
        self.head = head
        self.away = False
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.asked: list[tuple[int, int]] = []

    async def last(self, rooms: list[str]) -> dict[str, int]:
        if self.away:
            raise ConnectionError
        return dict.fromkeys(rooms, self.head)

    async def broadcasts(self, room: str, after: int, upto: int) -> list[bytes]:
        self.asked.append((after, upto))
        await self.go_on.wait()
        if self.away:
            raise ConnectionError
        return [b"%d" % number for number in range(after + 1, upto + 1)]


def one(number: int) -> Broadcast:
    return Broadcast("/", (ROOM,), (), b"%d" % number, number=number)


class Node:
    """A node with a member in the room, who began at `known`."""

    def __init__(self, log: Log, known: int | None = 0) -> None:
        self.heard: list[int] = []
        self.rooms = NumberedRooms(lambda broadcast: self.heard.append(int(broadcast.frame)), "/", log)
        self.rooms.opened(ROOM)
        if known is not None:
            self.rooms.known(ROOM, known)

    def take(self, *numbers: int) -> None:
        for number in numbers:
            self.rooms.take(one(number))


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_in_order_nothing_is_asked_of_the_source() -> None:
    log = Log()
    node = Node(log)
    node.take(1, 2, 3)
    assert node.heard == [1, 2, 3]
    assert log.asked == []


async def test_what_comes_again_is_heard_once() -> None:
    node = Node(Log())
    node.take(1, 2, 1, 2, 3, 2)
    assert node.heard == [1, 2, 3]


async def test_what_follows_a_gap_waits_until_the_gap_is_fetched() -> None:
    log = Log()
    node = Node(log)
    log.go_on.clear()
    node.take(1, 4, 5, 3)
    await settled()
    assert node.heard == [1]
    log.go_on.set()
    await settled()
    assert node.heard == [1, 2, 3, 4, 5]
    assert log.asked == [(1, 3)]


async def test_where_the_source_is_away_what_came_goes_out_all_the_same() -> None:
    log = Log()
    node = Node(log)
    log.away = True
    node.take(1, 4, 5)
    await settled()
    assert node.heard == [1, 4, 5]


async def test_too_wide_a_gap_is_left_to_the_members() -> None:
    log = Log()
    node = Node(log)
    node.take(1, MAX_MISSED + 3)
    assert node.heard == [1, MAX_MISSED + 3]
    assert log.asked == []


async def test_the_first_number_counts_from_where_the_first_members_began() -> None:
    """Whichever of them asked first: what was on its way when one read the head is for the other."""
    log = Log()
    node = Node(log, known=None)
    node.rooms.known(ROOM, 8)
    node.rooms.known(ROOM, 6)
    node.take(8)
    await settled()
    assert node.heard == [7, 8]
    node.rooms.known(ROOM, 3)
    node.take(9)
    assert node.heard == [7, 8, 9]


async def test_a_room_of_which_nobody_knows_where_it_was_begins_anywhere() -> None:
    node = Node(Log(), known=None)
    node.take(41, 42)
    assert node.heard == [41, 42]


async def test_catching_up_fetches_what_no_later_number_tells_of() -> None:
    log = Log(head=5)
    node = Node(log)
    node.take(1, 2)
    node.rooms.catch_up()
    await settled()
    assert node.heard == [1, 2, 3, 4, 5]
    log.head = 5 + MAX_MISSED + 1
    node.rooms.catch_up()
    await settled()
    assert node.heard[-1] == log.head, "the members see the gap"
    await node.rooms.close()


async def test_catching_up_again_while_it_is_under_way_looks_again() -> None:
    log = Log(head=1)
    node = Node(log)
    node.rooms.catch_up()
    node.rooms.catch_up()
    log.head = 2
    await settled()
    assert node.heard == [1, 2]


async def test_a_room_that_was_left_and_joined_again_hears_nothing_of_before() -> None:
    log = Log()
    node = Node(log)
    log.go_on.clear()
    node.take(1, 4)
    await settled()
    node.rooms.closed(ROOM)
    node.take(5)
    node.rooms.opened(ROOM)
    node.rooms.known(ROOM, 5)
    log.go_on.set()
    await settled()
    node.take(6)
    assert node.heard == [1, 6]


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(0, 5))
def test_whatever_arrives_members_hear_everything_once_and_in_order(arrivals: list[int], known: int) -> None:
    async def run() -> list[int]:
        log = Log()
        node = Node(log, known)
        for number in arrivals:
            log.head = max(log.head, number)
            node.take(number)
            if number % 3 == 0:
                await settled()
        node.rooms.catch_up()
        await settled()
        await settled()
        return node.heard

    heard = asyncio.run(run())
    highest = max([known, *arrivals])
    first = min([known + 1, *arrivals])
    assert heard == sorted(set(heard))
    assert set(range(known + 1, highest + 1)) <= set(heard) <= set(range(first, highest + 1))


async def test_numbers_reach_members_on_another_node_over_the_cluster(serve: Any) -> None:
    hub = MemoryHub()
    server, other = (Server(cluster=MemoryCluster(hub, name)) for name in ("one", "two"))
    log = Log()
    server.of("/").number(log)
    peer = await (await serve(server)).connect()
    next(iter(server.of("/").sockets.values())).join(ROOM)
    for number in (1, 1, 2):
        other.to(ROOM).numbered(number).emit("event", number)
    server.to(ROOM).numbered(2).emit("event", 2)
    server.to(ROOM).numbered(3).emit("event", 3)
    assert [await peer.next() for _ in range(3)] == [f'42["event",{number}]' for number in (1, 2, 3)]
