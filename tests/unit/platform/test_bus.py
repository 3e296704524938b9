"""The bus of one process, by the guarantees of its port."""

import logging

import pytest

from parlour.platform.bus import MemoryBus


async def test_messages_reach_every_subscriber_in_the_order_published() -> None:
    bus = MemoryBus()
    first: list[bytes] = []
    second: list[bytes] = []

    async def later(payload: bytes) -> None:
        second.append(payload)

    bus.subscribe("topic", first.append)
    bus.subscribe("topic", later)
    for number in range(5):
        await bus.publish("topic", b"%d" % number)
    assert first == second == [b"0", b"1", b"2", b"3", b"4"]


async def test_other_topics_are_not_heard() -> None:
    bus = MemoryBus()
    heard: list[bytes] = []
    bus.subscribe("topic", heard.append)
    await bus.publish("topic.other", b"x")
    assert heard == []


async def test_handler_that_raises_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    bus = MemoryBus()
    heard: list[bytes] = []

    def fail(_payload: bytes) -> None:
        raise ValueError("broken")

    bus.subscribe("topic", fail)
    bus.subscribe("topic", heard.append)
    with caplog.at_level(logging.ERROR):
        await bus.publish("topic", b"x")
    assert heard == [b"x"]
    assert [record.message for record in caplog.records] == ["bus handler failed"]


async def test_unsubscribing_twice_or_while_being_called_is_harmless() -> None:
    bus = MemoryBus()
    heard: list[bytes] = []

    def once(payload: bytes) -> None:
        heard.append(payload)
        stop()

    stop = bus.subscribe("topic", once)
    other = bus.subscribe("topic", heard.append)
    await bus.publish("topic", b"a")
    await bus.publish("topic", b"b")
    other()
    other()
    stop()
    await bus.publish("topic", b"c")
    assert heard == [b"a", b"a", b"b"]


async def test_whoever_subscribes_later_missed_it() -> None:
    """At most once; nothing is kept."""
    bus = MemoryBus()
    await bus.publish("topic", b"early")
    heard: list[bytes] = []
    bus.subscribe("topic", heard.append)
    assert heard == []
