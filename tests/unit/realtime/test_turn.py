"""One write a connection and turn, in exact order."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.realtime.observer import Observer
from parlour.realtime.turn import Turn


class Line:
    """An outlet that remembers its writes."""

    def __init__(self, name: str = "", *, writable: bool = True) -> None:
        self.name = name
        self.writes: list[bytes | memoryview] = []
        self.write: Callable[[bytes], Any] = self.writes.append
        self.writable = writable
        self.descriptor = -1
        self.pending: Any = None
        self.failed: list[Exception] = []

    def write_failed(self, exc: Exception) -> None:
        self.failed.append(exc)


class Counting(Observer):
    def __init__(self) -> None:
        self.deliveries: list[tuple[int, int]] = []
        self.dropped_packets = 0
        self.latencies: list[float] = []

    def delivered(self, recipients: int, n_bytes: int) -> None:
        self.deliveries.append((recipients, n_bytes))

    def dropped(self, n_packets: int) -> None:
        self.dropped_packets += n_packets

    def latency(self, seconds: float) -> None:
        self.latencies.append(seconds)


@pytest.fixture
def planned() -> list[Callable[[], None]]:
    return []


@pytest.fixture
def observer() -> Counting:
    return Counting()


@pytest.fixture
def turn(planned: list[Callable[[], None]], observer: Counting) -> Turn:
    return Turn(planned.append, observer)


def test_a_room_gets_one_write_of_the_same_bytes(turn: Turn, planned: list[Any], observer: Counting) -> None:
    room = {Line(), Line(), Line()}
    for frame in (b"a", b"b", b"c"):
        turn.send_many("room", room, frame)
    assert len(planned) == 1
    planned[0]()
    written = [line.writes for line in room]
    assert written == [[b"abc"]] * 3
    assert len({id(writes[0]) for writes in written}) == 1
    assert observer.deliveries == [(9, 9)]


def test_a_flush_before_a_change_leaves_nothing_for_the_planned_one(turn: Turn, planned: list[Any]) -> None:
    line = Line()
    turn.send(line, b"a")
    turn.flush()
    planned[0]()
    assert line.writes == [b"a"]
    turn.send(line, b"b")
    assert len(planned) == 2


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30), st.booleans())
def test_each_connection_gets_its_packets_in_the_order_of_the_emits(emits: list[tuple[int, bool]], apart: bool) -> None:
    """Whatever mix of rooms, members of several rooms and direct packets a turn holds."""
    lines = [Line(str(number)) for number in range(4)]
    rooms = [set(lines[:2]), {lines[2]}, {lines[3]}] if apart else [set(lines[:2]), set(lines[1:]), set(lines)]
    expected: dict[str, list[bytes]] = {line.name: [] for line in lines}
    turn = Turn(lambda _: None, Observer())
    for number, (target, volatile) in enumerate(emits):
        frame = b"%d," % number
        if target < 3:
            turn.send_many((target, volatile), rooms[target], frame, volatile=volatile)
            reached = rooms[target]
        else:
            turn.send(lines[target - 3], frame)
            reached = {lines[target - 3]}
        for line in reached:
            expected[line.name].append(frame)
    turn.flush()
    for line in lines:
        assert line.writes == ([b"".join(expected[line.name])] if expected[line.name] else [])
        assert line.pending is None


@pytest.mark.parametrize("others", [0, 1])
def test_a_connection_that_breaks_costs_the_others_nothing(turn: Turn, others: int) -> None:
    def explode(_: bytes) -> None:
        raise RuntimeError("closed")

    room = [Line(), Line(), Line()]
    room[1].write = explode
    turn.send_many("room", room, b"a")
    for _ in range(others):
        turn.send(room[0], b"b")
    turn.flush()
    assert [line.writes for line in room] == [[b"ab"] if others else [b"a"], [], [b"a"]]
    assert [len(line.failed) for line in room] == [0, 1, 0]


def test_rooms_that_share_nobody_are_told_with_what_is_direct_and_one_that_breaks_costs_nothing(
    turn: Turn, observer: Counting
) -> None:
    def explode(_: bytes) -> None:
        raise RuntimeError("closed")

    rooms, alone = [[Line(), Line(), Line()], [Line(), Line()]], Line()
    rooms[0][1].write = explode
    turn.send(rooms[0][1], b"x")
    turn.send_many("one", rooms[0], b"a")
    turn.send_many("two", rooms[1], b"b")
    turn.send(rooms[1][0], b"y")
    turn.send(alone, b"z")
    turn.flush()
    assert [line.writes for line in rooms[0]] == [[b"a"], [], [b"a"]]
    assert len(rooms[0][1].failed) == 1
    assert [line.writes for line in rooms[1]] == [[b"by"], [b"b"]]
    assert alone.writes == [b"z"]
    assert all(line.pending is None for line in [*rooms[0], *rooms[1], alone])
    assert observer.deliveries == [(8, 8)]


def test_volatile_packets_pass_by_who_cannot_take_them(turn: Turn, observer: Counting) -> None:
    ready, busy = Line(), Line(writable=False)
    turn.send_many("v", [ready, busy], b"v", volatile=True)
    turn.send_many("r", [ready, busy], b"r")
    turn.flush()
    assert (ready.writes, busy.writes) == ([b"vr"], [b"r"])
    assert observer.dropped_packets == 1


def test_the_latency_of_a_broadcast_is_told_once_however_many_receive_it(turn: Turn, observer: Counting) -> None:
    turn.send_many("room", {Line(), Line()}, b"a", since=1.0)
    turn.send_many("room", {Line()}, b"b")
    turn.flush()
    assert len(observer.latencies) == 1
