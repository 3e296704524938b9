"""Long-polling on the whole server: its answers have what all HTTP answers have, and its path needs no slash at the end."""

import json
from collections.abc import Iterator

import httpx
import pytest

from ..conformance.websocket import WebSocket
from .whole_server import WholeServer, whole_server

HANDSHAKE = "EIO=4&transport=polling"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeServer]:
    with whole_server(tmp_path_factory.mktemp("polling")) as server:
        yield server


def counted(server: WholeServer, method: str, status: int) -> float:
    line = f'parlour_http_requests_total{{method="{method}",route="/socket.io/",status="{status}"}} '
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    return float(next((each.removeprefix(line) for each in lines if each.startswith(line)), "0"))


@pytest.mark.parametrize(("query", "status"), [(HANDSHAKE, 200), ("EIO=4&transport=carrier-pigeon", 400)])
def test_answers_have_the_headers_and_are_counted_like_all_others(server: WholeServer, query: str, status: int) -> None:
    before = counted(server, "GET", status)
    answer = httpx.get(f"{server.url}/socket.io/?{query}", headers={"x-request-id": "mine-12345678"})
    assert answer.status_code == status
    assert answer.headers["x-request-id"] == "mine-12345678"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    assert counted(server, "GET", status) == before + 1


def test_time_of_requests_that_hang_on_purpose_is_not_told(server: WholeServer) -> None:
    httpx.get(f"{server.url}/socket.io/?{HANDSHAKE}")
    metrics = httpx.get(f"{server.url}/metrics").text
    assert 'parlour_http_request_seconds_count{method="GET",route="/socket.io/"} 0.0' in metrics


def test_head_opens_no_session(server: WholeServer) -> None:
    assert httpx.head(f"{server.url}/socket.io/?{HANDSHAKE}").status_code == 400


@pytest.mark.parametrize("path", ["/socket.io/", "/socket.io"])
async def test_the_slash_at_the_end_is_optional_on_both_transports(server: WholeServer, path: str) -> None:
    async with httpx.AsyncClient() as client:
        polled = await client.get(f"{server.url}{path}?{HANDSHAKE}")
    assert json.loads(polled.text[1:])["upgrades"] == ["websocket"]
    socket = await WebSocket.connect(f"ws{server.url[4:]}{path}?EIO=4&transport=websocket")
    assert (await socket.text()).startswith('0{"sid":')
    await socket.close()
