"""What the engine tells about itself, for metrics: a class of cheap no-ops to override."""

from __future__ import annotations


class Observer:
    """Every method is called on the event loop, often from the hot path: count, do not compute, never raise."""

    def connection_opened(self, transport: str) -> None:
        """An Engine.IO session began on "polling" or "websocket"."""

    def connection_closed(self, transport: str, reason: str) -> None:
        """An Engine.IO session ended; `reason` as the reference server names it."""

    def upgraded(self) -> None:
        """A session moved from long-polling to WebSocket."""

    def packet_received(self, n_bytes: int) -> None:
        """A message arrived, of `n_bytes` as carried."""

    def handled(self, event: str, seconds: float, ok: bool) -> None:
        """A handler ran to its end. `event` is a name that has a handler, or "*"."""

    def delivered(self, recipients: int, n_bytes: int) -> None:
        """A turn of the loop was written: `recipients` counts (packet, connection) pairs, `n_bytes` what was written."""

    def latency(self, seconds: float) -> None:
        """From the receipt of a packet to the write of the broadcast that named it by `since`; once a broadcast."""

    def outbox_bytes(self, delta: int) -> None:
        """The bytes that wait for slow readers changed by `delta`."""

    def refused(self, reason: str) -> None:
        """A limit said no: "connections", "address_connections", "handshake_rate", "address_handshake_rate",
        "half_open", "packet_rate", "draining", "origin", "slow_request", "large_request", "pipelined_upgrade",
        "tcp_connections", "address_tcp_connections".
        """

    def dropped(self, n_packets: int) -> None:
        """Volatile packets were not sent to connections that could not take them."""

    def slow_reader_closed(self, bound: str) -> None:
        """A connection was cut off because it did not read: it was past its own bound ("socket"), or one of those with most
        that waits when all together were past the budget ("process").
        """
