"""The routes of accounts and sessions, as a client meets them."""

import asyncio
import threading
from typing import Any, cast

import httpx
import pytest

from parlour.auth.adapters.argon2 import Argon2Hasher
from parlour.auth.http import router
from parlour.platform.health import Health
from parlour.platform.http import create_application

from ...unit.auth.world import World
from .conftest import NewClient

PASSWORD = "correct horse battery"
NEW = "quite another secret"


async def register(client: httpx.AsyncClient, username: str = "ann", **more: object) -> httpx.Response:
    body = {"username": username, "email": f"{username}@example.org", "password": PASSWORD, **more}
    return await client.post("/api/auth/register", json=body)


def bearer(grant: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {grant['access_token']}"}


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text
    return cast("dict[str, Any]", response.json()["error"])


async def test_a_registration_answers_with_the_user_and_tokens(client: httpx.AsyncClient, server: World) -> None:
    response = await register(client, display_name="Ann Lee", unknown="ignored")
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    grant = response.json()
    assert grant["user"] == {
        "id": grant["user"]["id"],
        "username": "ann",
        "display_name": "Ann Lee",
        "email": "ann@example.org",
        "role": "owner",
        "created_at": server.clock.now(),
        "updated_at": server.clock.now(),
        "disabled": False,
    }
    assert (grant["expires_in"], grant["token_type"]) == (600, "Bearer")
    assert len(grant["refresh_token"]) == 86
    assert (await register(client, "bob")).json()["user"]["role"] == "member"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"username": "a"}, 400, "username_invalid"),
        ({"username": "ann lee"}, 400, "username_invalid"),
        ({"username": "TAKEN"}, 409, "username_taken"),
        ({"email": "Taken@example.org"}, 409, "email_taken"),
        ({"email": "nowhere"}, 400, "email_invalid"),
        ({"display_name": "\u202e"}, 400, "display_name_invalid"),
        ({"password": "short"}, 400, "password_too_short"),
        ({"password": "long " * 300}, 400, "password_too_long"),
        ({"password": "qwertyuiop"}, 400, "password_too_common"),
        ({"username": "annabel_lee", "password": "Annabel_Lee"}, 400, "password_is_name"),
        ({"password": 1234567890}, 400, "invalid_request"),
        ({"password": None}, 400, "invalid_request"),
        ({"cookie": "yes"}, 400, "invalid_request"),
        ({"username": "x" * 2000}, 400, "invalid_request"),
    ],
)
async def test_every_refusal_of_a_registration_has_its_code(
    client: httpx.AsyncClient, change: dict[str, object], status: int, code: str
) -> None:
    await register(client, "taken")
    refused(await register(client, **{"username": "ann", **change}), status, code)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"{}", b'{"username": "\\ud800"}', b"\xff\xfe"])
