"""Ways of processes to engines, and to each other, through Toxiproxy: a way each, so that any two can be parted while all others meet."""

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

from scripts.stack.engine import HOST
from scripts.stack.toxiproxy import toxiproxy

Undo = Callable[[], None]

TOXICS: dict[str, tuple[str, dict[str, int]]] = {
    "in a black hole": ("timeout", {"timeout": 0}),
    "far away": ("latency", {"latency": 150, "jitter": 100}),
    "with connections reset": ("reset_peer", {"timeout": 300}),
    "with answers cut": ("limit_data", {"bytes": 4000}),
}
"""What can happen on a way beside its being cut off: milliseconds, and bytes until the connection is closed."""

KINDS = ("cut off", *TOXICS)
_HOUR = 3_600_000


class Ways:
    """Toxiproxy, and every way through it by who comes and who is reached: an engine, or a process."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack, free_port: Callable[[], int]) -> None:
        """Start it, until the stack is closed."""
        self._free_port = free_port
        engine = toxiproxy(port=free_port(), root=folder)
        stack.callback(engine.stop)
        engine.start()
        self._http = httpx.Client(base_url=engine.url, timeout=60)
        stack.callback(self._http.close)
        self._ways: list[tuple[str, str]] = []

    def make(self, who: str, whom: str, port: int, *, at: int | None = None) -> int:
        """Make the way to a port, and return the port where it begins."""
        begin = at or self._free_port()
        self._send("POST", "/proxies", name=f"{who}-{whom}", listen=f"{HOST}:{begin}", upstream=f"{HOST}:{port}")
        self._ways.append((who, whom))
        return begin

    def hurt(self, whom: str, kind: str, by: Iterable[str] = ()) -> Undo:
        """Do one of `KINDS` to the ways of some, or of all, to one; return what ends that."""
        names = [f"{who}-{to}" for who, to in self._ways if to == whom and (not by or who in by)]
        undo = [self._cut(name) if kind == "cut off" else self._poison(name, *TOXICS[kind]) for name in names]

        def end() -> None:
            for each in undo:
                each()

        return end

    def part(self, who: str, whom: str) -> Undo:
        """Have nothing arrive that one of the two sends to the other; return what lets it. As on a network, it arrives then."""
        name = f"{who}-{whom}"
        undo = [self._poison(name, "latency", {"latency": _HOUR}, stream) for stream in ("upstream", "downstream")]

        def end() -> None:
            for each in undo:
                each()

        return end

    def _cut(self, name: str) -> Undo:
        self._send("POST", f"/proxies/{name}", enabled=False)
        return lambda: self._send("POST", f"/proxies/{name}", enabled=True)

    def _poison(self, name: str, kind: str, attributes: dict[str, int], stream: str = "downstream") -> Undo:
        self._send("POST", f"/proxies/{name}/toxics", name=stream, type=kind, stream=stream, attributes=attributes)
        return lambda: self._send("DELETE", f"/proxies/{name}/toxics/{stream}")

    def _send(self, method: str, path: str, **body: Any) -> None:
        self._http.request(method, path, json=body).raise_for_status()
