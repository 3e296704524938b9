"""Toxiproxy between processes and engines: latency, resets, black holes. Proxies are made over its HTTP interface."""

from pathlib import Path

from scripts.stack.engine import HOST, STACK, Engine, answers
from scripts.stack.mongodb import build_go

PORT = 18474


def toxiproxy(*, port: int = PORT, root: Path = STACK) -> Engine:
    """Toxiproxy on a port; the program itself is shared by all."""
    program = STACK / "toxiproxy" / "toxiproxy"
    return Engine(
        name="toxiproxy",
        ports=[port],
        url=f"http://{HOST}:{port}",
        install=lambda: build_go(program, "github.com/Shopify/toxiproxy/v2/cmd/server"),
        prepare=lambda: None,
        command=lambda: [str(program), "-host", HOST, "-port", str(port)],
        ready=lambda: answers(port, sends=b"GET /version HTTP/1.0\r\n\r\n", expects=b"200"),
        root=root,
    )


TOXIPROXY = toxiproxy()
