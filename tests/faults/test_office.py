"""What the office was told is compared with the log: whatever is missing, doubled or out of order is found."""

from parlour.chat.model import EventType, RoomEvent
from parlour.platform.ids import ClientId, EventId, RoomId, UserId

from .office import Person, Round, untrue

WHO = UserId("u")
ROUNDS = [Round("c1", "one"), Round("c2", "two")]


def log(*kinds: tuple[EventType, str]) -> list[RoomEvent]:
    return [
        RoomEvent(RoomId("r"), seq, EventId(f"e{seq}"), kind, WHO, ClientId(client_id), 0, {})
        for seq, (kind, client_id) in enumerate(kinds, 1)
    ]


JOINED, LEFT = (EventType.MEMBER_JOINED, "outbox"), (EventType.MEMBER_LEFT, "outbox")
ONE, TWO = (EventType.MESSAGE_CREATED, "c1"), (EventType.MESSAGE_CREATED, "c2")


def wrong(*kinds: tuple[EventType, str]) -> bool:
    return bool(untrue(Person("office0", WHO, rounds=ROUNDS), log(*kinds)))


def test_a_log_as_it_was_told_is_true() -> None:
    assert not wrong(JOINED, ONE, LEFT, JOINED, TWO, LEFT)


def test_what_is_lost_is_found() -> None:
    assert wrong(JOINED, ONE, LEFT, TWO, LEFT)
    assert wrong(JOINED, LEFT, JOINED, TWO, LEFT)
    assert wrong(JOINED, ONE, LEFT, JOINED, TWO)
    assert wrong()


def test_what_is_doubled_is_found() -> None:
    assert wrong(JOINED, JOINED, ONE, LEFT, JOINED, TWO, LEFT)
    assert wrong(JOINED, ONE, ONE, LEFT, JOINED, TWO, LEFT)
    assert wrong(JOINED, ONE, LEFT, JOINED, TWO, LEFT, LEFT)


def test_what_is_out_of_order_is_found() -> None:
    assert wrong(JOINED, TWO, LEFT, JOINED, ONE, LEFT)
    assert wrong(LEFT, ONE, JOINED, JOINED, TWO, LEFT)


def test_a_change_that_the_log_was_told_of_after_a_message_is_none() -> None:
    assert not wrong(ONE, JOINED, LEFT, TWO, JOINED, LEFT)
