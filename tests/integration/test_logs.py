"""The log of the whole server, at its most talkative: JSON lines that follow a message, and tell no secret."""

import asyncio
import json
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from .socketio_client import Client, ConnectError
from .whole_server import PASSWORD, Person, WholeServer, whole_server

TEXT = "the treasure is below the oak"
WRONG = "a wrong password of ann"
QUERY = "treasure oak"


class Written(NamedTuple):
    """A log, as text and as lines, and what must not be in it by name."""

    text: str
    lines: list[dict[str, Any]]
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Logins good and bad, refreshes, messages over both ways, a search, refusals, a renewal and an orderly end."""
    with whole_server(tmp_path_factory.mktemp("logs"), log_level="debug") as server:
        secrets = asyncio.run(converse(server))
    return Written(server.log.read_text(), server.log_lines(), secrets)


async def converse(server: WholeServer) -> dict[str, str]:
    ann, bob = server.person("ann"), server.person("bob")
    room = ann.room(members=(bob,))
    ann.send(room, TEXT + " over http")
    client = await ann.connect()
    command = {"room_id": room, "client_id": str(uuid4()), "text": TEXT + " over a socket"}
    assert (await client.call("message.send", command))["ok"]
    assert not (await client.call("message.send", command | {"client_id": TEXT}))["ok"]
    assert not (await client.call("message.edit", command | {"text": 5, "id": TEXT}))["ok"]
    assert (await client.call("auth.renew", {"token": ann.token}))["ok"]
    ann.request("GET", f"/api/search?q={QUERY}")
    ann.request("PUT", f"/api/rooms/{room}/draft", json={"text": TEXT})
    secrets = ask(server, ann, bob, room)
    with pytest.raises(ConnectError):
        await Client.connect(server.url, {"token": ann.token[:-4] + "AAAA"})
    await client.close()
    return secrets


def ask(server: WholeServer, ann: Person, bob: Person, room: str) -> dict[str, str]:
    """What is done over HTTP; returns what must not be logged."""
    bad = ann.request("POST", f"/api/rooms/{room}/messages", content=f'{{"text": "{TEXT}", "client_id": 5}}')
    assert bad.status_code == 400
    login = {"login": "ann", "password": WRONG}
    assert httpx.post(f"{server.url}/api/auth/login", json=login).status_code == 401
    grant = httpx.post(f"{server.url}/api/auth/login", json=login | {"password": PASSWORD}).json()
    refreshed = httpx.post(f"{server.url}/api/auth/refresh", json={"refresh_token": grant["refresh_token"]}).json()
    change = {"current_password": PASSWORD, "new_password": "another " + PASSWORD}
    assert bob.request("POST", "/api/auth/password", json=change).status_code == 204
    return {
        "password": PASSWORD,
        "wrong password": WRONG,
        "message": "treasure",
        "access token": ann.token,
        "signature of a forged token": ann.token.rpartition(".")[2][:-4],
        "refresh token": ann.refresh_token,
        "spent refresh token": grant["refresh_token"],
        "next refresh token": refreshed["refresh_token"],
        "next access token": refreshed["access_token"],
        "device token": grant.get("device_token") or refreshed["refresh_token"],
        "e-mail address": "ann@example.org",
    }


def test_no_secret_and_no_message_is_in_it(written: Written) -> None:
    found = [name for name, secret in written.secrets.items() if secret in written.text]
    assert found == []


def test_every_line_is_a_json_object_with_time_level_and_event(written: Written) -> None:
    assert len(written.lines) >= 3
    for line in written.lines:
        assert {"time", "level", "logger", "event"} <= line.keys(), line


def test_settings_are_told_at_the_start(written: Written) -> None:
    serving = next(line for line in written.lines if line["event"] == "serving")
    assert serving["settings"]["log_level"] == "debug"


def test_nothing_went_wrong(written: Written) -> None:
    assert [line for line in written.lines if line["level"] in {"error", "critical"}] == []
    assert json.loads(json.dumps(written.lines)) == written.lines
