"""Parlour behind NGINX as it is configured for it: the real NGINX, real nodes, and clients over TLS."""

import asyncio
import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from parlour.nginx import Node

from ..conformance.websocket import WebSocket
from ..nginx_server import NAME, OPEN, Certificate, NginxServer, nginx
from .socketio_client import Client
from .whole_server import PASSWORD, WholeServer, free_port

DEADLINE = 30.0
SECURITY_HEADERS = (
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "content-security-policy",
    "strict-transport-security",
)
SCRIPT = "console.log('hello');\n" * 200
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


def free_ports() -> tuple[int, int, int]:
    ports: set[int] = set()
    while len(ports) < 3:
        ports.add(free_port())
    return tuple(ports)  # type: ignore[return-value]  # three


def client_files(folder: Path, *names: str) -> Path:
    """A built web client, small as it is."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Parlour</title>")
    for name in names:
        (folder / "assets" / name).write_text(SCRIPT)
        (folder / "assets" / f"{name}.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    return folder


class ParlourNode(WholeServer):
    """A `parlour serve` with a node id, known to NGINX by it."""

    def __init__(self, folder: Path, node_id: str, **settings: object) -> None:
        folder.mkdir()
        super().__init__(folder, node_id=node_id, public_url=f"https://{NAME}", **settings)
        self.node = Node(node_id, "127.0.0.1", self.port)


@contextlib.contextmanager
def parlour_node(folder: Path, node_id: str, **settings: object) -> Iterator[ParlourNode]:
    node = ParlourNode(folder / node_id, node_id, **settings)
    try:
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ParlourNode]]:
    """Two nodes; the second has a file of the web client's that the first has not, as in a rolling deploy."""
    folder = tmp_path_factory.mktemp("nodes")
    older = client_files(folder / "older", "app-0123.js")
    newer = client_files(folder / "newer", "app-0123.js", *(f"new-{index}.js" for index in range(6)))
    with parlour_node(folder, "a", web_dir=older) as a, parlour_node(folder, "b-2", web_dir=newer) as b:
        yield [a, b]


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, certificate: Certificate, nodes: list[ParlourNode]
) -> Iterator[NginxServer]:
    with gateway_of(tmp_path_factory.mktemp("nginx"), certificate, nodes) as server:
        yield server


def gateway_of(
    folder: Path, certificate: Certificate, nodes: Sequence[ParlourNode | Node], **fields: Any
) -> contextlib.AbstractContextManager[NginxServer]:
    behind = [node if isinstance(node, Node) else node.node for node in nodes]
    return nginx(folder / "nginx", certificate, free_ports(), behind, **fields)


def code_of(answer: httpx.Response) -> str:
    """The code of an error, in the one form that errors have."""
    assert answer.headers["content-type"].startswith("application/json")
    said = answer.json()
    assert set(said) == {"error"}
    assert said["error"]["message"]
    code: str = said["error"]["code"]
    return code


