"""HTTP as every service speaks it: one form of error, one set of headers, whatever happens."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from prometheus_client import generate_latest

from parlour.platform.errors import Internal, RateLimited
from parlour.platform.health import Health
from parlour.platform.http import client_address, create_application
from parlour.platform.http.application import MAX_BODY
from parlour.platform.http.request import AnyRequest
from parlour.platform.tokens import Principal, TokenVerifier

from ..auth.world import ManualClock
from .test_tokens import Keys, claims, token

APP = "https://app.example"
SECRET = "hunter2"

logger = logging.getLogger("parlour.test")


class Thing(msgspec.Struct):
    """What the test's route takes."""

    name: str
    size: Annotated[int, msgspec.Meta(ge=0)] = 0


@post("/things")
async def make(data: JSONBody[Thing]) -> Thing:
    logger.info("made", extra={"thing": data.name})
    return data


@get("/things/{number:int}")
async def find(number: FromPath[int], limit: Annotated[int, QueryParameter(ge=1, le=10)] = 5) -> list[int]:
    return [number] * limit


@get("/me")
async def me(principal: NamedDependency[SkipValidation[Principal]]) -> str:
    return principal.username


@get("/address")
async def address(request: AnyRequest) -> str:
    return client_address(request)


@get("/broken")
async def broken() -> None:
    raise ValueError(f"the password is {SECRET}")


@get("/failed")
async def failed() -> None:
    raise Internal


@get("/slow")
async def slow() -> None:
    await asyncio.Event().wait()


@get("/busy")
async def busy() -> None:
    raise RateLimited(retry_after=0.2)


def application(**options: Any) -> Any:
    routes = Router("/", route_handlers=[make, find, me, address, broken, failed, slow, busy])
    verifier = TokenVerifier(Keys(), ManualClock())
    settings: dict[str, Any] = {"version": "0", "cors_origins": [APP], "timeout": 0.2, "trusted_proxies": ["192.0.2.1"]}
    return create_application([routes], verifier, Health("0", ManualClock()), **settings | options)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(), raise_app_exceptions=False, client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://parlour.test") as client:
        yield client


