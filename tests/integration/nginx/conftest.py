"""Two nodes and an NGINX in front of them, for the tests of one module."""

from collections.abc import Iterator

import pytest

from ...nginx_server import Certificate, NginxServer
from .behind import ParlourNode, client_files, gateway_of, parlour_node


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
