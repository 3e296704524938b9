"""Parlour behind NGINX: nodes, what they serve, and how tests look at it."""

import contextlib
import gzip
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from parlour.nginx import Node

from ...nginx_server import NAME, Certificate, NginxServer, nginx
from ...ports import free_port
from ..whole_server import PORTS, WholeServer

DEADLINE = 30.0
SCRIPT = "console.log('hello');\n" * 200
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"
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


def free_ports() -> tuple[int, int, int]:
    ports: set[int] = set()
    while len(ports) < 3:
        ports.add(free_port(PORTS))
    return tuple(ports)


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
