"""Many equal waits behind one timer."""

import asyncio
import socket
import time
from typing import Any

from parlour.realtime.deadlines import Deadlines


async def test_what_is_not_discarded_falls_due_in_order(until: Any) -> None:
    due: list[str] = []
    deadlines = Deadlines(0.02, due.append)
    for name in "abcd":
        deadlines.add(name)
    deadlines.discard("b")
    deadlines.add("a")  # begins again, behind the others
    assert deadlines.oldest() == "c"
    await until(lambda: len(due) == 3)
    assert due == ["c", "d", "a"]
    assert len(deadlines) == 0


async def test_one_that_falls_due_may_take_the_next_along(until: Any) -> None:
    due: list[str] = []

    def on_due(name: str) -> None:
        due.append(name)
        deadlines.discard("b")
        if name == "a":
            deadlines.add("again")

    deadlines: Deadlines[str] = Deadlines(0.01, on_due)
    deadlines.add("a")
    deadlines.add("b")
    await until(lambda: len(due) == 2)
    assert due == ["a", "again"]


async def test_a_wait_that_is_over_is_known_before_its_turn_comes() -> None:
    deadlines: Deadlines[str] = Deadlines(0.0, lambda _: None)
    deadlines.add("a")
    assert deadlines.is_due("a")
    assert not deadlines.is_due("b")
    assert deadlines.clear() == ["a"]


async def test_after_a_standstill_of_the_loop_what_waits_to_be_read_is_heard_first(until: Any) -> None:
    due: list[str] = []
    deadlines: Deadlines[str] = Deadlines(0.03, due.append)
    loop, (ours, theirs), (slow, cause) = asyncio.get_running_loop(), socket.socketpair(), socket.socketpair()

    def stand_still() -> None:
        loop.remove_reader(slow)
        theirs.send(b"pong")
        time.sleep(0.1)

    loop.add_reader(ours, lambda: deadlines.discard("answers"))
    loop.add_reader(slow, stand_still)
    try:
        deadlines.add("answers")
        deadlines.add("silent")
        cause.send(b"!")
        await until(lambda: due)
        assert due == ["silent"]
    finally:
        loop.remove_reader(ours)
        for end in (ours, theirs, slow, cause):
            end.close()
