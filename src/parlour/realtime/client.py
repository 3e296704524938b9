"""What Socket.IO makes of one Engine.IO connection: the namespaces that are joined on it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from parlour.realtime.connection import Connection
from parlour.realtime.errors import SocketPacketError, UnknownNamespace
from parlour.realtime.socket import Socket
from parlour.realtime.socket_packet import (
    CONNECT,
    CONNECT_ERROR,
    SocketPacket,
    decode,
    namespace_prefix,
    packet_frames,
    restore_binary,
)

if TYPE_CHECKING:
    from parlour.realtime.namespace import Namespace
    from parlour.realtime.server import Server

logger = logging.getLogger(__name__)


class Client:
    """The receiver of a connection's messages: puts packets together and gives them to their sockets."""

    __slots__ = ("_attachments", "_joining", "_packet", "_server", "connection", "sockets")

    def __init__(self, server: Server, connection: Connection) -> None:
        self.connection = connection
        self.sockets: dict[str, Socket] = {}
        self._server = server
        self._joining: set[str] | None = None  # namespaces whose middleware has not decided yet
        self._packet: SocketPacket | None = None  # waits for its attachments
        self._attachments: list[bytes] = []

    # Receiver

    def on_text(self, data: bytes, start: int, now: float) -> None:
        """The text of a packet."""
        try:
            if self._packet is not None:
                raise SocketPacketError("text where an attachment must follow")
            packet = decode(data, start)
        except SocketPacketError as exc:
            self._broken(exc)
            return
        if packet.attachments:
            self._packet = packet
        else:
            self._receive(packet, now)

    def on_binary(self, data: bytes, now: float) -> None:
        """An attachment."""
        packet = self._packet
        try:
            if packet is None:
                raise SocketPacketError("an attachment that no packet announced")
            self._attachments.append(data)
            if len(self._attachments) < packet.attachments:
                return
            attachments, self._attachments, self._packet = self._attachments, [], None
            packet.data = restore_binary(packet.data, attachments)
        except SocketPacketError as exc:
            self._broken(exc)
        else:
            self._receive(packet, now)

    def on_close(self, reason: str) -> None:
        """The connection is gone, and every socket on it."""
        self._packet = None
        self._attachments.clear()
        for socket in list(self.sockets.values()):
            socket.closed(reason)

    def _broken(self, exc: SocketPacketError) -> None:
        logger.debug("closing a connection after %s", exc)
        self.connection.fail("parse error")

    def _receive(self, packet: SocketPacket, now: float) -> None:
        socket = self.sockets.get(packet.namespace)
        if packet.type == CONNECT:
            if socket is not None or (self._joining and packet.namespace in self._joining):
                self.connection.close("forced server close")
            else:
                self._connect(packet.namespace, packet.data or {})
        elif socket is None or packet.type == CONNECT_ERROR:
            self.connection.close("forced server close")
        else:
            socket.receive(packet, now)

    # joining a namespace

    def _connect(self, name: str, auth: dict[str, Any]) -> None:
        namespace = self._server.namespace_for(name, auth)
        if namespace is None:
            self._refuse(namespace_prefix(name), UnknownNamespace())
            return
        socket = Socket(namespace, self.connection, self._server.new_id(), auth)
        if not namespace.connect_middleware:
            self._join(namespace, socket)
            return
        if self._joining is None:
            self._joining = set()
        self._joining.add(name)

        def decided(_: Any, failure: BaseException | None) -> None:
            if self._joining is not None:
                self._joining.discard(name)
                if not self._joining:
                    self._joining = None
            if self.connection.closed:
                self._server.namespace_emptied(namespace)
            elif failure is None:
                self._join(namespace, socket)
            else:
                self._refuse(namespace.prefix, failure)
                self._server.namespace_emptied(namespace)

        self._server.runner.start(_ask(namespace, socket, auth), decided)

    def _join(self, namespace: Namespace, socket: Socket) -> None:
        self.sockets[namespace.name] = socket
        socket.connected = True
        namespace.add(socket)
        self.connection.joined()
        self.connection.send(packet_frames(CONNECT, namespace.prefix, {"sid": socket.id}))
        self._server.connected(socket)

    def _refuse(self, prefix: bytes, failure: BaseException) -> None:
        self.connection.send(packet_frames(CONNECT_ERROR, prefix, self._server.refuse_connect(failure)))


async def _ask(namespace: Namespace, socket: Socket, auth: dict[str, Any]) -> None:
    for middleware in namespace.connect_middleware:
        await middleware(socket, auth)
