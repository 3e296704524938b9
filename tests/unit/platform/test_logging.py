"""Structured logs: JSON lines that carry the id of the request, event or task that they belong to."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from parlour.chat.events.payloads import MessageSend, ReadMark
from parlour.events.answers import answering
from parlour.platform.logging import configure, correlation_id, new_correlation_id
from parlour.realtime import PacketRefused

from .test_http import application


class Lines:
    """What was logged, parsed."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    def one(self, event: str) -> dict[str, Any]:
        (found,) = [line for line in self.all() if line["event"] == event]
        return found


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    correlation_id.set("")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure("info")
    yield Lines(stream)
    root.handlers[:] = handlers
    root.setLevel(level)
    correlation_id.set("")


def test_readable_line_stays_one_line_and_commands_no_terminal(monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure("info", readable=True)
    logging.getLogger("parlour.test").warning("forged\nline \x1b[2J", extra={"room": "a\nb\x1b[2J"})
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert "\x1b[2J" not in written
    assert "forged\\nline" in written


def test_line_is_a_json_object_with_time_level_logger_and_extras(lines: Lines) -> None:
    logging.getLogger("parlour.test").warning("two\nlines", extra={"room": "r1", "size": 5})
    line = lines.one("two\nlines")
    assert line | {"time": ""} == {
        "event": "two\nlines",
        "level": "warning",
        "logger": "parlour.test",
        "room": "r1",
        "size": 5,
        "time": "",
    }
    assert line["time"].endswith("Z")


def test_exception_is_in_the_line(lines: Lines) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("parlour.test").exception("failed")
    assert "ValueError: broken" in lines.one("failed")["exception"]
    assert len(lines.all()) == 1


def test_value_that_json_has_not_is_written_as_text(lines: Lines) -> None:
    logging.getLogger("parlour.test").info("odd", extra={"value": {1, 2}.__class__, "error": OSError("gone")})
    assert lines.one("odd")["error"] == "gone"


def test_level_is_kept_and_noisy_libraries_are_quiet(lines: Lines) -> None:
    logging.getLogger("parlour.test").debug("too small")
    logging.getLogger("uvicorn.error").info("noise")
    assert lines.all() == []


@pytest.mark.parametrize("proposed", [None, "", "short", "x" * 65, "a b c d e f g", 'in"jection\n{}'])
def test_id_that_is_not_harmless_is_replaced(proposed: str | None) -> None:
    assert new_correlation_id(proposed) != proposed
    assert len(correlation_id.get()) == 36


async def test_id_is_of_one_task(lines: Lines) -> None:
    """Work started from a task carries its id; work beside it does not."""

    async def work(name: str) -> None:
        new_correlation_id(name)
        await asyncio.sleep(0)
        await asyncio.create_task(log(name))

    async def log(name: str) -> None:
        logging.getLogger("parlour.test").info(name)

    await asyncio.gather(work("request-1"), work("request-2"), log("outside"))
    for name in ("request-1", "request-2"):
        assert lines.one(name)["correlation_id"] == name
    assert "correlation_id" not in lines.one("outside")


async def test_id_follows_an_http_request_to_the_log_and_out(lines: Lines) -> None:
    async with a_client() as client:
        answer = await client.post("/things", json={"name": "a"}, headers={"x-request-id": "request-0001"})
        chosen = await client.post("/things", json={"name": "b"})
    by_thing = {line["thing"]: line["correlation_id"] for line in lines.all() if line["event"] == "made"}
    assert by_thing == {"a": "request-0001", "b": chosen.headers["x-request-id"]}
    assert answer.headers["x-request-id"] == "request-0001"


async def test_id_is_in_the_line_of_a_fault_and_of_a_timeout(lines: Lines) -> None:
    async with a_client() as client:
        for path, event in {
            "/broken": "unhandled error",
            "/failed": "request failed",
            "/slow": "request timed out",
        }.items():
            answer = await client.get(path)
            assert lines.one(event)["correlation_id"] == answer.headers["x-request-id"]


def a_client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://parlour.test")


async def test_id_of_a_command_is_its_client_id(lines: Lines) -> None:
    """And an event without one gets a new one."""

    async def handle(_socket: object, payload: msgspec.Struct) -> None:
        logging.getLogger("parlour.test").info(type(payload).__name__)

    client_id = str(uuid4())
    socket: Any = None
    await answering(MessageSend, handle)(socket, {"room_id": "r", "client_id": client_id, "text": "a"})
    await answering(ReadMark, handle)(socket, {"room_id": "r", "seq": 1})
    assert lines.one("MessageSend")["correlation_id"] == client_id
    assert lines.one("ReadMark")["correlation_id"] not in {"", client_id}


async def test_refused_payload_is_no_line(lines: Lines) -> None:
    """It is the client's to mend, and an acknowledgement says so."""

    async def handle(_socket: object, _payload: MessageSend) -> None:
        pytest.fail("it must not come here")

    socket: Any = None
    with pytest.raises(PacketRefused):
        await answering(MessageSend, handle)(socket, {"text": "the message"})
    assert lines.all() == []
