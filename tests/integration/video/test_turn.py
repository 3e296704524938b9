"""The credentials that the server hands out open a relay of the coturn that `make turn` starts."""

import asyncio
import base64
import hashlib
import hmac
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ...ports import own
from ..whole_server import whole_server
from .house import House, direct, join, start
from .turn_client import Address, TurnClient, TurnError

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "turn.py"
PORTS = own(range(31_560, 31_600))
"""A port, and the next four for relays."""

SECRET = "north lamp harbour quill"
DEADLINE = 20.0


class Relay(NamedTuple):
    """A server that names a coturn, and where that is."""

    house: House
    address: Address


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    if shutil.which("turnserver") is None:
        pytest.fail("coturn is missing: run make setup")
    port = free_ports()
    command = [sys.executable, str(SCRIPT), "--port", str(port), "--relay-ports", f"{port + 1}-{port + 4}"]
    folder = tmp_path_factory.mktemp("turn")
    with (folder / "coturn.log").open("wb") as log:
        coturn = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PARLOUR_TURN_SECRET": SECRET})
    settings = {
        "turn_urls": f"turn:127.0.0.1:{port}?transport=udp,turn:127.0.0.1:{port}?transport=tcp",
        "stun_urls": f"stun:127.0.0.1:{port}",
        "turn_secret": SECRET,
    }
    try:
        wait_for(("127.0.0.1", port), coturn, folder / "coturn.log")
        with whole_server(folder, **settings) as server:
            yield Relay(House(server), ("127.0.0.1", port))
    finally:
        coturn.terminate()
        coturn.wait(10)


def free_ports() -> int:
    """The first of five UDP ports in a row that nobody has."""
    for port in random.sample(PORTS[:-4], len(PORTS) - 4):
        try:
            for each in range(port, port + 5):
                with socket.socket(type=socket.SOCK_DGRAM) as probe:
                    probe.bind(("127.0.0.1", each))
        except OSError:
            continue
        return port
    pytest.fail(f"no free ports in {PORTS}")


def wait_for(address: Address, coturn: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until coturn takes connections (TCP, on the same port as UDP)."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and coturn.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(address) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"coturn does not start:\n{log.read_text(errors='replace')[-2000:]}")


async def in_a_call(relay: Relay) -> list[dict[str, Any]]:
    """The TURN servers that two people in a call are given."""
    ann, bob = await relay.house.people("ann", "bob")
    first, second = await ann.connect(), await bob.connect()
    begun = await start(first, await direct(ann, bob))
    joined = await join(second, begun["call"]["id"])
    await first.close()
    await second.close()
    servers = [answer["ice_servers"][-1] for answer in (begun, joined)]
    assert all(server["urls"][0] == f"turn:127.0.0.1:{relay.address[1]}?transport=udp" for server in servers)
    return servers


async def test_two_in_a_call_reach_each_other_through_the_relay(relay: Relay) -> None:
    servers = await in_a_call(relay)
    clients = [await TurnClient.open(relay.address) for _ in servers]
    mine, theirs = [
        await client.allocate(server["username"], server["credential"])
        for client, server in zip(clients, servers, strict=True)
    ]
    assert mine != theirs
    for client, peer in zip(clients, (theirs, mine), strict=True):
        await client.permit(peer)
    async with asyncio.timeout(DEADLINE):
        while clients[1].received.empty():  # UDP promises nothing
            clients[0].send(theirs, b"hello through the relay")
            await asyncio.sleep(0.1)
    assert clients[1].received.get_nowait() == (mine, b"hello through the relay")
    for client in clients:
        client.close()


async def test_stun_tells_the_address(relay: Relay) -> None:
    client = await TurnClient.open(relay.address)
    host, port = await client.mapped()
    assert (host, port) == client._transport.get_extra_info("sockname")
    client.close()


async def test_credentials_of_others_or_of_yesterday_open_nothing(relay: Relay) -> None:
    """The password belongs to the name, and coturn looks at the expiry in it."""
    server = (await in_a_call(relay))[0]
    expiry, _, user_id = server["username"].partition(":")
    yesterday = f"{int(expiry) - 86_400}:{user_id}"
    right = hmac.new(SECRET.encode(), yesterday.encode(), hashlib.sha1).digest()
    for username, password in (
        (server["username"], "guessed"),
        (f"{int(expiry) + 86_400}:{user_id}", server["credential"]),
        (yesterday, base64.b64encode(right).decode()),
        (user_id, server["credential"]),
    ):
        client = await TurnClient.open(relay.address)
        with pytest.raises(TurnError) as refused:
            await client.allocate(username, password)
        assert refused.value.args[0] == 401
        client.close()