@pytest.mark.parametrize("path", ["register", "login", "password"])
async def test_malformed_bodies_are_invalid_requests(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    grant = (await register(client)).json()
    headers = {"Content-Type": "application/json", **bearer(grant)}
    refused(await client.post(f"/api/auth/{path}", content=body, headers=headers), 400, "invalid_request")


async def test_a_second_factor_that_nobody_checks_is_refused(client: httpx.AsyncClient) -> None:
    await register(client)
    login = {"login": "ann", "password": PASSWORD}
    error = refused(await client.post("/api/auth/login", json={**login, "totp": "123456"}), 400, "invalid_request")
    assert "totp" in str(error["details"])
    assert (await client.post("/api/auth/login", json={**login, "totp": None})).status_code == 200


async def test_a_login_by_name_or_address_gives_a_session_of_its_own(client: httpx.AsyncClient) -> None:
    first = (await register(client)).json()
    for login in ("Ann", "ann@example.org"):
        response = await client.post("/api/auth/login", json={"login": login, "password": PASSWORD})
        assert response.status_code == 200
        assert response.json()["user"] == first["user"]
    response = await client.get("/api/auth/sessions", headers=bearer(first))
    sessions = response.json()["sessions"]
    assert len(sessions) == 3
    assert [session["current"] for session in sessions].count(True) == 1
    assert sessions[0].keys() == {"id", "device", "address", "created_at", "last_used_at", "expires_at", "current"}
    assert (sessions[0]["device"], sessions[0]["address"]) == ("Firefox on Linux", "192.0.2.7")


async def test_failed_logins_are_slowed_and_the_known_device_is_not(
    client: httpx.AsyncClient, new_client: NewClient
) -> None:
    grant = (await register(client)).json()
    stranger = new_client("203.0.113.9")
    for _ in range(5):
        response = await stranger.post("/api/auth/login", json={"login": "ann", "password": "wrong wrong wrong"})
        refused(response, 401, "invalid_credentials")
    response = await stranger.post("/api/auth/login", json={"login": "ann", "password": PASSWORD})
    assert refused(response, 429, "login_slowed")["retry_after"] == 60
    assert response.headers["retry-after"] == "60"
    body = {"login": "ann", "password": PASSWORD}
    refused(await client.post("/api/auth/login", json=body), 429, "login_slowed")
    known = await client.post("/api/auth/login", json={**body, "device_token": grant["device_token"]})
    assert known.status_code == 200


async def test_unknown_accounts_answer_like_known_ones(client: httpx.AsyncClient) -> None:
    await register(client)
    answers = []
    for login in ("ann", "nobody"):
        for _ in range(6):
            response = await client.post("/api/auth/login", json={"login": login, "password": "wrong wrong wrong"})
            answers.append((response.status_code, response.json()))
    assert answers[:6] == answers[6:]


async def test_refreshing_rotates_and_reuse_ends_the_session(client: httpx.AsyncClient, server: World) -> None:
    first = (await register(client)).json()
    response = await client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert response.status_code == 200
    second = response.json()
    assert second.keys() == {"user", "access_token", "expires_in", "token_type", "refresh_token"}
    server.clock.advance(11)
    response = await client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    refused(response, 401, "refresh_token_reused")
    refused(await client.get("/api/auth/me", headers=bearer(second)), 401, "session_revoked")
    response = await client.post("/api/auth/refresh", json={"refresh_token": second["refresh_token"]})
    refused(response, 401, "session_revoked")


async def test_two_refreshes_at_once_both_get_a_working_pair(client: httpx.AsyncClient) -> None:
    first = (await register(client)).json()
    body = {"refresh_token": first["refresh_token"]}
    answers = await asyncio.gather(*(client.post("/api/auth/refresh", json=body) for _ in range(2)))
    for answer in answers:
        assert answer.status_code == 200
        assert (await client.get("/api/auth/me", headers=bearer(answer.json()))).status_code == 200
        again = await client.post("/api/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]})
        assert again.status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 401, "refresh_token_invalid"),
        (None, 401, "refresh_token_invalid"),
        ({"refresh_token": "x" * 86}, 401, "refresh_token_invalid"),
        ({"refresh_token": "x" * 300}, 400, "invalid_request"),
        ({"refresh_token": 7}, 400, "invalid_request"),
    ],
)
async def test_every_refusal_of_a_refresh_has_its_code(
    client: httpx.AsyncClient, body: dict[str, object] | None, status: int, code: str
) -> None:
    refused(await client.post("/api/auth/refresh", json=body), status, code)


