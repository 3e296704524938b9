"""Servers that the specifications are checked against: ours, or with --reference the original ones in Node."""

from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from ..ports import free_port
from .endpoint import Endpoint
from .processes import PORTS, ServerProcess, node, python

PATHS = {
    "engineio": "/engine.io/",
    "patient-engineio": "/engine.io/",
    "socketio": "/socket.io/",
    "patient": "/socket.io/",
    "scenarios": "/socket.io/",
}
PATIENT = ("--ping-timeout", "5000")
OURS = {
    "engineio": ("conformance/server.py", "--protocol", "engineio"),
    "patient-engineio": ("conformance/server.py", "--protocol", "engineio", *PATIENT),
    "socketio": ("conformance/server.py", "--protocol", "socketio"),
    "patient": ("conformance/server.py", "--protocol", "socketio", *PATIENT),
    "scenarios": ("integration/realtime/servers/scenarios.py",),
}
REFERENCES = {
    "engineio": ("reference-engineio.mjs",),
    "patient-engineio": ("reference-engineio.mjs", *PATIENT),
    "socketio": ("reference-socketio.mjs",),
    "patient": ("reference-socketio.mjs", *PATIENT),
    "scenarios": ("reference-scenarios.mjs",),
}

StartServer = Callable[[str], ServerProcess]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reference", action="store_true", help="check Node's servers instead of ours")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "node_deviates(reason): Node's own server breaks this rule")
    config.addinivalue_line("markers", "ours_only(reason): a promise of Parlour that Node's server does not make")


def is_reference(config: pytest.Config) -> bool:
    return bool(config.getoption("--reference", default=False))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --reference a known deviation must fail (strict), so that a mended Node is noticed."""
    if not is_reference(config):
        return
    for item in items:
        if deviation := item.get_closest_marker("node_deviates"):
            item.add_marker(pytest.mark.xfail(reason=deviation.args[0], strict=True))
        if promise := item.get_closest_marker("ours_only"):
            item.add_marker(pytest.mark.skip(reason=promise.args[0]))


@pytest.fixture(scope="session")
def start_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Start a server by its kind (`engineio`, `socketio`, `scenarios`) on a free port; ended with the session."""
    started: list[ServerProcess] = []
    logs = tmp_path_factory.mktemp("servers")

    def start(kind: str) -> ServerProcess:
        port = free_port(PORTS)
        program, commands = (node, REFERENCES) if is_reference(request.config) else (python, OURS)
        server = ServerProcess(program(*commands[kind], "--port", str(port)), port, logs / f"{kind}-{port}.log")
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def servers(start_server: StartServer) -> Callable[[str], ServerProcess]:
    """The one shared server of a kind; started when first asked for."""
    running: dict[str, ServerProcess] = {}

    def server(kind: str) -> ServerProcess:
        if kind not in running:
            running[kind] = start_server(kind)
        assert running[kind].process.poll() is None, f"the {kind} server died:\n{running[kind].output()}"
        return running[kind]

    return server


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=None)) as client:
        yield client


@pytest.fixture(params=["engineio", "socketio"])
def either(
    request: pytest.FixtureRequest, servers: Callable[[str], ServerProcess], http: httpx.AsyncClient
) -> Endpoint:
    """Engine.IO as each of the two servers speaks it, for the rules below the Socket.IO layer."""
    return Endpoint(servers(request.param).port, PATHS[request.param], http)


@pytest.fixture(params=["patient-engineio", "patient"])
def patient_either(
    request: pytest.FixtureRequest, servers: Callable[[str], ServerProcess], http: httpx.AsyncClient
) -> Endpoint:
    """The same two, which wait 5 s for a pong."""
    return Endpoint(servers(request.param).port, PATHS[request.param], http)


@pytest.fixture
def engine(servers: Callable[[str], ServerProcess], http: httpx.AsyncClient) -> Endpoint:
    """The Engine.IO server that echoes every message."""
    return Endpoint(servers("engineio").port, PATHS["engineio"], http)


@pytest.fixture
def patient_engine(servers: Callable[[str], ServerProcess], http: httpx.AsyncClient) -> Endpoint:
    """The same server, which waits 5 s for a pong: for clients that a busy machine keeps from answering sooner."""
    return Endpoint(servers("patient-engineio").port, PATHS["patient-engineio"], http)


@pytest.fixture
def socketio(servers: Callable[[str], ServerProcess], http: httpx.AsyncClient) -> Endpoint:
    """The Socket.IO server with the namespaces / and /custom."""
    return Endpoint(servers("socketio").port, PATHS["socketio"], http)


@pytest.fixture
def patient(servers: Callable[[str], ServerProcess], http: httpx.AsyncClient) -> Endpoint:
    """The same server, which waits 5 s for a pong: for tests in which this process itself is busy."""
    return Endpoint(servers("patient").port, PATHS["patient"], http)


@pytest.fixture
def scenarios(servers: Callable[[str], ServerProcess], http: httpx.AsyncClient) -> Endpoint:
    """The Socket.IO server of tests/integration/realtime/servers/scenarios.py, with rooms, refusals, cookie and CORS."""
    return Endpoint(servers("scenarios").port, PATHS["scenarios"], http)