KINDS: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "malformed JSON": ("POST", "/things", {"content": b'{"name":'}, 400, "invalid_request"),
    "no JSON text": ("POST", "/things", {"content": b"\xff"}, 400, "invalid_request"),
    "nested too deeply": ("POST", "/things", {"content": b"[" * 100_000}, 400, "invalid_request"),
    "no body": ("POST", "/things", {}, 400, "invalid_request"),
    "a form": ("POST", "/things", {"data": {"name": "a"}}, 400, "invalid_request"),
    "a wrong type": ("POST", "/things", {"json": {"name": 5}}, 400, "invalid_request"),
    "a missing field": ("POST", "/things", {"json": {}}, 400, "invalid_request"),
    "a value out of range": ("POST", "/things", {"json": {"name": "a", "size": -1}}, 400, "invalid_request"),
    "a query out of range": ("GET", "/things/1?limit=11", {}, 400, "invalid_request"),
    "a query of a wrong type": ("GET", "/things/1?limit=x", {}, 400, "invalid_request"),
    "no token": ("GET", "/me", {}, 401, "unauthenticated"),
    "another scheme": ("GET", "/me", {"headers": {"authorization": "Basic YTpi"}}, 401, "unauthenticated"),
    "a bad token": ("GET", "/me", {"headers": {"authorization": "Bearer x"}}, 401, "token_invalid"),
    "no such page": ("GET", "/nothing", {}, 404, "not_found"),
    "a path of a wrong type": ("GET", "/things/x", {}, 404, "not_found"),
    "another method": ("DELETE", "/things", {}, 405, "method_not_allowed"),
    "an announced large body": ("POST", "/things", {"content": b" " * (MAX_BODY + 1)}, 413, "too_large"),
    "too many": ("GET", "/busy", {}, 429, "rate_limited"),
    "a fault of ours": ("GET", "/broken", {}, 500, "internal"),
    "a handler that hangs": ("GET", "/slow", {}, 503, "unavailable"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_error_has_the_one_form_and_the_headers(client: httpx.AsyncClient, kind: str) -> None:
    """DESIGN.md section 4: errors everywhere are `{"error": {"code", "message", …}}`."""
    method, path, options, status, code = KINDS[kind]
    answer = await client.request(method, path, **options)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert error.keys() <= {"code", "message", "retry_after", "details"}
    assert_safe(answer)


def assert_safe(answer: httpx.Response) -> None:
    expected = {
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert len(answer.headers.get_list("x-request-id")) == 1
    assert "server" not in answer.headers


async def test_good_answers_have_the_headers_too(client: httpx.AsyncClient) -> None:
    for path in ("/things/1", "/metrics", "/health", "/schema/openapi.json"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert_safe(answer)
        assert "strict-transport-security" not in answer.headers


async def test_https_is_demanded_where_people_reach_the_server_by_it() -> None:
    transport = httpx.ASGITransport(application(secure=True))
    async with httpx.AsyncClient(transport=transport, base_url="https://parlour.test") as client:
        assert "max-age=" in (await client.get("/nothing")).headers["strict-transport-security"]


async def test_errors_say_what_to_do_in_headers(client: httpx.AsyncClient) -> None:
    assert (await client.get("/me")).headers["www-authenticate"] == "Bearer"
    assert "POST" in (await client.delete("/things")).headers["allow"]
    assert (await client.get("/busy")).headers["retry-after"] == "1"
    assert (await client.get("/slow")).headers["retry-after"] == "1"
    large = await client.post("/things", content=b" " * (MAX_BODY + 1))
    assert large.json()["error"]["details"] == {"limit": MAX_BODY}
    wrong = await client.post("/things", json={"name": 5})
    assert wrong.json()["error"]["details"]["fields"][0]["key"] == "name"
    assert wrong.json()["error"]["details"]["field"] == "name"


async def test_client_that_leaves_within_its_body_is_no_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Any] = []
    received = [{"type": "http.request", "body": b'{"na', "more_body": True}, {"type": "http.disconnect"}]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/things"}
    scope |= {"raw_path": b"/things", "query_string": b"", "root_path": "", "scheme": "http", "headers": []}
    scope |= {"client": ("127.0.0.1", 5), "server": ("127.0.0.1", 80), "extensions": {}, "state": {}}

    async def receive() -> Any:
        return received.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await application()(scope, receive, send)
    assert sent[0]["status"] == 400
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_body_that_grows_over_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    async def grow() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 1000 + 2):
            yield b" " * 1000

    answer = await client.post("/things", content=grow())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


async def test_fault_of_ours_is_logged_and_not_told(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/broken")
    assert SECRET not in answer.text + str(answer.headers)
    assert "ValueError" not in answer.text
    assert [record.message for record in caplog.records] == ["unhandled error"]
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize("proposed", ["0f8fad5b-d9cb-469f-a165-70867728950e", "client.id_1"])
async def test_harmless_request_id_is_kept(client: httpx.AsyncClient, proposed: str) -> None:
    answer = await client.get("/things/1", headers={"x-request-id": proposed})
    assert answer.headers["x-request-id"] == proposed


@pytest.mark.parametrize(
    "proposed", ["short", "x" * 65, "with spaces in it", "<script>alert(1)</script>", "новый-запрос"]
)
async def test_any_other_is_replaced(client: httpx.AsyncClient, proposed: str) -> None:
    answer = await client.get("/things/1", headers={"x-request-id": proposed.encode()})
    assert answer.headers["x-request-id"] != proposed
    assert len(answer.headers["x-request-id"]) == 36


async def test_two_requests_have_two_ids(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nothing")).headers["x-request-id"] != (await client.get("/nothing")).headers[
        "x-request-id"
    ]


@pytest.mark.parametrize("path", ["/things/1", "/nothing", "/me", "/broken"])
async def test_listed_origin_may_read_answers_and_errors(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"origin": APP})
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{APP}.evil.example", "http://app.example"])
async def test_other_origins_may_not(client: httpx.AsyncClient, origin: str) -> None:
    preflight = {"origin": origin, "access-control-request-method": "POST"}
    for answer in (
        await client.get("/things/1", headers={"origin": origin}),
        await client.options("/things", headers=preflight),
    ):
        assert "access-control-allow-origin" not in answer.headers


async def test_preflight_of_a_listed_origin_is_answered(client: httpx.AsyncClient) -> None:
    headers = {
        "origin": APP,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    answer = await client.options("/things", headers=headers)
    assert answer.status_code in {200, 204}
    assert answer.headers["access-control-allow-origin"] == APP
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()


async def test_options_lists_the_methods(client: httpx.AsyncClient) -> None:
    answer = await client.options("/things")
    assert answer.status_code == 204
    assert {"POST", "OPTIONS"} <= {item.strip() for item in answer.headers["allow"].split(",")}


@pytest.mark.parametrize(("path", "status"), [("/things/1", 200), ("/nothing", 404), ("/me", 401), ("/slow", 503)])
async def test_head_is_get_without_the_body(client: httpx.AsyncClient, path: str, status: int) -> None:
    """RFC 9110 section 9.3.2."""
    head, whole = await client.head(path), await client.get(path)
    assert (head.status_code, head.content) == (status, b"")
    assert head.headers.get("content-length") == whole.headers.get("content-length")
    assert head.headers["content-type"] == whole.headers["content-type"]


async def test_good_token_names_the_caller(client: httpx.AsyncClient) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = await client.get("/me", headers={"authorization": f"{scheme} {token(claims())}"})
        assert (answer.status_code, answer.text) == (200, "ann")


async def test_client_is_named_by_a_trusted_proxy_alone(client: httpx.AsyncClient) -> None:
    forwarded = {"x-forwarded-for": "10.1.1.1, 198.51.100.7"}
    assert (await client.get("/address", headers=forwarded)).text == "198.51.100.7"
    transport = httpx.ASGITransport(application(), client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://parlour.test") as stranger:
        assert (await stranger.get("/address", headers=forwarded)).text == "203.0.113.9"


async def test_client_of_ipv6_is_its_network() -> None:
    transport = httpx.ASGITransport(application(), client=("2001:db8:1:2:3:4:5:6", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://parlour.test") as subscriber:
        assert (await subscriber.get("/address")).text == "2001:db8:1:2::/64"


async def test_labels_of_metrics_are_bounded_by_our_routes(client: httpx.AsyncClient) -> None:
    """Whatever strangers ask for, with whatever method."""
    for number in range(20):
        await client.get(f"/nothing/{number}-unheard-of")
        await client.get(f"/things/{number}")
        await client.request(f"METHOD{number}", "/things")
    told = generate_latest().decode()
    assert "unheard-of" not in told
    assert "METHOD" not in told
    assert 'parlour_http_requests_total{method="GET",route="/things/{number}",status="200"}' in told
    assert 'method="other"' in told


async def test_openapi_describes_errors_and_who_needs_a_token(client: httpx.AsyncClient) -> None:
    document = (await client.get("/schema/openapi.json")).json()
    assert document["paths"]["/me"]["get"]["security"] == [{"bearer": []}]
    assert "security" not in document["paths"]["/things"]["post"]
    for item in document["paths"].values():
        for operation in item.values():
            reference = operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"]
            assert reference == "#/components/schemas/ErrorEnvelope"
