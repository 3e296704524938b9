"""Toxiproxy between processes and engines: latency, resets, black holes. Proxies are made over its HTTP interface."""

from scripts.stack.engine import HOST, STACK, Engine, answers
from scripts.stack.mongodb import build_go

PORT = 18474

TOXIPROXY = Engine(
    name="toxiproxy",
    ports=[PORT],
    url=f"http://{HOST}:{PORT}",
    install=lambda: build_go(STACK / "toxiproxy" / "toxiproxy", "github.com/Shopify/toxiproxy/v2/cmd/server"),
    prepare=lambda: None,
    command=lambda: [str(STACK / "toxiproxy" / "toxiproxy"), "-host", HOST, "-port", str(PORT)],
    ready=lambda: answers(PORT, sends=b"GET /version HTTP/1.0\r\n\r\n", expects=b"200"),
)
