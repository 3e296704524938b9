"""The realtime server of a process, as its settings bound it."""

import resource
import sys
from typing import Final

from parlour.config import Settings
from parlour.events.answers import connect_refusal, refusal
from parlour.platform.http import forwarded_address, trusted_peer
from parlour.realtime import Cluster, CorsPolicy, Limits, Server
from parlour.socket_metrics import socket_metrics

SOCKETS: Final = "/socket.io/"
_LOOPBACK: Final = ("127.0.0.0/8", "::1")
_OWN_FILES: Final = 200
"""Descriptors that connections leave to the engines, the logs and the event loop."""


def realtime_server(settings: Settings, cluster: Cluster) -> Server:
    """Return a server for `SOCKETS` without namespaces yet."""
    return Server(
        path=SOCKETS,
        ping_interval=settings.ping_interval_ms,
        ping_timeout=settings.ping_timeout_ms,
        max_payload=settings.max_payload_bytes,
        cors=CorsPolicy(tuple(settings.cors_origins), credentials=True) if settings.cors_origins else None,
        limits=Limits(
            max_connections=settings.max_sockets,
            max_connections_per_address=settings.max_sockets_per_address,
            max_tcp_connections=min(2 * settings.max_sockets, _files_for_connections()),
            max_tcp_connections_per_address=2 * settings.max_sockets_per_address,
            handshakes_per_second=settings.handshakes_per_second,
            handshakes_per_second_per_address=settings.handshakes_per_second_per_address,
            max_half_open=settings.max_half_open,
            packets_per_second=settings.packets_per_second,
            max_outbox_bytes=settings.max_outbox_bytes,
            outbox_budget=settings.outbox_budget_bytes,
        ),
        cluster=cluster,
        observer=socket_metrics(),
        refusal=refusal,
        connect_data=connect_refusal,
        client_address=forwarded_address(settings.trusted_proxies),
        exempt_peer=trusted_peer([*settings.trusted_proxies, *_LOOPBACK]),
        drain_within=settings.drain_seconds,
    )


def _files_for_connections() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else max(limit - _OWN_FILES, _OWN_FILES)