async def test_an_idle_session_expires(client: httpx.AsyncClient, server: World) -> None:
    grant = (await register(client)).json()
    server.clock.advance(30 * 86_400)
    refused(await client.get("/api/auth/me", headers=bearer(grant)), 401, "token_expired")
    response = await client.post("/api/auth/refresh", json={"refresh_token": grant["refresh_token"]})
    refused(response, 401, "refresh_token_expired")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_with_cookies_no_script_sees_the_refresh_token(new_client: NewClient, scheme: str) -> None:
    client = new_client(base_url=f"{scheme}://parlour.test")
    response = await register(client, cookie=True)
    assert "refresh_token" not in response.json()
    assert "device_token" not in response.json()
    cookies = response.headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["parlour_refresh", "parlour_device"]
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "Path=/api/auth" in cookie
        assert "samesite=strict" in cookie.lower()
        assert ("Secure" in cookie) == (scheme == "https")
    before = client.cookies["parlour_refresh"]
    response = await client.post("/api/auth/refresh")
    assert response.status_code == 200
    assert "refresh_token" not in response.json()
    assert client.cookies["parlour_refresh"] != before
    assert (await client.get("/api/auth/me", headers=bearer(response.json()))).status_code == 200
    assert (await client.post("/api/auth/logout")).status_code == 204
    assert "parlour_refresh" not in client.cookies
    assert "parlour_device" in client.cookies
    refused(await client.get("/api/auth/me", headers=bearer(response.json())), 401, "session_revoked")
    refused(await client.post("/api/auth/refresh"), 401, "refresh_token_invalid")


