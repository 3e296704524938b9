"""The first conversation, as a newcomer has it: with stock JavaScript, on each transport, and with Python."""

from typing import Any

import httpx
import pytest

from ..integration.socketio_client import Client, ConnectError
from .conftest import RunScript
from .parlour_server import ParlourServer, wait_until

TRANSPORTS = {"polling": "polling", "websocket": "websocket", "upgrade": "polling,websocket"}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_two_stock_clients_talk(server: ParlourServer, run_script: RunScript, transport: str) -> None:
    server.start()
    said = run_script("conversation.mjs", url=server.url, transports=TRANSPORTS[transport]).finish()
    steps = {line["step"]: line["value"] for line in said}
    assert steps["ready"] == [{"id": True, "head": 2}]
    assert steps["sent"] == {"ok": True, "same": True, "text": "Soup today, @ben?"}
    assert steps["mentions"] is True
    assert steps["edited"] == "Minestrone today, @ben?"
    assert steps["reacted"] == "👍"
    assert steps["typing"] is True
    assert steps["refused"] == "not_yours"
    assert steps["found"] is True
    assert steps["page"] == [{"text": "Minestrone today, @ben?", "reactions": ["👍"]}]
    if transport != "upgrade":
        assert steps["transport"] == [transport, transport]


async def test_two_people_talk_with_python(server: ParlourServer) -> None:
    await talk(server.start())


async def talk(server: ParlourServer) -> None:
    """The first account of a server and the second meet in a room."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        ann, ben = [await register(http, name) for name in ("ann", "ben")]
        assert (ann["user"]["role"], ben["user"]["role"]) == ("owner", "member")
        room = (await http.post("/api/rooms", json={"name": "lunch", "kind": "public"}, headers=bearer(ann))).json()
        (await http.post(f"/api/rooms/{room['id']}/join", headers=bearer(ben))).raise_for_status()
        mine, theirs = [await Client.connect(server.url, {"token": grant["access_token"]}) for grant in (ann, ben)]
        for client in (mine, theirs):
            ready = await client.wait_for("ready")
            assert [(each["id"], each["name"], each["head"]) for each in ready["rooms"]] == [(room["id"], "lunch", 2)]
        client_id = "9b2f1c64-5e0b-4f6a-8a5e-2d1b7c3e4f50"
        command = {"room_id": room["id"], "client_id": client_id, "text": "Soup today?"}
        ack = await mine.call("message.send", command)
        assert (ack["ok"], ack["seq"]) == (True, 3)
        heard = await theirs.wait_for("event", lambda event: event["type"] == "message.created")
        assert (heard["seq"], heard["id"], heard["data"]) == (ack["seq"], ack["id"], {"text": "Soup today?"})
        again = await http.post(
            f"/api/rooms/{room['id']}/messages",
            json={"client_id": client_id, "text": "Soup today?"},
            headers=bearer(ann),
        )
        assert (again.status_code, again.json()["seq"]) == (200, ack["seq"])
        wait_until(lambda: len(hits(server, ben, "soup")) == 1, "the message is found", pause=0.1)
        for client in (mine, theirs):
            await client.close()


async def test_without_a_token_nobody_gets_in(server: ParlourServer) -> None:
    server.start()
    with pytest.raises(ConnectError) as refused:
        await Client.connect(server.url)
    assert refused.value.data["code"] == "unauthenticated"
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.get("/api/rooms")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")


async def register(http: httpx.AsyncClient, name: str) -> dict[str, Any]:
    account = {"username": name, "email": f"{name}@example.org", "password": f"kettle {name} 42"}
    answer = await http.post("/api/auth/register", json=account)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def bearer(grant: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {grant['access_token']}"}


def hits(server: ParlourServer, grant: dict[str, Any], words: str) -> list[Any]:
    answer = httpx.get(f"{server.url}/api/search", params={"q": words}, headers=bearer(grant))
    return list(answer.raise_for_status().json()["hits"])
