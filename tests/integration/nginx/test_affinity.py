"""Sessions of long-polling stay with their node while nodes come and go."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from ...nginx_server import NAME, OPEN, Certificate, NginxServer
from .behind import HANDSHAKE, gateway_of, parlour_node

UNKNOWN_SESSION = {"code": 1, "message": "Session ID unknown"}


class Lost(Exception):
    """The session is not known any more, said as the protocol says it."""


class PollingClient:
    """A Socket.IO client on long-polling that comes back when its session is lost, and remembers why it was."""

    def __init__(self, server: NginxServer, tls: ssl.SSLContext, tokens: dict[str, str]) -> None:
        self._port = server.port
        self._tls = tls
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

    async def _ask(self, method: str, content: str = "") -> str:
        """Ask on a connection of its own: idle ones end when NGINX is loaded anew."""
        path = f"{HANDSHAKE}&sid={self.sid}" if self.sid else HANDSHAKE
        length = f"Content-Length: {len(content)}\r\n" if content else ""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._tls, server_hostname=NAME)
        try:
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n{length}\r\n{content}".encode()
            )
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        finally:
            writer.transport.abort()
        status = head.partition("\r\n")[0]
        if self.sid and status == "HTTP/1.1 400 Bad Request" and json.loads(body) == UNKNOWN_SESSION:
            raise Lost
        if status != "HTTP/1.1 200 OK":
            self.failures.append(f"{method} {self.sid}: {head} {body}")
            raise Lost
        return body

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


@pytest.mark.timeout(900)
async def test_200_polling_clients_keep_their_nodes_while_one_joins_and_one_is_killed(
    tmp_path: Path, certificate: Certificate
) -> None:
    settings = {"rates": '{"sync": "1000000/minute"}', "max_sockets_per_user": 1_000, "ping_timeout_ms": 120_000}
    with contextlib.ExitStack() as ending:
        a, b = (ending.enter_context(parlour_node(tmp_path, node_id, **settings)) for node_id in "ab")
        # 200 clients in one process of a busy machine are slow by themselves: nobody is to be cut for that.
        patient = msgspec.structs.replace(OPEN, header_seconds=300, body_seconds=300, answer_seconds=300)
        fields = {"limits": patient, "ping_timeout_ms": 120_000}
        server = ending.enter_context(gateway_of(tmp_path, certificate, [a, b], **fields))
        tokens = {node.node.node_id: node.person("somebody").token for node in (a, b)}
        tls = certificate.client()
        clients = [PollingClient(server, tls, tokens) for _ in range(200)]
        running = [asyncio.create_task(client.run()) for client in clients]

        async def progress(who: Sequence[PollingClient], exchanges: int = 2) -> None:
            goals = [client.exchanges + exchanges for client in who]
            async with asyncio.timeout(200):
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
            late = [PollingClient(server, tls, tokens) for _ in range(30)]
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
        with server.client() as client:  # of a node that is in no configuration any more, any other says the same
            gone = client.get(f"{HANDSHAKE}&sid={of_b[0].lost[0]}")
            assert (gone.status_code, gone.json()["message"]) == (400, "Session ID unknown")
