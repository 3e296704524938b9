"""The reference of calls' events says what the gateway does."""

from typing import Any

import msgspec
import pytest

from parlour.events.answers import checked
from parlour.events.catalogue import ALWAYS
from parlour.platform.errors import InvalidRequest
from parlour.video.events import payloads as wire
from parlour.video.events.catalogue import CLIENT_EVENTS, SERVER_EVENTS
from parlour.video.events.desk import EVENTS


def test_every_event_that_is_handled_is_described_and_the_other_way_round() -> None:
    assert sorted(EVENTS) == sorted(event.name for event in CLIENT_EVENTS)


@pytest.mark.parametrize("event", CLIENT_EVENTS, ids=lambda event: event.name)
def test_examples_of_clients_are_right(event: Any) -> None:
    msgspec.convert(event.example, event.payload)
    msgspec.json.decode(msgspec.json.encode(event.answer_example), type=event.answer)
    assert not set(event.errors) & set(ALWAYS)


@pytest.mark.parametrize("event", SERVER_EVENTS, ids=lambda event: event.name)
def test_examples_of_the_server_are_right(event: Any) -> None:
    msgspec.convert(event.example, event.payload)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"to": "b", "description": {"type": "offer", "sdp": "x" * 65_537}}, "description.sdp"),
        ({"to": "b", "description": {"type": "hello", "sdp": "x"}}, "description.type"),
        ({"to": "b", "description": "v=0"}, "description"),
        ({"to": "b", "candidate": {"candidate": "x" * 4_097}}, "candidate.candidate"),
        ({"to": "b", "candidate": {"candidate": "x", "sdpMLineIndex": -1}}, "candidate.sdpMLineIndex"),
        ({"to": "b", "candidate": {"candidate": "x", "sdpMLineIndex": 0.5}}, "candidate.sdpMLineIndex"),
        ({"to": "b", "candidate": {}}, "candidate"),
        ({"to": "b" * 37, "candidate": {"candidate": "x"}}, "to"),
        ({"to": 5, "candidate": {"candidate": "x"}}, "to"),
        ({}, "to"),
    ],
)
def test_signal_of_a_wrong_shape_or_size_is_refused_by_the_name_of_its_field(
    payload: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked(wire.CallSignal, ({"call_id": "a", **payload},))
    assert refused.value.details == {"field": field}


def test_what_browsers_make_passes_unchanged() -> None:
    """`RTCIceCandidate.toJSON()`, with fields that newer browsers add, and the end of candidates."""
    candidate = {"candidate": "candidate:1 1 UDP 1 192.0.2.1 1 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
    passed = checked(wire.CallSignal, ({"call_id": "a", "to": "b", "candidate": {**candidate, "relayProtocol": None}},))
    assert msgspec.to_builtins(passed.candidate) == candidate
    end = checked(wire.CallSignal, ({"call_id": "a", "to": "b", "candidate": {"candidate": "", "sdpMid": None}},))
    assert msgspec.to_builtins(end.candidate) == {"candidate": ""}
    rollback = checked(wire.CallSignal, ({"call_id": "a", "to": "b", "description": {"type": "rollback"}},))
    assert rollback.description is not None
    assert rollback.description.sdp == ""
