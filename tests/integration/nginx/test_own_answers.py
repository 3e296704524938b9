"""What NGINX answers by itself looks as Parlour's answers do, and what it logs."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from ...nginx_server import NAME, NginxServer
from .behind import DEADLINE, HANDSHAKE, SECURITY_HEADERS, ParlourNode, code_of, connected


def test_own_answers_have_the_headers_of_parlours_and_each_once(gateway: NginxServer) -> None:
    with gateway.client() as client:
        parlours, own = client.get("/api/nothing"), client.get("/metrics")
    assert parlours.status_code == own.status_code == 404
    assert code_of(parlours) == code_of(own) == "not_found"
    assert own.headers["cache-control"] == "no-store"
    for answer in (parlours, own):
        assert answer.headers["server"] == "nginx"
        for name in (*SECURITY_HEADERS, "x-request-id", "content-type", "content-length"):
            assert len(answer.headers.get_list(name)) == 1, name
    for name in SECURITY_HEADERS:
        assert own.headers[name] == parlours.headers[name]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics"])
def test_figures_are_not_for_strangers(gateway: NginxServer, nodes: list[ParlourNode], path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"
    answer = said_to(gateway, request.encode())
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"parlour_" not in answer
    assert httpx.get(f"{nodes[0].url}/metrics").status_code == 200
    with gateway.client() as client:
        assert client.get("/health/ready").json()["status"] == "ok"


@pytest.mark.parametrize(
    "path",
    [
        "/internal",
        "/internal/",
        "/internal/auth/profiles",
        "/internal/chat?x=1",
        "//internal//auth",
        "/%69nternal%2Fauth/profiles",
        "/api/auth/../../internal/auth",
        "/socket.io/%2e%2e/internal/auth",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_services_ask_each_other_is_for_nobody_else(gateway: NginxServer, path: str, method: str) -> None:
    """No node is asked, whatever secret comes along."""
    request_id = f"internal-{uuid4()}"
    request = f"{method} {path} HTTP/1.1\r\nHost: {NAME}\r\nX-Request-Id: {request_id}\r\nAuthorization: Bearer x\r\n"
    answer = said_to(gateway, f"{request}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404")
    assert b'"not_found"' in answer
    lines: list[dict[str, Any]] = []
    deadline = time.monotonic() + DEADLINE
    while not lines:
        assert time.monotonic() < deadline
        lines = [line for line in map(msgspec.json.decode, gateway.log_bytes()) if line["request_id"] == request_id]
    assert [line["upstream"] for line in lines] == [""]


def said_to(server: NginxServer, request: bytes) -> bytes:
    """Send these bytes over TLS; return all that comes until the other side closes."""
    with connected(server) as tls:
        tls.sendall(request)
        return b"".join(iter(lambda: tls.recv(65_536), b""))


@pytest.mark.parametrize(
    "request_",
    [
        b"garbage\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: strange\r\n\r\n",
    ],
    ids=["garbage", "no-host", "long-path", "long-header", "two-lengths", "unknown-encoding"],
)
def test_what_is_no_request_gets_an_error_of_the_usual_form(gateway: NginxServer, request_: bytes) -> None:
    head, _, body = said_to(gateway, request_).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "invalid_request"
    assert b"X-Content-Type-Options: nosniff" in head


def test_method_that_nobody_takes_gets_an_error_of_the_usual_form(gateway: NginxServer) -> None:
    with gateway.client() as client:
        answer = client.request("TRACE", "/")
        outside = client.get("/.gateway/invalid")
    assert (answer.status_code, code_of(answer)) == (405, "method_not_allowed")
    assert outside.status_code == 404


def test_body_that_is_too_large_gets_an_error_of_the_usual_form(gateway: NginxServer) -> None:
    with gateway.client() as client:
        refused = client.post("/api/rooms", content=b"x" * 131_073)
        chunked = client.post("/api/rooms", content=iter([b"x" * 65_536] * 3))
        polled = client.post(f"{HANDSHAKE}&sid=a.unknown", content=b"x" * 1_000_001)
        fitting = client.post(f"{HANDSHAKE}&sid=a.unknown", content=b"x" * 200_000)
    for answer, limit in ((refused, 131_072), (chunked, 131_072), (polled, 1_000_000)):
        assert (answer.status_code, code_of(answer)) == (413, "too_large")
        assert answer.json()["error"]["details"] == {"limit": limit}
    assert (fitting.status_code, fitting.json()) == (400, {"code": 1, "message": "Session ID unknown"})


def test_correlation_id_is_passed_on_where_it_is_harmless(gateway: NginxServer) -> None:
    with gateway.client() as client:
        for path in ("/health/ready", "/metrics"):
            named = client.get(path, headers={"x-request-id": "mine-12345678"})
            assert named.headers["x-request-id"] == "mine-12345678"
            for harmful in ("short", "a" * 65, 'with "quotes" in it'):
                made = client.get(path, headers={"x-request-id": harmful}).headers["x-request-id"]
                assert len(made) == 32, made


def test_log_is_json_whatever_strangers_send(gateway: NginxServer) -> None:
    with gateway.client() as client:
        client.get("/health/ready?secret=1", headers={"x-request-id": "logged-12345678"})
    hostile = b'GET /caf\xe9"\\?q=\xff HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: logged-hostile\r\n'
    said_to(gateway, hostile + b'User-Agent: \xff\xfe"\\\x1b[31m\r\nConnection: close\r\n\r\n')
    deadline = time.monotonic() + DEADLINE
    lines: dict[str, dict[str, Any]] = {}
    while not {"logged-12345678", "logged-hostile"} <= set(lines):
        assert time.monotonic() < deadline, lines.keys()
        lines = {line["request_id"]: line for line in map(msgspec.json.decode, gateway.log_bytes())}
    line = lines["logged-12345678"]
    assert (line["method"], line["path"], line["status"], line["address"]) == ("GET", "/health/ready", 200, "127.0.0.1")
    assert (line["tls"], line["upstream_status"]) == ("TLSv1.3", "200")
    assert lines["logged-hostile"]["agent"] == lines["logged-hostile"]["path"] == ""
    assert b"secret" not in gateway.access_log.read_bytes()


def test_status_is_on_loopback_alone(gateway: NginxServer) -> None:
    assert gateway.status().text.startswith("Active connections: ")
    with gateway.client() as client:
        assert "Active connections" not in client.get("/stub_status").text
    listening = {
        (line.split()[1]) for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    }
    port = f":{gateway.status_port:04X}"
    assert [each for each in listening if each.endswith(port)] == [f"0100007F{port}"]
    tcp6 = Path("/proc/net/tcp6")
    assert not tcp6.exists() or port not in tcp6.read_text()
