"""The whole server as a subprocess, and people who use it over HTTP and sockets."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from ..ports import free_port, own
from ..zygote import Command
from .socketio_client import DEADLINE, Client

PORTS = own(range(31_800, 31_900))
"""Below 32768, so that no client's outgoing connection is given one of them."""

PASSWORD = "correct horse battery"
START_DEADLINE = 60.0


class WholeServer:
    """One `parlour serve` on a data directory of its own; `setting=value` becomes PARLOUR_SETTING."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.data_dir = folder / "data"
        self.log = folder / "server.log"
        self.port = free_port(PORTS)
        self.url = f"http://127.0.0.1:{self.port}"
        own = {f"PARLOUR_{name.upper()}": str(value) for name, value in settings.items()}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PARLOUR_")}
        arguments = ["serve", "--port", str(self.port), "--data-dir", str(self.data_dir)]
        with self.log.open("ab") as sink:
            self.process = Command(arguments, inherited | own, stdout=sink, stderr=sink)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f"the server did not get ready:\n{self.log.read_text(errors='replace')}")

    def log_lines(self) -> list[dict[str, Any]]:
        """Every line of the log so far; a line that is no JSON object fails."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        """Ask it to end, and return its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def person(self, username: str) -> "Person":
        """Register somebody."""
        answer = httpx.post(
            f"{self.url}/api/auth/register",
            json={"username": username, "email": f"{username}@example.org", "password": PASSWORD},
            timeout=DEADLINE,
        )
        assert answer.status_code == 201, answer.text
        return Person(self.url, answer.json())


@contextmanager
def whole_server(folder: Path, **settings: object) -> Iterator[WholeServer]:
    """Serve until the block ends; it must end in order."""
    server = WholeServer(folder, **settings)
    try:
        yield server
    finally:
        status = server.stop()
    assert status == 0, server.log.read_text(errors="replace")[-4000:]


class Person:
    """Somebody with an account, logged in."""

    def __init__(self, url: str, grant: dict[str, Any]) -> None:
        self.url = url
        self.id: str = grant["user"]["id"]
        self.token: str = grant["access_token"]
        self.refresh_token: str = grant["refresh_token"]

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask over HTTP with this person's token."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=DEADLINE, **options)

    def room(self, kind: str = "private", members: tuple["Person", ...] = ()) -> str:
        """Create a room and return its id."""
        body = {"name": "a room", "kind": kind, "members": [member.id for member in members]}
        answer = self.request("POST", "/api/rooms", json=body)
        assert answer.status_code == 201, answer.text
        room_id: str = answer.json()["id"]
        return room_id

    def send(self, room_id: str, text: str) -> dict[str, Any]:
        """Send a message over HTTP and return the answer."""
        body = {"client_id": str(uuid4()), "text": text}
        answer = self.request("POST", f"/api/rooms/{room_id}/messages", json=body)
        assert answer.status_code == 201, answer.text
        placed: dict[str, Any] = answer.json()
        return placed

    def head(self, room_id: str) -> int:
        """The seq of the room's last event."""
        head: int = self.request("GET", f"/api/rooms/{room_id}/messages").json()["head"]
        return head

    async def connect(self) -> Client:
        """Open a socket and wait for `ready`."""
        client = await Client.connect(self.url, {"token": self.token})
        await client.wait_for("ready")
        return client


class Conversation:
    """Two bystanders who answer each other for as long as it lasts."""

    def __init__(self, first: Client, second: Client, room_id: str) -> None:
        self._clients = (first, second)
        self._room_id = room_id
        self.exchanged = 0
        self._turn = asyncio.Event()

    async def exchange(self) -> None:
        """Say something and wait until the other has it, in turns; whoever waits longer than `DEADLINE` fails."""
        speaker, listener = self._clients[self.exchanged % 2], self._clients[1 - self.exchanged % 2]
        text = f"turn {self.exchanged}"
        command = {"room_id": self._room_id, "client_id": str(uuid4()), "text": text}
        answer = await speaker.call("message.send", command)
        assert answer["ok"], answer
        await listener.wait_for("event", lambda event: event["data"].get("text") == text)
        self.exchanged += 1
        self._turn.set()

    async def go_on(self) -> None:
        while True:
            await self.exchange()
            await asyncio.sleep(0.01)

    async def progress(self, turns: int = 3) -> None:
        """Wait until they have exchanged some more."""
        goal = self.exchanged + turns
        async with asyncio.timeout(2 * DEADLINE):
            while self.exchanged < goal:
                self._turn.clear()
                await self._turn.wait()


@asynccontextmanager
async def bystanders(ann: Person, bob: Person, room_id: str) -> AsyncIterator[Conversation]:
    """Let two people talk while the block runs; fails when they could not, or heard anything but a dense log."""
    first, second = await ann.connect(), await bob.connect()
    conversation = Conversation(first, second, room_id)
    talking = asyncio.create_task(conversation.go_on())
    try:
        await conversation.progress()
        yield conversation
        if talking.done():
            await talking
        await conversation.progress()
    finally:
        talking.cancel()
        failure = (await asyncio.gather(talking, return_exceptions=True))[0]
        await first.close()
        await second.close()
    assert isinstance(failure, asyncio.CancelledError), failure
    for client in (first, second):
        seqs = [event.data["seq"] for event in client.named("event") if event.data["room_id"] == room_id]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
