"""What is known of a cluster in which somebody waits in vain: printed, and kept, so that a cause can be found from one run."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from ..e2e.parlour_server import ParlourServer
from .cluster import Cluster

FILE = Path(__file__).resolve().parents[2] / ".bench" / "faults-stuck.txt"

METRICS = (
    "parlour_engine_away",
    "parlour_engine_calls_total",
    "parlour_command_lag",
    "parlour_sockets",
    "parlour_outbox_bytes",
    "parlour_node_messages_dropped_total",
    "parlour_dead_letters_total",
    "parlour_append_failures_total",
    "parlour_room_outbox_failures_total",
)
"""Beginnings of names: the state of a node that says why somebody of it waits."""

LINES = 15
"""Of the end of each log."""


def diagnosis(cluster: Cluster, why: str, waiting: list[dict[str, Any]], office: list[str]) -> Path:
    """Write down who waits for what, and how every process and engine is; return the file."""
    whose = Counter(f"{each.get('node')} by {each.get('transport')}" for each in waiting)
    lines = [why, f"who wait, by node and transport: {dict(whose)}", *office, *map(json.dumps, waiting)]
    for name, node in cluster.nodes.items():
        lines += ["", f"== {name} ({'ended' if node.process.poll() is not None else 'runs'})", *_of_node(node)]
    for name, engine in cluster.engines.items():
        lines += ["", f"== {name} ({'ended' if engine.pid() is None else 'runs'})", *_end(engine.log)]
    lines += ["", "== nginx", *_end(cluster.nginx_errors)]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("\n".join(lines) + "\n")
    print(FILE.read_text(), flush=True)
    return FILE


def _of_node(node: ParlourServer) -> Iterable[str]:
    for path in ("/health", "/metrics"):
        try:
            said = httpx.get(node.url + path, timeout=5).text
        except httpx.HTTPError as error:
            yield f"{path}: {error!r}"
            continue
        yield from [line for line in said.splitlines() if _tells(line)] if path == "/metrics" else [said]
    yield from _end(node.log)


def _tells(metric: str) -> bool:
    return metric.startswith(METRICS) and "_created" not in metric


def _end(log: Path) -> list[str]:
    return [line[:600] for line in log.read_text(errors="replace").splitlines()[-LINES:]] if log.exists() else []
