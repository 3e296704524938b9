"""Whatever a client sends under the name of a call's event, it gets `ok` or a known error, and nothing goes wrong inside."""

import asyncio
import inspect
import logging
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import parlour.platform.errors
import parlour.video.errors
from parlour.platform.errors import Internal, ParlourError
from parlour.video.events.catalogue import CLIENT_EVENTS

from ..socketio_client import Client
from ..whole_server import whole_server
from .house import House, direct, join, start

KNOWN = {
    error.code
    for module in (parlour.video.errors, parlour.platform.errors)
    for _, error in inspect.getmembers(module, inspect.isclass)
    if issubclass(error, ParlourError) and error not in {ParlourError, Internal}
}
NAMES = {"{call}", "{room}", "{me}", "{other}"}
"""Stand for the ids of a call that goes on, of its room, and of who takes part."""

texts = st.sampled_from(["", " ", "\0", "x" * 70_000, str(uuid4()), "offer", "video", *sorted(NAMES)]) | st.text(
    st.characters(codec="utf-8"), max_size=20
)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8
)
FIELDS = sorted({field for event in CLIENT_EVENTS for field in event.payload.__struct_fields__})
objects = st.dictionaries(st.sampled_from(FIELDS), anything, max_size=6)
RIGHT = {"call_id": "{call}", "room_id": "{room}", "to": "{other}", "participant_id": "{me}"}


@st.composite
def nearly_right(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A right payload of an event with some of its fields replaced or left out."""
    event = draw(st.sampled_from(CLIENT_EVENTS))
    payload = {field: RIGHT.get(field, value) for field, value in event.example.items()}
    for field in draw(st.lists(st.sampled_from(sorted(payload)), max_size=2)):
        if draw(st.booleans()):
            payload.pop(field, None)
        else:
            payload[field] = draw(anything)
    return event.name, [payload]


names = st.sampled_from([event.name for event in CLIENT_EVENTS])
packets = nearly_right() | st.tuples(names, st.lists(objects | anything, max_size=3))


class Talk:
    """Two people in a call, which is begun anew whenever what was sent ended it."""

    def __init__(self, first: Client, second: Client, room: str) -> None:
        self.first, self.second, self.room = first, second, room
        self.ids = {"{room}": room}

    async def begin(self) -> None:
        begun = await start(self.first, self.room)
        joined = await join(self.second, begun["call"]["id"])
        self.ids |= {
            "{call}": begun["call"]["id"],
            "{me}": begun["participant_id"],
            "{other}": joined["participant_id"],
        }

    async def send(self, name: str, args: list[Any]) -> Any:
        answer = await self.first.call(name, *self.filled(args))
        if name in {"call.leave", "call.kick"}:
            await self.begin()
        return answer

    def filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self.filled(key): self.filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        return self.ids.get(value, value) if isinstance(value, str) else value


def test_any_payload_of_any_event_gets_ok_or_a_known_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    free = '{"call": "1000000/minute", "call_join": "1000000/minute", "call_signal": "1000000/minute"}'
    with whole_server(tmp_path_factory.mktemp("any-payload"), rates=free) as server, asyncio.Runner() as runner:

        async def begin() -> Talk:
            ann, bob = await House(server).people("ann", "bob")
            talk = Talk(await ann.connect(), await bob.connect(), await direct(ann, bob))
            await talk.begin()
            return talk

        talk = runner.run(begin())

        @settings(max_examples=300, deadline=None)
        @given(packets)
        def check(packet: tuple[str, list[Any]]) -> None:
            answer = runner.run(talk.send(*packet))
            if answer["ok"] is not True:
                assert set(answer) == {"ok", "error"}
                assert answer["error"]["code"] in KNOWN, answer

        check()
        assert not talk.first.closed
        runner.run(talk.first.close())
        runner.run(talk.second.close())
        levels = {logging.getLevelName(line["level"].upper()) for line in server.log_lines()}
        assert max(levels) < logging.WARNING
