"""What one address may do, and who counts as one."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec

from ...conformance.websocket import WebSocket
from ...nginx_server import NAME, OPEN, Certificate, NginxServer
from ..whole_server import PASSWORD
from .behind import DEADLINE, ParlourNode, code_of, connected, gateway_of


async def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until `condition()` holds."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        await asyncio.sleep(0.05)


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
    assert refused, "30 requests did not take 28 seconds"
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
    assert 429 in same
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
        server.client(address="127.0.0.1") as neighbour,
        server.client(address="127.0.0.2") as stranger,
        server.client(address="127.0.0.3") as proxy,
    ):
        # Parlour itself believes 127.0.0.1, where NGINX is: what NGINX passed on of the client's own would be taken for true.
        assert address_seen(neighbour, "neighbour", "203.0.113.9") == "127.0.0.1"
        assert address_seen(stranger, "stranger", "203.0.113.9") == "127.0.0.2"
        assert address_seen(proxy, "proxied", "203.0.113.9") == "203.0.113.9"
        assert address_seen(proxy, "chained", "198.51.100.1, 203.0.113.9, 10.1.1.1") == "203.0.113.9"
