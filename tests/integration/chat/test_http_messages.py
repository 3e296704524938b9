"""Messages, history, reactions, pins and search over HTTP, on the embedded engines."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from parlour.platform.errors import Unavailable
from parlour.platform.ids import uuid4, uuid7

from .http_house import Client, HttpHouse, opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[HttpHouse]:
    async with opened(tmp_path) as house:
        yield house


async def a_room(house: HttpHouse) -> tuple[Client, Client, str]:
    ann, ben = house.client("ann"), house.client("ben")
    return ann, ben, await ann.room(ben)


async def test_a_repeat_answers_with_the_first_message(house: HttpHouse) -> None:
    ann, _, room = await a_room(house)
    body = {"client_id": uuid4(), "text": "once"}
    first = await ann.do("POST", f"/rooms/{room}/messages", body, status=201)
    again = await ann.do("POST", f"/rooms/{room}/messages", {**body, "text": "twice"}, status=200)
    assert again == first
    assert [each["text"] for each in (await ann.get(f"/rooms/{room}/messages"))["messages"]] == ["once"]


async def test_what_is_durable_is_answered_whatever_reading_it_back_would_say(
    house: HttpHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben, room = await a_room(house)
    body = {"client_id": uuid4(), "text": "hello"}
    read, answers = house.log.message, 0

    async def failing(*arguments: Any, **options: Any) -> Any:
        nonlocal answers
        answers -= 1
        if answers < 0:
            raise Unavailable(retry_after=1)
        return await read(*arguments, **options)

    monkeypatch.setattr(house.log, "message", failing)
    sent = await ben.do("POST", f"/rooms/{room}/messages", body, status=201)
    assert (sent["message"]["text"], sent["message"]["version"]) == ("hello", sent["seq"])
    answers = 1  # the message that is to be pinned is read, and then no more
    pinned = await ann.do("PUT", f"/rooms/{room}/messages/{sent['id']}/pin")
    assert (pinned["seq"], pinned["message"]) == (sent["seq"] + 1, None)
    assert await ben.do("POST", f"/rooms/{room}/messages", body, status=200) == sent


async def test_a_repeat_after_leaving_is_told_that_it_was_stored_and_no_more(house: HttpHouse) -> None:
    _, ben, room = await a_room(house)
    body = {"client_id": uuid4(), "text": "hello"}
    sent = await ben.do("POST", f"/rooms/{room}/messages", body, status=201)
    await ben.do("POST", f"/rooms/{room}/leave", status=204)
    assert await ben.do("POST", f"/rooms/{room}/messages", body, status=200) == {**sent, "message": None}
    assert await ben.refused("POST", f"/rooms/{room}/messages", {**body, "client_id": uuid4()}) == (
        404,
        "room_not_found",
    )
    client_id = uuid4()
    assert await ben.refused("DELETE", f"/rooms/{room}/messages/{sent['id']}", client_id=client_id) == (
        404,
        "room_not_found",
    )


async def test_a_repeat_of_a_deleted_message_does_not_bring_its_text_back(house: HttpHouse) -> None:
    ann, _, room = await a_room(house)
    body = {"client_id": uuid4(), "text": "hello"}
    sent = await ann.do("POST", f"/rooms/{room}/messages", body, status=201)
    await ann.do("DELETE", f"/rooms/{room}/messages/{sent['id']}")
    again = await ann.do("POST", f"/rooms/{room}/messages", body, status=200)
    assert again == {**sent, "message": None}


async def test_history_pages_both_ways_and_around(house: HttpHouse) -> None:
    ann, ben, room = await a_room(house)
    for number in range(10):
        await ann.send(room, f"{number}")

    async def page(**query: Any) -> str:
        answer = await ben.get(f"/rooms/{room}/messages", **query)
        assert answer["head"] == 12
        return "".join(each["text"] for each in answer["messages"])

    assert await page(limit=3) == "987"
    assert await page(before=10, limit=3) == "654"
    assert await page(after=5, limit=3) == "543"
    assert await page(around=7, limit=3) == "543"
    assert await page(before=3) == ""
    for query in ({"before": 3, "after": 1}, {"around": 3, "before": 5}, {"limit": 0}, {"limit": 201}, {"after": -1}):
        assert await ben.refused("GET", f"/rooms/{room}/messages", **query) == (400, "invalid_request")


async def test_history_with_events_shows_who_came_and_went_among_the_messages(house: HttpHouse) -> None:
    ann, ben, room = await a_room(house)
    await ann.send(room, "before")
    await ben.do("POST", f"/rooms/{room}/leave", status=204)
    await ann.do("PATCH", f"/rooms/{room}", {"topic": "Food"})
    await ann.send(room, "after")
    path = f"/rooms/{room}/messages"
    for _ in range(1_000):
        if (await ann.get(path))["head"] == 6:
            break
        await asyncio.sleep(0.01)

    async def page(**query: Any) -> list[tuple[int, str]]:
        answer = await ann.get(path, events="true", **query)
        entries = [(each["seq"], each["text"]) for each in answer["messages"]]
        return sorted(entries + [(each["seq"], each["type"]) for each in answer["events"]])

    whole = await page()
    assert [what for _, what in whole[:3]] == ["member.joined", "member.joined", "before"]
    assert sorted(what for _, what in whole[3:]) == ["after", "member.left", "room.updated"]
    assert await page(limit=2) == whole[4:]
    assert await page(before=5, limit=3) == whole[1:4]
    assert await page(after=2, limit=2) == whole[2:4]
    assert await page(around=3, limit=3) == whole[1:4]
    assert (await ann.get(path))["events"] == []
    assert await ben.refused("GET", path, events="true") == (404, "room_not_found")


async def test_a_message_is_edited_reacted_to_pinned_and_deleted(house: HttpHouse) -> None:
    ann, ben, room = await a_room(house)
    message = (await ann.send(room, "Hello"))["id"]
    path = f"/rooms/{room}/messages/{message}"
    edited = await ann.do("PATCH", path, {"text": "Hello all"})
    assert (edited["seq"], edited["message"]["text"], edited["message"]["version"]) == (4, "Hello all", 4)
    client_id = uuid4()
    reacted = await ben.do("PUT", f"{path}/reactions/👍", client_id=client_id)
    assert reacted["message"]["reactions"] == {"👍": [ben.id]}
    assert (await ben.do("PUT", f"{path}/reactions/👍", client_id=client_id))["seq"] == reacted["seq"]
    await ben.do("PUT", f"{path}/reactions/:tada:")
    assert (await ben.do("DELETE", f"{path}/reactions/👍"))["message"]["reactions"] == {":tada:": [ben.id]}
    await ben.do("PUT", f"{path}/pin")
    assert [each["id"] for each in (await ann.get(f"/rooms/{room}/pins"))["messages"]] == [message]
    await ben.do("DELETE", f"{path}/pin")
    assert (await ann.get(f"/rooms/{room}/pins"))["messages"] == []
    assert await ben.refused("PATCH", path, {"text": "mine"}) == (403, "not_yours")
    assert await ben.refused("DELETE", path) == (403, "not_yours")
    deleted = await ann.do("DELETE", path)
    assert deleted["message"]["text"] == ""
    assert "deleted_at" in await ben.get(path)
    assert await ann.refused("PATCH", path, {"text": "back"}) == (409, "message_deleted")


async def test_a_reply_names_its_message(house: HttpHouse) -> None:
    ann, ben, room = await a_room(house)
    asked = (await ann.send(room, "Lunch?"))["id"]
    body = {"client_id": uuid4(), "text": "Yes", "reply_to": asked}
    answered = await ben.do("POST", f"/rooms/{room}/messages", body, status=201)
    assert answered["message"]["reply_to"] == asked
    body = {"client_id": uuid4(), "text": "Yes", "reply_to": uuid7()}
    assert await ben.refused("POST", f"/rooms/{room}/messages", body) == (404, "message_not_found")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"client_id": uuid4(), "text": ""}, "invalid_text"),
        ({"client_id": uuid4(), "text": "x" * 8001}, "invalid_text"),
        ({"client_id": uuid4(), "text": 5}, "invalid_request"),
        ({"client_id": "not a uuid", "text": "x"}, "invalid_request"),
        ({"text": "x"}, "invalid_request"),
    ],
)
async def test_what_is_no_message_is_refused(house: HttpHouse, body: object, code: str) -> None:
    ann, _, room = await a_room(house)
    assert await ann.refused("POST", f"/rooms/{room}/messages", body) == (400, code)


async def test_a_body_over_the_limit_is_refused(house: HttpHouse) -> None:
    ann, _, room = await a_room(house)
    body = {"client_id": uuid4(), "text": "x" * 140_000}
    assert await ann.refused("POST", f"/rooms/{room}/messages", body) == (413, "too_large")


async def test_reading_has_rates_where_it_costs_more_than_a_refusal(tmp_path: Path) -> None:
    async with opened(tmp_path, {"list": "6/hour", "history": "1/hour"}) as house:
        ann, _, room = await a_room(house)
        message = (await ann.send(room, "hello"))["id"]
        for path in ("/rooms", f"/rooms/{room}", f"/rooms/{room}/members", "/drafts"):
            await ann.get(path)
        for path in ("/rooms", f"/rooms/{room}/messages", f"/rooms/{room}/messages"):
            await ann.get(path)
        for path in (f"/rooms/{room}/pins", f"/rooms/{room}/messages/{message}"):
            status, answer = await ann.call("GET", path)
            assert (status, answer["error"]["code"]) == (429, "rate_limited")
            assert answer["error"]["retry_after"] > 1
        for _ in range(2):
            await ann.get("/drafts")
        for path in (f"/rooms/{room}", f"/rooms/{room}/members", "/drafts"):
            assert await ann.refused("GET", path) == (429, "rate_limited")
        await ann.get("/rooms")


async def test_search_finds_what_the_caller_may_read_and_nothing_else(house: HttpHouse) -> None:
    ann, ben, room = await a_room(house)
    eve = house.client("eve")
    await eve.send(await eve.room(), "the secret treasure")
    sent = await ann.send(room, "the hidden treasure")

    async def hits(client: Client, **query: Any) -> list[Any]:
        found: list[Any] = (await client.get("/search", **query))["hits"]
        return found

    async with asyncio.timeout(10):  # the index may lag the log by up to a second
        while not await hits(ben, q="treasure"):  # noqa: ASYNC110 - nothing tells when it has caught up
            await asyncio.sleep(0.05)
    found = await hits(ben, q="treasure")
    assert [(hit["message"]["id"], hit["highlights"]) for hit in found] == [(sent["id"], [[11, 19]])]
    assert len(await hits(ben, q="treasure", room_id=room, **{"from": ann.id})) == 1
    assert await hits(ben, q="treasure", **{"from": ben.id}) == []
    assert await hits(ben, q="treasure", before=1) == []
    assert await hits(ben, q="treasure", has="pin") == []
    await ben.do("POST", f"/rooms/{room}/leave", status=204)
    assert await hits(ben, q="treasure") == []
    assert await ben.refused("GET", "/search", q="treasure", room_id=room) == (404, "room_not_found")
    for query in ({}, {"q": ""}, {"q": "x" * 501}, {"q": "x", "has": "cheese"}, {"q": "x", "limit": 51}):
        assert await ben.refused("GET", "/search", **query) == (400, "invalid_request")


async def test_the_schema_describes_every_operation(house: HttpHouse) -> None:
    schema = (await house.http.get("/schema/openapi.json")).json()
    operations = [
        operation
        for path, item in schema["paths"].items()
        if path.startswith("/api")
        for operation in item.values()
        if isinstance(operation, dict)
    ]
    assert len(operations) == 27
    assert len({operation["operationId"] for operation in operations}) == 27
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"]
        assert operation["security"] == [{"bearer": []}]
        assert any(status.startswith("2") for status in operation["responses"])
        assert not any(parameter["name"] in ("principal", "chat") for parameter in operation.get("parameters", []))
