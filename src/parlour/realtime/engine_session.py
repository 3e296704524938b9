"""One Engine.IO session as a state machine: packets in, reactions out; no clock, no loop, no transport.

It decides what a packet means where it arrives: on the session's own transport, or on a WebSocket that probes to take over
from long-polling (engine.io-protocol v4, "Upgrade"). The shells move the bytes.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Literal

import msgspec

from parlour.realtime.engine_packet import (
    CLOSE_PACKET,
    MESSAGE,
    OPEN,
    PING,
    PONG,
    PROBE,
    UPGRADE,
    EnginePacket,
    encode_frame,
)

TransportName = Literal["polling", "websocket"]


class Reaction(Enum):
    """What the shell has to do about a packet."""

    NOTHING = auto()
    MESSAGE = auto()  # hand its data to the application
    ALIVE = auto()  # the peer answered the ping: plan the next one
    CLOSED = auto()  # the peer is done: end the session
    BROKEN = auto()  # the peer broke the protocol: end the session
    ANSWER_PROBE = auto()  # send `3probe` on the probing WebSocket, let a hanging poll go with a noop
    UPGRADE = auto()  # the probing WebSocket is the transport from here on
    REJECT_PROBE = auto()  # close the probing WebSocket, the session stays on long-polling


class EngineOptions(msgspec.Struct, frozen=True):
    """What the handshake tells. Times in milliseconds, `max_payload` in bytes."""

    ping_interval: int = 25_000
    ping_timeout: int = 20_000
    max_payload: int = 1_000_000


class EngineSession:
    """State of one session. `transport` names the one that carries it now."""

    __slots__ = ("_probing", "closed", "closed_by_peer", "sid", "transport", "upgraded")

    def __init__(self, sid: str, transport: TransportName) -> None:
        self.sid = sid
        self.transport: TransportName = transport
        self.closed = False
        self.upgraded = False
        self.closed_by_peer = False
        self._probing: Literal["no", "opened", "answered"] = "no"

    def open_frame(self, options: EngineOptions) -> bytes:
        """The handshake packet (engine.io-protocol v4, "Handshake")."""
        handshake = {
            "sid": self.sid,
            "upgrades": ["websocket"] if self.transport == "polling" else [],
            "pingInterval": options.ping_interval,
            "pingTimeout": options.ping_timeout,
            "maxPayload": options.max_payload,
        }
        return encode_frame(EnginePacket(OPEN, msgspec.json.encode(handshake)))

    def receive(self, packet: EnginePacket) -> Reaction:
        """What a packet on the session's own transport means."""
        if self.closed:
            return Reaction.NOTHING
        reaction = _REACTIONS.get(packet.type, Reaction.NOTHING)
        if reaction is Reaction.CLOSED:
            self.closed_by_peer = True
        return reaction

    @property
    def probing(self) -> bool:
        """Whether a WebSocket is about to take over, its probe answered."""
        return self._probing == "answered"

    def begin_probe(self) -> bool:
        """A WebSocket opened with this session's id. False when it must close: one probes already, or has upgraded."""
        if self.closed or self.transport == "websocket" or self._probing != "no":
            return False
        self._probing = "opened"
        return True

    def receive_probe(self, packet: EnginePacket) -> Reaction:
        """What a packet on the probing WebSocket means."""
        if self.closed or self._probing == "no":
            return Reaction.REJECT_PROBE
        if packet == (PING, PROBE, False):
            self._probing = "answered"
            return Reaction.ANSWER_PROBE
        if packet.type == UPGRADE:
            self._probing = "no"
            self.transport = "websocket"
            self.upgraded = True
            return Reaction.UPGRADE
        self._probing = "no"
        return Reaction.REJECT_PROBE

    def end_probe(self) -> None:
        """The probing WebSocket went away before it upgraded."""
        self._probing = "no"

    def close(self) -> bool:
        """Ends the session; False when it had ended before."""
        first = not self.closed
        self.closed = True
        return first


# OPEN, UPGRADE and NOOP mean nothing on an established transport; the reference server ignores them, too.
_REACTIONS: Final = {
    CLOSE_PACKET: Reaction.CLOSED,
    PING: Reaction.BROKEN,  # in v4 the server pings
    PONG: Reaction.ALIVE,
    MESSAGE: Reaction.MESSAGE,
}
