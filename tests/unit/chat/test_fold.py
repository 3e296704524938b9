"""The fold of the room log into messages: the shared cases, and what holds for any log."""

import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.chat.fold import apply, apply_to_message
from parlour.chat.model import EventType, RoomEvent, RoomView
from parlour.platform.ids import ClientId, EventId, RoomId, UserId

CASES = msgspec.json.decode((Path(__file__).parents[2] / "cases" / "fold.json").read_bytes())
ROOM = RoomId("3f0e1c52-6f0e-4b57-9a3a-0d2f6f1c2b10")
USERS = [UserId(f"01980000-0000-7000-8000-{number:012x}") for number in range(3)]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_shared_case(case: dict[str, Any]) -> None:
    view = msgspec.convert(case["view"], RoomView)
    before = copy.deepcopy(view)
    result = view
    for event in msgspec.convert(case["events"], list[RoomEvent]):
        result = apply(result, event)
    assert msgspec.to_builtins(result) == case["expected"]
    assert view == before, "the fold changed its input"


def events() -> st.SearchStrategy[list[RoomEvent]]:
    step = st.tuples(st.sampled_from(list(EventType)), st.integers(1, 8), st.sampled_from(USERS), st.sampled_from("ab"))
    return st.lists(step, max_size=40).map(lambda steps: [event(seq, *each) for seq, each in enumerate(steps, start=1)])


def event(seq: int, kind: EventType, target: int, sender: UserId, word: str) -> RoomEvent:
    data: dict[str, Any] = {"text": word} if kind is EventType.MESSAGE_CREATED else {"message_id": message_id(target)}
    if kind is EventType.MESSAGE_EDITED:
        data["text"] = word
    if kind in (EventType.REACTION_ADDED, EventType.REACTION_REMOVED):
        data["emoji"] = word
    return RoomEvent(ROOM, seq, message_id(seq), kind, sender, ClientId("c"), seq, data)


def message_id(seq: int) -> EventId:
    return EventId(f"m{seq}")


def folded(log: list[RoomEvent], view: RoomView | None = None) -> RoomView:
    view = view or RoomView()
    for each in log:
        view = apply(view, each)
    return view


@given(events(), st.data())
def test_a_snapshot_and_the_events_since_give_the_whole_view(log: list[RoomEvent], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(log)))
    assert folded(log[cut:], folded(log[:cut])) == folded(log)


@given(events(), st.data())
def test_events_applied_again_change_nothing(log: list[RoomEvent], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(log)))
    view = folded(log)
    assert folded(log[start:], view) == view


@given(events(), st.data())
def test_a_page_newer_than_its_head_takes_the_events_since(log: list[RoomEvent], data: st.DataObject) -> None:
    head = data.draw(st.integers(0, len(log)))
    page = RoomView(head, folded(log).messages)
    assert folded(log[head:], page) == folded(log)


@given(events())
def test_a_message_alone_is_as_it_is_in_the_view(log: list[RoomEvent]) -> None:
    view = folded(log)
    for created in (each for each in log if each.type is EventType.MESSAGE_CREATED):
        message = None
        for each in log[created.seq - 1 :]:
            concerns = each is created or each.data.get("message_id") == created.id
            message = apply_to_message(message, each) if concerns else message
        assert message == view.messages[created.id]