@pytest.mark.parametrize("path", ["refresh", "logout"])
@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://parlour.test"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://parlour.test"}, True),
        ({"Origin": "http://parlour.test:80"}, True),
        ({"Origin": "http://Parlour.Test"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://app.example.org"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://parlour.test"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.org"}, False),
        ({"Origin": "https://app.example.org:8443"}, False),
        ({"Origin": "http://parlour.test.example.org"}, False),
        ({"Origin": "http://parlour.test:8000"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
        ({"Origin": ""}, False),
    ],
    ids=str,
)
async def test_the_cookie_is_of_use_to_our_pages_only(
    new_client: NewClient, path: str, headers: dict[str, str], own: bool
) -> None:
    client = new_client()
    await register(client, cookie=True)
    kept = client.cookies["parlour_refresh"]
    response = await client.post(f"/api/auth/{path}", headers=headers)
    if own:
        assert response.status_code == (200 if path == "refresh" else 204)
        return
    refused(response, 403, "cross_site")
    assert client.cookies["parlour_refresh"] == kept
    assert (await client.post("/api/auth/refresh")).status_code == 200


async def test_a_token_in_the_body_is_of_use_from_anywhere(client: httpx.AsyncClient) -> None:
    """Whoever has it needs no cookie; which pages may read the answer is CORS's affair."""
    grant = (await register(client)).json()
    headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    body = {"refresh_token": grant["refresh_token"]}
    assert (await client.post("/api/auth/refresh", json=body, headers=headers)).status_code == 200


async def test_a_cookie_that_will_never_be_of_use_again_is_removed(client: httpx.AsyncClient, server: World) -> None:
    await register(client, cookie=True)
    client.cookies.set("parlour_refresh", "nonsense", path="/api/auth", domain="parlour.test")
    refused(await client.post("/api/auth/refresh"), 401, "refresh_token_invalid")
    assert "parlour_refresh" not in client.cookies
    login = {"login": "ann", "password": PASSWORD, "cookie": True}
    for end, code in {
        "revoke": "session_revoked",
        "wait": "refresh_token_expired",
        "reuse": "refresh_token_reused",
    }.items():
        assert (await client.post("/api/auth/login", json=login)).status_code == 200
        kept = client.cookies["parlour_refresh"]
        if end == "revoke":
            await server.auth.administration.revoke_sessions("ann")
        elif end == "wait":
            server.clock.advance(40 * 86_400)
        else:
            await client.post("/api/auth/refresh")
            client.cookies.set("parlour_refresh", kept, path="/api/auth", domain="parlour.test")
            server.clock.advance(60)
        refused(await client.post("/api/auth/refresh"), 401, code)
        assert "parlour_refresh" not in client.cookies


async def test_a_cookie_outlives_a_refresh_that_failed_for_the_moment(client: httpx.AsyncClient, server: World) -> None:
    """Also one whose token was in the body."""
    await register(client, cookie=True)
    kept = client.cookies["parlour_refresh"]
    refused(await client.post("/api/auth/refresh", json={"refresh_token": "nonsense"}), 401, "refresh_token_invalid")
    async with server.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE sessions RENAME TO away")
    refused(await client.post("/api/auth/refresh"), 503, "database_unavailable")
    async with server.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO sessions")
    assert client.cookies["parlour_refresh"] == kept
    assert (await client.post("/api/auth/refresh")).status_code == 200


async def test_a_device_cookie_makes_the_device_a_known_one(client: httpx.AsyncClient, new_client: NewClient) -> None:
    await register(client, cookie=True)
    stranger = new_client("203.0.113.9")
    for _ in range(5):
        await stranger.post("/api/auth/login", json={"login": "ann", "password": "wrong wrong wrong"})
    body = {"login": "ann", "password": PASSWORD, "cookie": True}
    refused(await stranger.post("/api/auth/login", json=body), 429, "login_slowed")
    assert (await client.post("/api/auth/login", json=body)).status_code == 200


async def test_logging_out_by_either_token_ends_the_session(client: httpx.AsyncClient, server: World) -> None:
    by_access = (await register(client, "ann")).json()
    assert (await client.post("/api/auth/logout", headers=bearer(by_access))).status_code == 204
    refused(await client.get("/api/auth/me", headers=bearer(by_access)), 401, "session_revoked")
    by_refresh = (await register(client, "bob")).json()
    server.clock.advance(700)
    body = {"refresh_token": by_refresh["refresh_token"]}
    assert (await client.post("/api/auth/logout", json=body, headers=bearer(by_refresh))).status_code == 204
    refused(await client.post("/api/auth/refresh", json=body), 401, "session_revoked")
    refused(await client.post("/api/auth/logout"), 401, "unauthenticated")
    refused(await client.post("/api/auth/logout", headers=bearer(by_refresh)), 401, "token_expired")


async def test_sessions_are_ended_one_by_one_or_all_others(client: httpx.AsyncClient) -> None:
    mine = (await register(client)).json()
    body = {"login": "ann", "password": PASSWORD}
    others = [(await client.post("/api/auth/login", json=body)).json() for _ in range(3)]
    listed = (await client.get("/api/auth/sessions", headers=bearer(others[0]))).json()["sessions"]
    [current] = [session["id"] for session in listed if session["current"]]
    assert (await client.delete(f"/api/auth/sessions/{current}", headers=bearer(mine))).status_code == 204
    refused(await client.get("/api/auth/me", headers=bearer(others[0])), 401, "session_revoked")
    refused(await client.delete(f"/api/auth/sessions/{current}", headers=bearer(mine)), 404, "session_not_found")
    refused(await client.delete("/api/auth/sessions/x%00", headers=bearer(mine)), 404, "session_not_found")
    stranger = (await register(client, "bob")).json()
    response = await client.delete(f"/api/auth/sessions/{listed[1]['id']}", headers=bearer(stranger))
    refused(response, 404, "session_not_found")
    assert (await client.delete("/api/auth/sessions", headers=bearer(mine))).status_code == 204
    for other in others:
        refused(await client.get("/api/auth/me", headers=bearer(other)), 401, "session_revoked")
    assert len((await client.get("/api/auth/sessions", headers=bearer(mine))).json()["sessions"]) == 1


async def test_changing_the_password(client: httpx.AsyncClient) -> None:
    mine = (await register(client)).json()
    body = {"current_password": "wrong wrong wrong", "new_password": NEW}
    refused(await client.post("/api/auth/password", json=body, headers=bearer(mine)), 403, "wrong_password")
    body = {"current_password": PASSWORD, "new_password": "ann@example.org"}
    refused(await client.post("/api/auth/password", json=body, headers=bearer(mine)), 400, "password_is_name")
    body["new_password"] = NEW
    assert (await client.post("/api/auth/password", json=body, headers=bearer(mine))).status_code == 204
    login = {"login": "ann", "password": PASSWORD}
    refused(await client.post("/api/auth/login", json=login), 401, "invalid_credentials")
    assert (await client.post("/api/auth/login", json={**login, "password": NEW})).status_code == 200


async def test_me_can_be_read_and_renamed(client: httpx.AsyncClient) -> None:
    grant = (await register(client)).json()
    me = (await client.get("/api/auth/me", headers=bearer(grant))).json()
    assert me == grant["user"]
    changed = await client.patch("/api/auth/me", json={"display_name": "Ann  Lee"}, headers=bearer(grant))
    assert changed.status_code == 200
    assert changed.json() == {**me, "display_name": "Ann Lee"}
    response = await client.patch("/api/auth/me", json={"display_name": ""}, headers=bearer(grant))
    refused(response, 400, "display_name_invalid")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/auth/me"),
        ("PATCH", "/api/auth/me"),
        ("GET", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions"),
        ("DELETE", "/api/auth/sessions/x"),
        ("POST", "/api/auth/password"),
        ("GET", "/api/users"),
        ("PATCH", "/api/users/x"),
    ],
)
async def test_nothing_of_ones_own_is_told_without_a_token(client: httpx.AsyncClient, method: str, path: str) -> None:
    refused(await client.request(method, path), 401, "unauthenticated")
    headers = {"Authorization": "Bearer nonsense"}
    refused(await client.request(method, path, headers=headers), 401, "token_invalid")


async def test_the_key_set_is_public(client: httpx.AsyncClient, server: World) -> None:
    await server.auth.keys.rotate()
    response = await client.get("/.well-known/jwks.json")
    assert response.status_code == 200
    keys = response.json()["keys"]
    assert len(keys) == 2
    for key in keys:
        assert key.keys() == {"kty", "crv", "x", "kid", "use", "alg"}


async def test_the_directory_shows_profiles_page_by_page(client: httpx.AsyncClient) -> None:
    grant = (await register(client, "zoe")).json()
    for number in range(3):
        await register(client, f"ann{number}")
    first = (await client.get("/api/users?q=ANN&limit=2", headers=bearer(grant))).json()
    assert [user["username"] for user in first["users"]] == ["ann0", "ann1"]
    assert first["users"][0].keys() == {"id", "username", "display_name", "role", "disabled"}
    params = {"q": "ann", "limit": 2, "cursor": first["cursor"]}
    second = (await client.get("/api/users", params=params, headers=bearer(grant))).json()
    assert [user["username"] for user in second["users"]] == ["ann2"]
    assert second["cursor"] is None
    ids = ",".join([second["users"][0]["id"], "x", first["users"][0]["id"]])
    named = (await client.get("/api/users", params={"ids": ids}, headers=bearer(grant))).json()
    assert [user["username"] for user in named["users"]] == ["ann2", "ann0"]
    crowd = ",".join(map(str, range(101)))
    for query in ("limit=0", "limit=101", "limit=x", f"q={'x' * 200}", f"ids={crowd}"):
        refused(await client.get(f"/api/users?{query}", headers=bearer(grant)), 400, "invalid_request")
    for query in ("q=%00", "q=%ff", "q=%ed%a0%80", "cursor=%00", "q=%25"):
        assert (await client.get(f"/api/users?{query}", headers=bearer(grant))).status_code == 200


async def test_owners_manage_users_and_members_do_not(client: httpx.AsyncClient) -> None:
    owner = (await register(client, "owner")).json()
    ann = (await register(client)).json()
    path = f"/api/users/{ann['user']['id']}"
    refused(await client.patch(path, json={"role": "admin"}, headers=bearer(ann)), 403, "forbidden")
    response = await client.patch(path, json={"role": "admin"}, headers=bearer(owner))
    assert response.status_code == 200
    assert response.json()["role"] == "admin"
    response = await client.post("/api/auth/refresh", json={"refresh_token": ann["refresh_token"]})
    admin = response.json()
    owners = f"/api/users/{owner['user']['id']}"
    refused(await client.patch(owners, json={"role": "guest"}, headers=bearer(admin)), 403, "forbidden")
    refused(await client.patch(owners, json={"role": "guest"}, headers=bearer(owner)), 409, "last_owner")
    refused(await client.patch(path, json={"role": "king"}, headers=bearer(owner)), 400, "invalid_request")
    refused(await client.patch(path, json={}, headers=bearer(owner)), 400, "invalid_request")
    refused(await client.patch("/api/users/x", json={"role": "guest"}, headers=bearer(owner)), 404, "user_not_found")
    response = await client.patch(path, json={"disabled": True}, headers=bearer(owner))
    assert response.json()["disabled"] is True
    refused(await client.get("/api/auth/me", headers=bearer(admin)), 401, "session_revoked")
    login = {"login": "ann", "password": PASSWORD}
    refused(await client.post("/api/auth/login", json=login), 403, "account_disabled")
    response = await client.post("/api/auth/refresh", json={"refresh_token": admin["refresh_token"]})
    refused(response, 403, "account_disabled")


async def test_a_login_storm_fills_a_bounded_queue_and_delays_nothing_else(
    client: httpx.AsyncClient, new_client: NewClient, server: World
) -> None:
    grant = (await register(client)).json()
    hasher = cast("Argon2Hasher", server.hasher)
    release = threading.Event()
    held = asyncio.create_task(hasher._run(release.wait))  # the only thread is busy for as long as we like
    storm = [
        asyncio.create_task(
            new_client(f"198.51.100.{number}").post(
                "/api/auth/login", json={"login": f"user{number}", "password": PASSWORD}
            )
        )
        for number in range(12)
    ]
    busy, waiting = [], set(storm)
    while len(busy) < 9:  # a place of the queue's four is kept for those whom we know
        done, waiting = await asyncio.wait(waiting, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert done
        busy += done
    for task in busy:
        assert refused(task.result(), 503, "passwords_busy")["retry_after"] >= 1
    assert (await client.get("/api/auth/me", headers=bearer(grant))).status_code == 200
    release.set()
    await held
    for response in await asyncio.gather(*waiting):
        refused(response, 401, "invalid_credentials")


async def test_a_closed_database_is_told_as_unavailable_and_nothing_of_it(
    client: httpx.AsyncClient, server: World
) -> None:
    grant = (await register(client)).json()
    async with server.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE users RENAME TO away")
    for response in (
        await register(client, "bob"),
        await client.post("/api/auth/login", json={"login": "ann", "password": PASSWORD}),
        await client.get("/api/auth/me", headers=bearer(grant)),
        await client.get("/api/users", headers=bearer(grant)),
    ):
        error = refused(response, 503, "database_unavailable")
        assert "sql" not in response.text.lower()
        assert "users" not in response.text
        assert error["retry_after"] == 1
    assert (await client.get("/.well-known/jwks.json")).status_code == 200


async def test_the_schema_names_every_route(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/schema/openapi.json")).json()["paths"]
    assert {
        "/api/auth/register",
        "/api/auth/login",
        "/api/auth/refresh",
        "/api/auth/logout",
        "/api/auth/sessions",
        "/api/auth/sessions/{session_id}",
        "/api/auth/password",
        "/api/auth/me",
        "/.well-known/jwks.json",
        "/api/users",
        "/api/users/{user_id}",
    } <= paths.keys()


async def test_behind_a_proxy_that_ends_tls_cookies_are_secure(server: World) -> None:
    application = create_application(
        [router(server.auth)], server.auth.verifier, Health("0", server.clock), version="0", secure=True
    )
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://parlour.test") as client:
        response = await register(client, cookie=True)
    cookies = response.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all("Secure" in cookie for cookie in cookies)
    assert "max-age" in response.headers["strict-transport-security"]
