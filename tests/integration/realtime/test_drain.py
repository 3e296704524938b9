"""A server that is asked to go (SIGTERM) sends its clients to the next one on the same port."""

import time

import pytest

from ...conformance.conftest import StartServer
from ...conformance.reconnecting import ReconnectingClients

TRANSPORTS = {"polling": "polling", "websocket": "websocket", "upgrade": "polling,websocket"}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_stock_clients_are_back_within_five_seconds(start_server: StartServer, transport: str) -> None:
    """Issue 3 section 6: "The same with SIGTERM: nobody waits longer than 5 s to be back"; a bound of the product."""
    server = start_server("scenarios")
    async with ReconnectingClients(f"http://127.0.0.1:{server.port}", TRANSPORTS[transport], count=20) as clients:
        assert await clients.until_all("sum", within=15) == list(range(1, 21))
        server.terminate()
        began = time.monotonic()
        server.replace()
        reasons = await clients.until_all("disconnect", within=5)
        assert set(reasons) <= {"transport close", "transport error"}, "any other reason stops a client's reconnection"
        await clients.until_all("sum", within=15)
        assert time.monotonic() - began < 5
    server.stop()


async def test_server_without_clients_ends_at_once_and_cleanly(start_server: StartServer) -> None:
    server = start_server("scenarios")
    server.terminate()
    assert server.process.wait(5) in {0, -15}
    assert "Traceback" not in server.output()


async def test_server_with_clients_ends_within_its_bound_and_cleanly(start_server: StartServer) -> None:
    server = start_server("scenarios")
    url = f"http://127.0.0.1:{server.port}"
    async with (
        ReconnectingClients(url, "polling", count=5) as polling,
        ReconnectingClients(url, "websocket", count=5) as websocket,
    ):
        await polling.until_all("sum", within=15)
        await websocket.until_all("sum", within=15)
        server.terminate()
        assert server.process.wait(10) in {0, -15}
    assert "Traceback" not in server.output()
    assert "Task was destroyed" not in server.output()
