"""What the realtime engine tells, as Prometheus metrics."""

from typing import Any

from parlour.platform import metrics
from parlour.realtime import Observer


class _SocketMetrics(Observer):
    """Children of labels are looked up once."""

    def __init__(self) -> None:
        self._sockets = {name: metrics.SOCKETS.labels(name) for name in ("polling", "websocket")}
        self._opened = {name: metrics.SOCKETS_OPENED.labels(name) for name in ("polling", "websocket")}
        self._handled: dict[tuple[str, bool], tuple[Any, Any]] = {}

    def connection_opened(self, transport: str) -> None:
        self._sockets[transport].inc()
        self._opened[transport].inc()

    def connection_closed(self, transport: str, reason: str) -> None:
        self._sockets[transport].dec()
        metrics.SOCKETS_CLOSED.labels(reason).inc()

    def upgraded(self) -> None:
        self._sockets["polling"].dec()
        self._sockets["websocket"].inc()

    def packet_received(self, n_bytes: int) -> None:
        metrics.PACKETS_RECEIVED.inc()
        metrics.BYTES_RECEIVED.inc(n_bytes)

    def handled(self, event: str, seconds: float, ok: bool) -> None:
        children = self._handled.get((event, ok))
        if children is None:
            children = metrics.EVENTS.labels(event, "ok" if ok else "refused"), metrics.EVENT_SECONDS.labels(event)
            self._handled[event, ok] = children
        children[0].inc()
        children[1].observe(seconds)

    def delivered(self, recipients: int, n_bytes: int) -> None:
        metrics.DELIVERIES.inc(recipients)
        metrics.BYTES_SENT.inc(n_bytes)

    def latency(self, seconds: float) -> None:
        metrics.DELIVERY_SECONDS.observe(seconds)

    def outbox_bytes(self, delta: int) -> None:
        metrics.OUTBOX_BYTES.inc(delta)

    def refused(self, reason: str) -> None:
        metrics.SOCKETS_REFUSED.labels(reason).inc()

    def dropped(self, n_packets: int) -> None:
        metrics.VOLATILE_DROPPED.inc(n_packets)

    def slow_reader_closed(self, bound: str) -> None:
        metrics.SLOW_READERS.labels(bound).inc()


def socket_metrics() -> Observer:
    """Return an observer that counts in the metrics of the process."""
    return _SocketMetrics()
