"""Whatever a client sends under any name, it gets `ok` or a known error, and nothing goes wrong inside."""

import asyncio
import inspect
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import parlour.chat.errors
import parlour.platform.errors
import parlour.platform.tokens
from parlour.chat.events.catalogue import CLIENT_EVENTS
from parlour.platform.errors import Internal, ParlourError
from parlour.platform.ids import uuid4

from ..socketio_client import Client
from .chat_server import ChatServer, running

KNOWN = {
    error.code
    for module in (parlour.chat.errors, parlour.platform.errors, parlour.platform.tokens)
    for _, error in inspect.getmembers(module, inspect.isclass)
    if issubclass(error, ParlourError) and error not in {ParlourError, Internal}
}
ROOM = "{room}"  # stands for a room of the sender's
MESSAGE = "{message}"  # stands for a message in it
RESERVED = {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
"""Names that the protocol keeps for itself: the connection closes (the engine's tests show it)."""

texts = st.sampled_from(["", " ", "hello", "@room @bob", "\0", "x" * 9000, ROOM, MESSAGE, "👍", uuid4()]) | st.text(
    st.characters(codec="utf-8"), max_size=20
)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8
)
FIELDS = sorted({field for event in CLIENT_EVENTS for field in event.payload.__struct_fields__})
objects = st.dictionaries(st.sampled_from(FIELDS), anything, max_size=6)
names = st.sampled_from([event.name for event in CLIENT_EVENTS]) | st.text(
    st.characters(codec="utf-8"), min_size=1, max_size=10
)


@st.composite
def nearly_right(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A right payload of an event with some of its fields replaced or left out."""
    event = draw(st.sampled_from(CLIENT_EVENTS))
    payload: dict[str, Any] = {**event.example}
    if "room_id" in payload:
        payload |= {"room_id": ROOM, "client_id": uuid4()}
    if "id" in payload:
        payload["id"] = MESSAGE
    for field in draw(st.lists(st.sampled_from(sorted(payload)), max_size=2)):
        if draw(st.booleans()):
            payload.pop(field, None)
        else:
            payload[field] = draw(anything)
    return event.name, [payload]


packets = nearly_right() | st.tuples(names, st.lists(objects | anything, max_size=3))


class Bench:
    """One server and one client for all examples."""

    def __init__(self, server: ChatServer, room_id: str, message_id: str, client: Client) -> None:
        self.server = server
        self.client = client
        self._names = {ROOM: room_id, MESSAGE: message_id}

    def filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self.filled(key): self.filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        return self._names.get(value, value) if isinstance(value, str) else value


def test_any_payload_of_any_event_gets_ok_or_a_known_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with asyncio.Runner() as runner:

        async def begin() -> tuple[Any, Bench]:
            manager = running(tmp_path, dict.fromkeys(("message", "reaction", "typing"), "1000000/minute"))
            server = await manager.__aenter__()
            ann = server.user("ann")
            room = await server.room(ann, server.user("bob"))
            client = await server.connect(ann)
            ack = await client.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "hello"})
            return manager, Bench(server, room.id, ack["id"], client)

        manager, bench = runner.run(begin())

        @settings(max_examples=400, deadline=None)
        @given(packets)
        def check(packet: tuple[str, list[Any]]) -> None:
            name, args = packet
            if name in RESERVED:
                return
            ack = runner.run(bench.client.call(name, *bench.filled(args)))
            if ack["ok"] is True:
                return
            assert ack["ok"] is False
            assert set(ack) == {"ok", "error"}
            assert ack["error"]["code"] in KNOWN, ack
            assert ack["error"]["message"]

        try:
            with caplog.at_level(logging.WARNING):
                check()
            assert not bench.client.closed
            assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
        finally:
            runner.run(manager.__aexit__(None, None, None))
