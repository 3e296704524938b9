"""What can go wrong in the realtime engine.

RealtimeError
├── ProtocolError           the peer broke Engine.IO or Socket.IO; its connection closes
│   ├── EnginePacketError
│   └── SocketPacketError
├── ConnectRefused          a connect middleware says no; the client gets `connect_error`
│   └── UnknownNamespace    no such namespace, or none that takes this client
├── PacketRefused           a packet middleware says no; the client's acknowledgement gets the refusal
├── AckTimeout              nobody acknowledged in time
├── Disconnected            the socket is gone before it answered
└── ReservedEventName       an application tried to emit a name that the protocol keeps for itself
"""

from __future__ import annotations

from typing import Any


class RealtimeError(Exception):
    """Base of every error that this package raises on purpose."""


class ProtocolError(RealtimeError):
    """The peer sent what the protocol forbids. Never leaves the package: the connection is closed instead."""


class EnginePacketError(ProtocolError):
    """Bytes that are no Engine.IO packet or payload."""


class SocketPacketError(ProtocolError):
    """Text or binary that is no Socket.IO packet, or not here."""


class ConnectRefused(RealtimeError):
    """Raise in a connect middleware; the client receives `connect_error` with `message` and, when given, `data`."""

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class UnknownNamespace(ConnectRefused):
    """What `connect_data` of the server is asked about for a namespace that does not exist. The text is the reference server's."""

    def __init__(self) -> None:
        super().__init__("Invalid namespace")


class PacketRefused(RealtimeError):
    """Raise in a packet middleware; a client that asked for an acknowledgement gets the server's refusal of it."""

    def __init__(self, message: str, code: str = "refused") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class AckTimeout(RealtimeError):
    """An acknowledgement did not arrive within its time."""


class Disconnected(RealtimeError):
    """The socket disconnected while an acknowledgement was awaited."""


class ReservedEventName(RealtimeError, ValueError):
    """The event name has a meaning of its own in the protocol (`connect`, `disconnect`, …)."""
