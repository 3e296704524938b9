"""Which node is asked, and for how long."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from parlour.nginx import Node

from ...conformance.websocket import WebSocket
from ...nginx_server import NAME, OPEN, Certificate, NginxServer
from ...ports import free_port
from ..socketio_client import Client
from ..whole_server import PORTS
from .behind import DEADLINE, HANDSHAKE, ParlourNode, code_of, gateway_of, parlour_node


class DyingNode:
    """Takes requests, counts them by method, and hangs up."""

    def __init__(self) -> None:
        self.methods: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", free_port(PORTS)))
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


async def test_websockets_speak_both_ways(tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode]) -> None:
    people = [nodes[0].person(name) for name in ("ann", "bob")]
    room_id = people[0].room(members=(people[1],))
    with gateway_of(tmp_path, certificate, [nodes[0]]) as server:  # accounts are each node's own here
        sockets = [await Client.connect(server.url, {"token": each.token}, certificate.client()) for each in people]
        for client in sockets:
            await client.wait_for("ready")
        ann, bob = sockets
        for speaker, listener, text in ((ann, bob, "hello"), (bob, ann, "and back")):
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


def test_each_role_has_its_paths(
    tmp_path: Path, certificate: Certificate, nodes: list[ParlourNode], dying: DyingNode
) -> None:
    a, b, video = (*(each.node for each in nodes), dying.node)
    expected = {
        "/api/auth/me": b.address,
        "/api/users": b.address,
        "/.well-known/jwks.json": b.address,
        "/api/calls/ice": video.address,
        "/api/rooms/018f2d4e-0000-4000-8000-000000000000/call": video.address,
        "/api/rooms/018f2d4e-0000-4000-8000-000000000000/calls": a.address,
        "/api/rooms": a.address,
        "/health/ready": a.address,
        "/socket.io/": a.address,
        "/rooms/of/the/client": a.address,
    }
    with gateway_of(tmp_path, certificate, [a], auth=(b,), video=(video,)) as server:
        with server.client() as client:
            for path in expected:
                client.get(path)
        server.stop()  # which writes what is left of the log
        seen = {line["path"]: line["upstream"] for line in map(json.loads, server.log_bytes())}
    assert seen == expected