async def eventually(condition: Any, what: str) -> None:
    """Wait until `condition()` holds."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        await asyncio.sleep(0.05)


# TLS, HTTP/2 and names


@contextlib.contextmanager
def connected(
    server: NginxServer, context: ssl.SSLContext | None = None, *, name: str = NAME
) -> Iterator[ssl.SSLSocket]:
    """A bare TLS connection."""
    with (
        socket.create_connection(("127.0.0.1", server.port), DEADLINE) as raw,
        (context or server.certificate.client()).wrap_socket(raw, server_hostname=name) as tls,
    ):
        yield tls


def shake_hands(server: NginxServer, version: ssl.TLSVersion, *, name: str = NAME) -> str | None:
    """Return the version that was agreed on when this is the only one that the client knows."""
    context = server.certificate.client()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL itself would not try TLS 1.1
    context.minimum_version = context.maximum_version = version
    with connected(server, context, name=name) as tls:
        return tls.version()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_3_alone_is_spoken(gateway: NginxServer) -> None:
    assert shake_hands(gateway, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    for old in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1):
        with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
            shake_hands(gateway, old)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_2_is_spoken_too_where_it_is_wanted(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]
) -> None:
    with gateway_of(tmp_path, certificate, nodes, tls_1_2=True) as server:
        for version, agreed in ((ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
            assert shake_hands(server, version) == agreed
        with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
            shake_hands(server, ssl.TLSVersion.TLSv1_1)


def test_http_2_is_agreed_on_and_answers(gateway: NginxServer) -> None:
    context = gateway.certificate.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority, path = f"{NAME}:{gateway.port}".encode(), b"/health/ready"
    # RFC 7541 appendix A: GET, https, then path and authority by the static table's names
    block = b"\x82\x87\x04" + bytes([len(path)]) + path + b"\x01" + bytes([len(authority)]) + authority
    with connected(gateway, context) as tls:
        assert tls.selected_alpn_protocol() == "h2"
        settings = b"\0\0\0\4\0\0\0\0\0"
        headers = len(block).to_bytes(3) + b"\1\5" + (1).to_bytes(4) + block  # HEADERS: END_STREAM, END_HEADERS
        tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + headers)
        reader = tls.makefile("rb")
        while True:
            head = reader.read(9)
            payload = reader.read(int.from_bytes(head[:3]))
            if head[3] == 1:
                break
    assert payload[0] == 0x88, "RFC 7541 appendix A: status 200"


def test_other_names_are_refused(gateway: NginxServer) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        shake_hands(gateway, ssl.TLSVersion.TLSv1_3, name="other.example")
    with gateway.client() as client:
        refused = client.get("/health/ready", headers={"host": "other.example"}, extensions={"sni_hostname": NAME})
    assert refused.status_code == 421
    assert code_of(refused) == "invalid_request"
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):  # hung up, without a word
        httpx.get(f"http://127.0.0.1:{gateway.plain_port}/", headers={"host": "other.example"})


def test_plain_http_is_shown_the_way(gateway: NginxServer) -> None:
    answer = httpx.post(f"http://{NAME}:{gateway.plain_port}/api/rooms?a=b", follow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"https://{NAME}:{gateway.port}/api/rooms?a=b"
    wrong = httpx.get(f"http://{NAME}:{gateway.port}/x?y", follow_redirects=False)
    assert (wrong.status_code, wrong.headers["location"]) == (308, f"https://{NAME}:{gateway.port}/x?y")


# What NGINX answers by itself


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


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics", "/health"])
def test_operators_paths_are_not_for_strangers(gateway: NginxServer, nodes: list[ParlourNode], path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"
    answer = said_to(gateway, request.encode())
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"parlour_" not in answer
    assert httpx.get(f"{nodes[0].url}/metrics").status_code == 200
    with gateway.client() as client:
        assert client.get("/health/ready").json()["status"] == "ok"


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


# Limits


def test_requests_of_one_address_are_limited_and_of_another_are_not(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]
) -> None:
    limits = msgspec.structs.replace(OPEN, requests_per_second=1, burst=2)
    with (
        gateway_of(tmp_path, certificate, nodes, limits=limits) as server,
        server.client() as client,
        server.client(address="127.0.0.2") as other,
    ):
        # Their own word for who they are counts for nothing.
        answers = [client.get("/health/live", headers={"x-forwarded-for": f"10.0.0.{n}"}) for n in range(30)]
        assert other.get("/health/live").status_code == 200
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) > 10
    for answer in refused:
        assert (answer.status_code, code_of(answer)) == (429, "rate_limited")
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"]["retry_after"] == 1
        assert answer.headers["x-frame-options"] == "DENY"


def test_networks_of_ipv6_are_limited_as_one(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]
) -> None:
    limits = msgspec.structs.replace(OPEN, requests_per_second=1, burst=1)
    trusted = {"trusted_proxies": ("127.0.0.0/8",), "limits": limits}
    with gateway_of(tmp_path, certificate, nodes, **trusted) as server, server.client() as client:

        def ask(address: str) -> int:
            return client.get("/health/live", headers={"x-forwarded-for": address}).status_code

        same = [ask(f"2001:db8:0:a::{n:x}") for n in range(1, 31)]
        different = [ask(f"2001:db8:0:{n:x}::a0a") for n in range(0xB, 0x29)]
    assert same[0] == 200
    assert same.count(429) > 10
    assert different == [200] * 30


async def test_connections_of_one_address_are_limited(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]
) -> None:
    limits = msgspec.structs.replace(OPEN, connections=3)
    with gateway_of(tmp_path, certificate, nodes, limits=limits) as server:
        tls = certificate.client()
        url = f"wss://{NAME}:{server.port}/socket.io/?EIO=4&transport=websocket"
        sockets = [await WebSocket.connect(url, tls=tls) for _ in range(3)]
        with server.client() as client, server.client(address="127.0.0.2") as other:
            refused = client.get("/health/live")
            assert (refused.status_code, code_of(refused)) == (429, "rate_limited")
            assert other.get("/health/live").status_code == 200
            for each in sockets:
                await each.close()
            await eventually(lambda: client.get("/health/live").status_code == 200, "room for another connection")


def cut_after(server: NginxServer, first: bytes, drip: bytes) -> float:
    """Send `first`, then `drip` again and again; return the seconds until the other side has closed."""
    with connected(server) as tls:
        began = time.monotonic()
        tls.settimeout(0.2)
        try:
            tls.sendall(first)
            while time.monotonic() < began + DEADLINE:
                tls.sendall(drip)
                with contextlib.suppress(TimeoutError):
                    if not tls.recv(65_536):
                        break
        except OSError:
            pass
        return time.monotonic() - began


def test_slow_clients_are_cut_while_others_are_served(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]
) -> None:
    limits = msgspec.structs.replace(OPEN, header_seconds=2, body_seconds=2)
    with gateway_of(tmp_path, certificate, nodes, limits=limits) as server:
        seconds: dict[str, float] = {}
        slow = {
            "header": (b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n"),
            "body": (b"POST /api/rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{", b""),
        }
        threads = [
            threading.Thread(target=lambda kind=kind: seconds.update({kind: cut_after(server, *slow[kind])}))
            for kind in slow
        ]
        for thread in threads:
            thread.start()
        with server.client() as client:
            assert all(client.get("/health/live").status_code == 200 for _ in range(5))
        for thread in threads:
            thread.join(2 * DEADLINE)
    assert set(seconds) == {"header", "body"}
    assert all(1 < each < DEADLINE for each in seconds.values()), seconds


# Who is asking


def address_seen(client: httpx.Client, username: str, forwarded: str) -> str:
    """Register somebody; the address that Parlour keeps of the session."""
    body = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
    granted = client.post("/api/auth/register", json=body, headers={"x-forwarded-for": forwarded})
    assert granted.status_code == 201, granted.text
    token = granted.json()["access_token"]
    listed = client.get("/api/auth/sessions", headers={"authorization": f"Bearer {token}"}).json()
    address: str = listed["sessions"][0]["address"]
    return address


def test_forwarded_addresses_are_believed_of_the_proxy_alone(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]
) -> None:
    one = [nodes[0]]
    with (
        gateway_of(tmp_path, certificate, one, trusted_proxies=("127.0.0.3", "10.0.0.0/8")) as server,
        server.client(address="127.0.0.2") as stranger,
        server.client(address="127.0.0.3") as proxy,
    ):
        assert address_seen(stranger, "stranger", "203.0.113.9") == "127.0.0.2"
        assert address_seen(proxy, "proxied", "203.0.113.9") == "203.0.113.9"
        assert address_seen(proxy, "chained", "198.51.100.1, 203.0.113.9, 10.1.1.1") == "203.0.113.9"


# Assets


def test_assets_are_kept_and_confirmed_by_their_tags(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]
) -> None:
    plain = {"accept-encoding": "identity"}
    with gateway_of(tmp_path, certificate, nodes) as server, server.client() as client:
        first, second = (client.get("/assets/app-0123.js", headers=plain) for _ in range(2))
        assert [first.headers["x-cache-status"], second.headers["x-cache-status"]] == ["MISS", "HIT"]
        assert second.text == SCRIPT
        assert second.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert second.headers["etag"] == first.headers["etag"]
        assert second.headers["x-request-id"] != first.headers["x-request-id"]
        for name in SECURITY_HEADERS:
            assert len(second.headers.get_list(name)) == 1, name
        confirmed = client.get("/assets/app-0123.js", headers=plain | {"if-none-match": second.headers["etag"]})
        assert (confirmed.status_code, confirmed.content) == (304, b"")

        zipped = client.get("/assets/app-0123.js?v=2", headers={"accept-encoding": "gzip, deflate"})
        assert zipped.headers["content-encoding"] == "gzip"
        assert zipped.text == SCRIPT
        assert zipped.headers["etag"] != first.headers["etag"]
        refused = client.get("/assets/app-0123.js", headers={"accept-encoding": "gzip;q=0"})
        assert "content-encoding" not in refused.headers

        page = client.get("/")
        assert page.headers["cache-control"] == "no-cache"
        assert "x-cache-status" not in page.headers
        again = client.get("/", headers={"if-none-match": page.headers["etag"]})
        assert (again.status_code, again.headers["etag"]) == (304, page.headers["etag"])


def test_asset_that_one_node_has_not_is_asked_of_another(gateway: NginxServer, nodes: list[ParlourNode]) -> None:
    assert httpx.get(f"{nodes[0].url}/assets/new-0.js").status_code == 404
    with gateway.client() as client:
        assert [client.get(f"/assets/new-{index}.js").status_code for index in range(6)] == [200] * 6
        assert client.get("/assets/nowhere.js").status_code == 404


def test_assets_are_there_while_no_node_is(tmp_path: Path, certificate: Certificate) -> None:
    with (
        parlour_node(tmp_path, "a", web_dir=client_files(tmp_path / "web", "app-0123.js")) as node,
        gateway_of(tmp_path, certificate, [node]) as server,
        server.client() as client,
    ):
        assert client.get("/assets/app-0123.js").status_code == 200
        node.stop()
        assert client.get("/assets/app-0123.js").text == SCRIPT
        down = client.get("/")
        assert (down.status_code, code_of(down)) == (503, "unavailable")
        assert down.headers["retry-after"] == "1"


def test_answers_are_compressed_but_not_those_with_tokens(gateway: NginxServer) -> None:
    with gateway.client() as client:
        schema = client.get("/schema/openapi.json", headers={"accept-encoding": "gzip"})
        body = {"username": "zipped", "email": "zipped@example.org", "password": PASSWORD, "display_name": "z"}
        granted = client.post("/api/auth/register", json=body, headers={"accept-encoding": "gzip"})
    assert schema.headers["content-encoding"] == "gzip"
    assert granted.status_code == 201
    assert "content-encoding" not in granted.headers


# The next node


class DyingNode:
    """Takes requests, counts them by method, and hangs up."""

    def __init__(self) -> None:
        self.methods: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.node = Node("dying", "127.0.0.1", self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                head = connection.recv(65_536)
                if not head:
                    return
                self.methods.append(head.partition(b" ")[0].decode())

    def stop(self) -> None:
        with socket.create_connection(self._listener.getsockname()):
            pass
        self._thread.join(DEADLINE)
        self._listener.close()


@pytest.fixture
def dying() -> Iterator[DyingNode]:
    node = DyingNode()
    yield node
    node.stop()


@pytest.mark.parametrize(
    ("method", "repeated"), [("GET", True), ("PUT", True), ("DELETE", True), ("POST", False), ("PATCH", False)]
)
def test_only_what_does_no_harm_is_asked_of_the_next_node(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode], dying: DyingNode, method: str, repeated: bool
) -> None:
    with gateway_of(tmp_path, certificate, [dying.node, nodes[0]]) as server, server.client() as client:
        answers = []
        deadline = time.monotonic() + DEADLINE
        while not dying.methods:
            assert time.monotonic() < deadline
            answers.append(client.request(method, "/api/nothing", json={}))
    assert dying.methods == [method]
    lost = [answer for answer in answers if answer.status_code != 404]
    if repeated:
        assert not lost
    else:
        assert [(answer.status_code, code_of(answer)) for answer in lost] == [(503, "unavailable")]


# Sockets


async def test_websockets_speak_both_ways(tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]) -> None:
    people = [nodes[0].person(name) for name in ("ann", "bob")]
    room_id = people[0].room(members=(people[1],))
    with gateway_of(tmp_path, certificate, [nodes[0]]) as server:  # accounts are each node's own here
        sockets = [await Client.connect(server.url, {"token": each.token}, certificate.client()) for each in people]
        for client in sockets:
            await client.wait_for("ready")
        for speaker, listener, text in ((*sockets, "hello"), (*reversed(sockets), "and back")):
            command = {"room_id": room_id, "client_id": str(uuid4()), "text": text}
            assert (await speaker.call("message.send", command))["ok"]
            await listener.wait_for("event", lambda event, text=text: event["data"].get("text") == text)
        for client in sockets:
            await client.close()


async def test_sessions_move_from_polling_to_the_websocket_of_their_node(gateway: NginxServer) -> None:
    tls = gateway.certificate.client()
    seen = set()
    with gateway.client() as client:
        for _ in range(10):
            sid = json.loads(client.get(HANDSHAKE).text[1:])["sid"]
            seen.add(sid.partition(".")[0])
            url = f"wss://{NAME}:{gateway.port}/socket.io/?EIO=4&transport=websocket&sid={sid}"
            socket_ = await WebSocket.connect(url, tls=tls)
            socket_.send("2probe")
            assert await socket_.text() == "3probe"
            await socket_.close()
    assert seen == {"a", "b-2"}


def test_poll_may_hang_for_longer_than_any_other_answer(tmp_path: Path, certificate: Certificate) -> None:
    limits = msgspec.structs.replace(OPEN, answer_seconds=1)
    with parlour_node(tmp_path, "a", ping_interval_ms=5_000) as node:
        fields = {"limits": limits, "ping_interval_ms": 5_000, "ping_timeout_ms": 20_000}
        with gateway_of(tmp_path, certificate, [node], **fields) as server, server.client() as client:
            opened = json.loads(client.get(HANDSHAKE).text[1:])
            began = time.monotonic()
            polled = client.get(f"{HANDSHAKE}&sid={opened['sid']}")
            assert (polled.status_code, polled.text) == (200, "2")
            assert time.monotonic() - began > 2, "the poll did not hang for longer than an answer may take"


# Affinity


class Lost(Exception):
    """The session is not known any more, said as the protocol says it."""


class PollingClient:
    """A Socket.IO client on long-polling that comes back when its session is lost, and remembers why it was."""

    def __init__(self, http: httpx.AsyncClient, tokens: dict[str, str]) -> None:
        self._http = http
        self._tokens = tokens
        self.sid = ""
        self.exchanges = 0
        self.lost: list[str] = []
        self.failures: list[str] = []
        self._number = 0

    @property
    def node_id(self) -> str:
        return self.sid.partition(".")[0]

    async def run(self) -> None:
        while True:
            try:
                await self._open()
                while True:
                    await self._exchange()
                    self.exchanges += 1
                    await asyncio.sleep(0.2)  # a pace that leaves the machine some room
            except Lost:
                self.lost.append(self.sid)
                self.sid = ""

    async def _ask(self, method: str, content: str | None = None) -> str:
        sid = f"&sid={self.sid}" if self.sid else ""
        answer = await self._http.request(method, HANDSHAKE + sid, content=content)
        if self.sid and answer.status_code == 400 and answer.json() == {"code": 1, "message": "Session ID unknown"}:
            raise Lost
        if answer.status_code != 200:
            self.failures.append(f"{method} {self.sid}: {answer.status_code} {answer.text}")
            raise Lost
        return answer.text

    async def _open(self) -> None:
        self.sid = json.loads((await self._ask("GET"))[1:])["sid"]
        await self._ask("POST", "40" + json.dumps({"token": self._tokens[self.node_id]}))
        await self._until("40")

    async def _exchange(self) -> None:
        self._number += 1
        await self._ask("POST", f"42{self._number}" + json.dumps(["sync", {"rooms": {}}]))
        await self._until(f"43{self._number}[")

    async def _until(self, beginning: str) -> None:
        while True:
            packets = (await self._ask("GET")).split("\x1e")
            if "2" in packets:
                await self._ask("POST", "3")
            if any(packet.startswith(beginning) for packet in packets):
                return


def asynchronous(server: NginxServer) -> httpx.AsyncClient:
    """A client whose requests each have a connection of their own: idle ones end when NGINX is loaded anew."""
    transport = httpx.AsyncHTTPTransport(
        verify=server.certificate.client(), limits=httpx.Limits(max_connections=None, max_keepalive_connections=0)
    )
    return httpx.AsyncClient(transport=transport, base_url=server.url, timeout=120)


@pytest.mark.timeout(400)
async def test_200_polling_clients_keep_their_nodes_while_one_joins_and_one_is_killed(
    tmp_path: Path, certificate: Certificate
) -> None:
    settings = {"rates": '{"sync": "1000000/minute"}', "max_sockets_per_user": 1_000, "ping_timeout_ms": 120_000}
    with contextlib.ExitStack() as ending:
        a, b = (ending.enter_context(parlour_node(tmp_path, node_id, **settings)) for node_id in "ab")
        server = ending.enter_context(gateway_of(tmp_path, certificate, [a, b], ping_timeout_ms=120_000))
        tokens = {node.node.node_id: node.person("somebody").token for node in (a, b)}
        http = asynchronous(server)
        clients = [PollingClient(http, tokens) for _ in range(200)]
        running = [asyncio.create_task(client.run()) for client in clients]

        async def progress(who: Sequence[PollingClient], exchanges: int = 3) -> None:
            goals = [client.exchanges + exchanges for client in who]
            async with asyncio.timeout(100):
                while any(client.exchanges < goal for client, goal in zip(who, goals, strict=True)):
                    for task in running:
                        if task.done():
                            task.result()
                    await asyncio.sleep(0.1)

        try:
            await progress(clients)
            before = [client.sid for client in clients]
            of_b = [client for client in clients if client.node_id == "b"]
            assert 60 <= len(of_b) <= 140

            c = ending.enter_context(parlour_node(tmp_path, "c", **settings))
            tokens["c"] = c.person("somebody").token
            await asyncio.to_thread(server.reload, chat=(a.node, b.node, c.node))
            await progress(clients)
            assert [client.sid for client in clients] == before, "a session moved when a node joined"
            late = [PollingClient(http, tokens) for _ in range(30)]
            running += [asyncio.create_task(client.run()) for client in late]
            await progress(late, 1)
            assert {client.node_id for client in late} == {"a", "b", "c"}
            of_b += [client for client in late if client.node_id == "b"]
            everybody = clients + late
            others = [client for client in everybody if client not in of_b]
            kept = [client.sid for client in others]
            assert not any(client.lost or client.failures for client in everybody)

            b.process.kill()
            await progress(of_b)
            assert all(len(client.lost) == 1 and client.lost[0].startswith("b.") for client in of_b)
            assert {client.node_id for client in of_b} == {"a", "c"}
            await asyncio.to_thread(server.reload, chat=(a.node, c.node))
            await progress(everybody)
            assert [client.sid for client in others] == kept, "a session of a living node moved"
            assert not [failure for client in everybody for failure in client.failures]
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await http.aclose()
        with server.client() as client:  # of a node that is in no configuration any more, any other says the same
            gone = client.get(f"{HANDSHAKE}&sid={of_b[0].lost[0]}")
            assert (gone.status_code, gone.json()["message"]) == (400, "Session ID unknown")
