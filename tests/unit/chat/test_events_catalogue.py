"""The reference of events says what the gateway does."""

from typing import Any

import msgspec
import pytest

from parlour.chat.errors import InvalidText, RoomNotFound
from parlour.chat.events.catalogue import CLIENT_EVENTS, SERVER_EVENTS
from parlour.chat.events.gateway import Gateway
from parlour.chat.events.payloads import MessageSend, SyncRequest
from parlour.events.answers import checked, refusal
from parlour.events.catalogue import ALWAYS
from parlour.platform.errors import InvalidRequest
from parlour.realtime import PacketRefused


def test_every_event_that_is_handled_is_described_and_the_other_way_round() -> None:
    handled = Gateway._handlers(Gateway.__new__(Gateway))
    assert sorted(handled) == sorted(event.name for event in CLIENT_EVENTS)


@pytest.mark.parametrize("event", CLIENT_EVENTS, ids=lambda event: event.name)
def test_examples_of_clients_are_right(event: Any) -> None:
    msgspec.convert(event.example, event.payload)
    msgspec.json.decode(msgspec.json.encode(event.answer_example), type=event.answer)
    assert not set(event.errors) & set(ALWAYS)


@pytest.mark.parametrize("event", SERVER_EVENTS, ids=lambda event: event.name)
def test_examples_of_the_server_are_right(event: Any) -> None:
    msgspec.convert(event.example, event.payload)


@pytest.mark.parametrize(
    ("payload_type", "args", "field"),
    [
        (MessageSend, (), ""),
        (MessageSend, ([],), ""),
        (MessageSend, ({"room_id": 1},), "room_id"),
        (MessageSend, ({"room_id": "a", "client_id": "b"},), "text"),
        (MessageSend, ({"room_id": "a", "client_id": "b", "text": b"bytes"},), "text"),
        (SyncRequest, ({"rooms": {"a": True}},), "rooms[...]"),
        (SyncRequest, ({"rooms": {1: 1}},), "rooms"),
    ],
)
def test_a_wrong_payload_is_refused_by_the_name_of_its_field(
    payload_type: type[msgspec.Struct], args: tuple[Any, ...], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked(payload_type, args)
    assert refused.value.details == {"field": field}


def test_unknown_fields_and_further_arguments_are_ignored() -> None:
    payload = {"room_id": "a", "client_id": "b", "text": "c", "colour": "red"}
    assert checked(MessageSend, (payload, "more")) == MessageSend("a", "b", "c")


def test_a_refusal_tells_what_we_mean_to_tell_and_nothing_of_what_went_wrong_inside() -> None:
    told = refusal(InvalidText(details={"limit": 5}))
    assert msgspec.to_builtins(told) == {
        "ok": False,
        "error": {
            "code": "invalid_text",
            "message": "A message has 1 to 8,000 characters, not all of them blank.",
            "details": {"limit": 5},
        },
    }
    wrapped = PacketRefused("message", "code")
    wrapped.__cause__ = RoomNotFound()
    assert refusal(wrapped).error.code == "room_not_found"
    for inside in (ValueError("secret"), PacketRefused("secret", "secret"), KeyboardInterrupt()):
        assert refusal(inside).error.code == "internal"
        assert b"secret" not in msgspec.json.encode(refusal(inside))
