"""A Socket.IO v5 and Engine.IO v4 server for asyncio, on picows behind uvicorn. README.md beside this file shows its use."""

from parlour.realtime.broadcast import BroadcastOperator
from parlour.realtime.cluster import Broadcast, Cluster, MemoryCluster, MemoryHub, Node, RemoteSocket, Request
from parlour.realtime.connection import Connection, Receiver
from parlour.realtime.cors import CorsPolicy, SessionCookie
from parlour.realtime.engine import EngineServer
from parlour.realtime.engine_session import EngineOptions
from parlour.realtime.errors import (
    AckTimeout,
    ConnectRefused,
    Disconnected,
    PacketRefused,
    ProtocolError,
    RealtimeError,
    ReservedEventName,
    UnknownNamespace,
)
from parlour.realtime.limits import Limits
from parlour.realtime.namespace import HandlerRegistry, Namespace
from parlour.realtime.observer import Observer
from parlour.realtime.server import Server
from parlour.realtime.socket import Handshake, Socket

__all__ = [
    "AckTimeout",
    "Broadcast",
    "BroadcastOperator",
    "Cluster",
    "ConnectRefused",
    "Connection",
    "CorsPolicy",
    "Disconnected",
    "EngineOptions",
    "EngineServer",
    "HandlerRegistry",
    "Handshake",
    "Limits",
    "MemoryCluster",
    "MemoryHub",
    "Namespace",
    "Node",
    "Observer",
    "PacketRefused",
    "ProtocolError",
    "RealtimeError",
    "Receiver",
    "RemoteSocket",
    "Request",
    "ReservedEventName",
    "Server",
    "SessionCookie",
    "Socket",
    "UnknownNamespace",
]
