"""Whoever is shut out is out within a second: the live socket is closed, and the access token refused at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from ..integration.socketio_client import Client, ConnectError
from .parlour_server import ParlourServer

PASSWORD = "kettle and spoon 42"
Act = Callable[[httpx.AsyncClient, dict[str, Any], dict[str, Any]], Awaitable[httpx.Response]]


async def end_by_id(http: httpx.AsyncClient, mine: dict[str, Any], _other: dict[str, Any]) -> httpx.Response:
    sessions = (await http.get("/api/auth/sessions", headers=bearer(mine))).json()["sessions"]
    (other,) = [session["id"] for session in sessions if not session["current"]]
    return await http.delete(f"/api/auth/sessions/{other}", headers=bearer(mine))


async def end_others(http: httpx.AsyncClient, mine: dict[str, Any], _other: dict[str, Any]) -> httpx.Response:
    return await http.delete("/api/auth/sessions", headers=bearer(mine))


async def log_out(http: httpx.AsyncClient, _mine: dict[str, Any], other: dict[str, Any]) -> httpx.Response:
    return await http.post("/api/auth/logout", headers=bearer(other))


async def change_password(http: httpx.AsyncClient, mine: dict[str, Any], _other: dict[str, Any]) -> httpx.Response:
    change = {"current_password": PASSWORD, "new_password": "saucer and fork 43"}
    return await http.post("/api/auth/password", json=change, headers=bearer(mine))


async def log_out_with_refresh_token(
    http: httpx.AsyncClient, _mine: dict[str, Any], other: dict[str, Any]
) -> httpx.Response:
    return await http.post("/api/auth/logout", json={"refresh_token": other["refresh_token"]})


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        pytest.param(end_by_id, "revoked", id="one session revoked"),
        pytest.param(end_others, "revoked", id="all others revoked"),
        pytest.param(log_out, "logout", id="logged out"),
        pytest.param(log_out_with_refresh_token, "logout", id="logged out by refresh token"),
        pytest.param(change_password, "password_changed", id="password changed"),
    ],
)
async def test_the_other_device_is_out_within_a_second(server: ParlourServer, act: Act, reason: str) -> None:
    server.start()
    async with httpx.AsyncClient(base_url=server.url) as http:
        mine = await register(http, "ann")
        other = await log_in(http, "ann")
        kept, lost = [await connected(server, grant) for grant in (mine, other)]
        began = time.monotonic()
        answer = await act(http, mine, other)
        assert answer.status_code == 204, answer.text
        refused = await http.get("/api/auth/me", headers=bearer(other))
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "session_revoked")
        await lost.wait_closed()
        assert lost.closed_at - began < 1.0
        assert [event.data for event in lost.named("session.revoked")] == [{"reason": reason}]
        with pytest.raises(ConnectError) as again:
            await Client.connect(server.url, {"token": other["access_token"]})
        assert again.value.data["code"] == "session_revoked"
        spent = await http.post("/api/auth/refresh", json={"refresh_token": other["refresh_token"]})
        assert spent.status_code == 401
        assert (await http.get("/api/auth/me", headers=bearer(mine))).status_code == 200
        assert (await kept.call("sync", {"rooms": {}}))["ok"] is True
        await kept.close()


async def test_a_storm_of_logins_and_refreshes_does_not_keep_anybody_in(server: ParlourServer) -> None:
    """Each of them writes; the revocation, another write, must not wait for all of them. The bound is that of a busy machine."""
    server.start()
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=httpx.Limits(max_connections=100)) as http:
        mine, other = await register(http, "ann"), await log_in(http, "ann")
        grants = [await register(http, f"refresher{number}") for number in range(4)]
        lost = await connected(server, other)
        counts = {"logins": 0, "refreshes": 0}
        blowing = asyncio.Event()

        def count(what: str) -> None:
            counts[what] += 1
            if min(counts.values()) >= 20:
                blowing.set()

        async def keep_logging_in() -> None:
            while True:
                await log_in(http, "refresher0")
                count("logins")

        async def keep_refreshing(grant: dict[str, Any]) -> None:
            while True:
                body = {"refresh_token": grant["refresh_token"]}
                answer = await http.post("/api/auth/refresh", json=body)
                assert answer.status_code == 200, answer.text
                grant = answer.json()
                count("refreshes")

        storm = [asyncio.create_task(keep_logging_in()) for _ in range(40)]
        storm += [asyncio.create_task(keep_refreshing(grant)) for grant in grants]
        async with asyncio.timeout(60):
            await blowing.wait()
        began = time.monotonic()
        answer = await end_by_id(http, mine, other)
        assert answer.status_code == 204, answer.text
        await lost.wait_closed()
        seconds = lost.closed_at - began
        print(f"out after {seconds:.3f} s, during {counts}")
        assert not [task for task in storm if task.done()]
        for task in storm:
            task.cancel()
        await asyncio.gather(*storm, return_exceptions=True)
        assert seconds < 5


async def test_a_disabled_user_is_out_within_a_second_with_all_devices(server: ParlourServer) -> None:
    server.start()
    async with httpx.AsyncClient(base_url=server.url) as http:
        owner, ben = [await register(http, name) for name in ("ann", "ben")]
        devices = [await connected(server, grant) for grant in (ben, await log_in(http, "ben"))]
        began = time.monotonic()
        path = f"/api/users/{ben['user']['id']}"
        answer = await http.patch(path, json={"disabled": True}, headers=bearer(owner))
        assert answer.status_code == 200, answer.text
        assert (await http.get("/api/auth/me", headers=bearer(ben))).status_code == 401
        for device in devices:
            await device.wait_closed()
            assert device.closed_at - began < 1.0
        refused = await http.post("/api/auth/login", json={"login": "ben", "password": PASSWORD})
        assert refused.status_code in {401, 403}
        await http.patch(path, json={"disabled": False}, headers=bearer(owner))
        assert (await http.post("/api/auth/login", json={"login": "ben", "password": PASSWORD})).status_code == 200


async def test_who_leaves_or_is_removed_hears_nothing_more_of_the_room(server: ParlourServer) -> None:
    server.start()
    async with httpx.AsyncClient(base_url=server.url) as http:
        ann, ben = [await register(http, name) for name in ("ann", "ben")]
        room = (await http.post("/api/rooms", json={"name": "lunch", "kind": "public"}, headers=bearer(ann))).json()
        await http.post(f"/api/rooms/{room['id']}/join", headers=bearer(ben))
        mine, theirs = [await connected(server, grant) for grant in (ann, ben)]
        removed = await http.request(
            "DELETE", f"/api/rooms/{room['id']}/members", json={"user_id": ben["user"]["id"]}, headers=bearer(ann)
        )
        assert removed.status_code < 300, removed.text
        assert await theirs.wait_for("room.removed") == {"room_id": room["id"]}
        command = {"room_id": room["id"], "client_id": "9b2f1c64-5e0b-4f6a-8a5e-2d1b7c3e4f50", "text": "Alone?"}
        assert (await mine.call("message.send", command))["ok"] is True
        await mine.wait_for("event", lambda event: event["type"] == "message.created")
        refusal = await theirs.call("message.send", command | {"client_id": "9b2f1c64-5e0b-4f6a-8a5e-2d1b7c3e4f51"})
        assert refusal["error"]["code"] in {"forbidden", "room_not_found"}
        assert not [event for event in theirs.named("event") if event.data["type"] == "message.created"]
        for client in (mine, theirs):
            await client.close()


async def connected(server: ParlourServer, grant: dict[str, Any]) -> Client:
    client = await Client.connect(server.url, {"token": grant["access_token"]})
    await client.wait_for("ready")
    return client


async def register(http: httpx.AsyncClient, name: str) -> dict[str, Any]:
    account = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    answer = await http.post("/api/auth/register", json=account)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def log_in(http: httpx.AsyncClient, name: str) -> dict[str, Any]:
    answer = await http.post("/api/auth/login", json={"login": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def bearer(grant: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {grant['access_token']}"}
