"""A node that starts while Kafka or the server of search is away serves what needs neither, and the rest once it is there."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..integration.socketio_client import Client
from ..kafka_server import KafkaServer
from ..postgresql_server import PostgresqlServer
from .conftest import MakeServer
from .parlour_server import DEADLINE, wait_until
from .test_conversation import bearer, hits, register

pytestmark = pytest.mark.timeout(600)  # the first test starts four engines


def said(text: str) -> dict[str, str]:
    return {"client_id": str(uuid.uuid4()), "text": text}


async def a_room(http: httpx.AsyncClient, grant: dict[str, Any]) -> str:
    made = await http.post("/api/rooms", json={"name": "lunch", "kind": "public"}, headers=bearer(grant))
    return str(made.raise_for_status().json()["id"])


def is_taken(url: str, grant: dict[str, Any], message: dict[str, str]) -> bool:
    answer = httpx.post(url, json=message, headers=bearer(grant), timeout=DEADLINE)
    assert answer.status_code in {200, 201, 503}, answer.text
    return answer.is_success


async def test_without_kafka_a_node_that_starts_is_read_from_and_written_to_afterwards(
    make_node: MakeServer, kafka: KafkaServer
) -> None:
    kafka.stop()
    try:
        node = await asyncio.to_thread(make_node("one").start)
        async with httpx.AsyncClient(base_url=node.url, timeout=DEADLINE) as http:
            ann = await register(http, "ann")
            room = await a_room(http, ann)
            messages = f"/api/rooms/{room}/messages"
            history = await http.get(messages, headers=bearer(ann))
            assert history.raise_for_status().json()["messages"] == []
            socket = await Client.connect(node.url, {"token": ann["access_token"]})
            await socket.wait_for("ready")
            synced = await socket.call("sync", {"rooms": {room: 0}})
            assert synced["ok"], synced
            refused = await http.post(messages, json=said("early"), headers=bearer(ann))
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "broker_unavailable")
            assert refused.json()["error"]["retry_after"] > 0
            assert (await http.get("/health")).json()["status"] == "degraded"
            await socket.close()
    finally:
        await asyncio.to_thread(kafka.start)
    late = said("late")
    await asyncio.to_thread(wait_until, lambda: is_taken(node.url + messages, ann, late), "a send works", pause=0.2)
    await asyncio.to_thread(wait_until, lambda: len(hits(node, ann, "late")) == 1, "it is found", pause=0.2)


async def test_without_the_server_of_search_a_worker_that_starts_works_and_feeds_it_afterwards(
    make_node: MakeServer, tmp_path: Path
) -> None:
    server = PostgresqlServer(tmp_path / "search")
    try:
        search_url = server.create()
        server.stop()
        node = await asyncio.to_thread(make_node("one", search_url=search_url).start)
        async with httpx.AsyncClient(base_url=node.url, timeout=DEADLINE) as http:
            ann = await register(http, "ann")
            room = await a_room(http, ann)
            sent = await http.post(f"/api/rooms/{room}/messages", json=said("pepper"), headers=bearer(ann))
            assert sent.is_success, sent.text
            refused = await http.get("/api/search", params={"q": "pepper"}, headers=bearer(ann))
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")
        server.start()

        def found() -> bool:
            answer = httpx.get(f"{node.url}/api/search", params={"q": "pepper"}, headers=bearer(ann), timeout=DEADLINE)
            assert answer.status_code in {200, 503}, answer.text
            return answer.is_success and len(answer.json()["hits"]) == 1

        await asyncio.to_thread(wait_until, found, "it is found", pause=0.2)
    finally:
        server.stop()
