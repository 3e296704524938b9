"""The stock engine.io-client and socket.io-client, newest from npm, over each transport; cases live in tests/node."""

import os
import subprocess

import pytest

from .endpoint import Endpoint
from .processes import NODE, node_modules

TRANSPORTS = {"polling": "polling", "websocket": "websocket", "upgrade": "polling,websocket"}


def run_cases(script: str, url: str, transports: str) -> None:
    node_modules()
    environment = {**os.environ, "PARLOUR_URL": url, "PARLOUR_TRANSPORTS": transports}
    command = ["node", "--test", "--test-timeout=60000", "--test-reporter=tap", str(NODE / script)]
    result = subprocess.run(
        command, env=environment, cwd=NODE, capture_output=True, text=True, timeout=100, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_engine_client_is_at_home(engine: Endpoint, transport: str) -> None:
    """Every case of stock-engine.test.mjs: text, binary, order, heartbeats, many clients, the maximum payload."""
    run_cases("stock-engine.test.mjs", f"{engine.origin}{engine.path}", TRANSPORTS[transport])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_socket_client_is_at_home(scenarios: Endpoint, transport: str) -> None:
    """Every case of stock-socket.test.mjs: acks both ways, binary, namespaces, refusals, rooms, disconnects, order."""
    run_cases("stock-socket.test.mjs", scenarios.origin, TRANSPORTS[transport])
