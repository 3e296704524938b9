"""The Engine.IO server: who is connected, heartbeats, upgrades, limits, drain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from time import monotonic

from picows import WSUpgradeRequest, WSUpgradeResponseWithListener

from parlour.realtime.connection import Connection, HandshakeRequest, Receiver
from parlour.realtime.cors import CorsPolicy, SessionCookie
from parlour.realtime.deadlines import Deadlines
from parlour.realtime.engine_packet import PING_FRAME
from parlour.realtime.engine_session import EngineOptions, EngineSession
from parlour.realtime.front_door import FrontDoor
from parlour.realtime.guarded_http import GuardedHttpProtocol
from parlour.realtime.limits import Admission, Limits, PeerConnections, is_loopback, subscriber
from parlour.realtime.observer import Observer
from parlour.realtime.outboxes import Outboxes
from parlour.realtime.polling import Polling
from parlour.realtime.polling_app import PollingApp
from parlour.realtime.turn import Turn
from parlour.realtime.verify import FORBIDDEN, Refused, parse_query, verify
from parlour.realtime.websocket import (
    READ_BUFFER_SIZE,
    WebSocket,
    WebSocketProtocol,
    accept_upgrade,
    peer_of,
    refuse_upgrade,
)

ClientAddress = Callable[[Mapping[str, str], str], str]

_UPGRADE_TIMEOUT = 10.0  # the reference server's
_LINGER = 30.0  # the reference server's closeTimeout: how long an ended long-polling session has something to say
_CLOSE_TIMEOUT = 5.0  # for the peer's part of the closing handshake (RFC 6455 section 7.1.1)
_DRAIN_SLICES = 50
_DRAIN_RATE = 10_000
"""Connections closed a second by a drain. Whoever is closed early waits for the successor longest, and clients spread their return by
themselves (0.5 to 1.5 s), so this only keeps a full server's loop from stalling."""


def peer_address(_headers: Mapping[str, str], peer: str) -> str:
    """The default `client_address`: whoever holds the other end of the TCP connection."""
    return peer


class EngineServer:
    """Engine.IO v4 for any application: `on_connection(connection)` gives the receiver of a session's messages.

    One server belongs to one event loop, that of its first connection. `asgi` serves long-polling and
    `websocket_protocol()` WebSockets; `client_address(headers, peer)` names a client for the limits per address, header
    names in lower case: behind a proxy that you trust, take what the proxy says.
    """

    def __init__(
        self,
        on_connection: Callable[[Connection], Receiver],
        *,
        path: str = "/engine.io/",
        options: EngineOptions | None = None,
        cors: CorsPolicy | None = None,
        cookie: SessionCookie | None = None,
        compress_http: bool = False,
        limits: Limits | None = None,
        observer: Observer | None = None,
        client_address: ClientAddress = peer_address,
        exempt_peer: Callable[[str], bool] = is_loopback,
        connect_timeout: int | None = None,
        drain_within: float = 5.0,
    ) -> None:
        """`connect_timeout` in milliseconds, for receivers that call `Connection.joined`; without, none need to.

        `exempt_peer(address)`: whose TCP connections are not counted, as a proxy's, which carry other people's sessions.
        """
        self.options = options or EngineOptions()
        self.limits = limits or Limits()
        self.observer = observer or Observer()
        self.path = path.rstrip("/") + "/"
        self.cors = cors
        self.cookie = cookie
        self.client_address = client_address
        self._exempt_peer = exempt_peer
        self._peers = PeerConnections(self.limits.max_tcp_connections_per_address)
        self.turn = Turn(self._plan, self.observer)
        self.connections: dict[str, Connection] = {}
        self.admission = Admission(self.limits, monotonic())
        self.packet_interval = 1.0 / self.limits.packets_per_second
        self.packet_tolerance = self.limits.packet_burst * self.packet_interval
        # What is in the read buffer when reading stops still arrives: never held against the sender.
        self.packet_excess = max(self.limits.packet_burst, READ_BUFFER_SIZE // 6) * self.packet_interval
        self.closings: Deadlines[WebSocket] = Deadlines(_CLOSE_TIMEOUT, WebSocket.abort)
        self._on_connection = on_connection
        self._loop: asyncio.AbstractEventLoop | None = None
        self._node_prefix = ""
        self._random = b""
        self.first_bytes = f"GET {self.path}".encode()
        self._pings: Deadlines[Connection] = Deadlines(self.options.ping_interval / 1000, self._ping)
        self._pongs: Deadlines[Connection] = Deadlines(self.options.ping_timeout / 1000, self._timed_out)
        self._probes: Deadlines[WebSocket] = Deadlines(_UPGRADE_TIMEOUT, _give_up_probe)
        self._probing: dict[Connection, WebSocket] = {}
        self.stalls: Deadlines[WebSocket] = Deadlines(self.limits.stall_timeout, WebSocket.stalled)
        self.outboxes = Outboxes(self.limits.outbox_budget, self.observer, self._waiting)
        self._lingering: dict[str, Polling] = {}
        self._linger: Deadlines[str] = Deadlines(_LINGER, self._forget_lingering)
        self._half_open: Deadlines[Connection] | None = (
            None if connect_timeout is None else Deadlines(connect_timeout / 1000, _close_half_open)
        )
        self._drain_within = drain_within
        self._all_gone: asyncio.Event | None = None
        self._drain: asyncio.Task[None] | None = None
        self.asgi = PollingApp(self, compress=compress_http)
        self.heads: Deadlines[GuardedHttpProtocol | FrontDoor] = Deadlines(
            self.limits.request_head_timeout, lambda waiting: waiting.head_timed_out()
        )

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop, remembered: asking asyncio for it is a system call in Python 3.11."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _plan(self, flush: Callable[[], None]) -> None:
        self.loop.call_soon(flush)

    def set_node(self, node_id: str) -> None:
        """Session ids begin with the node's, for routers that look at them."""
        self._node_prefix = f"{node_id}." if node_id else ""

    def new_id(self) -> str:
        """An unguessable id: 144 random bits."""
        if not self._random:  # one system call for many ids
            self._random = os.urandom(18 * 256)
        fresh, self._random = self._random[:18], self._random[18:]
        return self._node_prefix + urlsafe_b64encode(fresh).decode()

    def serves(self, path: str) -> bool:
        """Whether a request's path is the engine's: everything under its own, as in the reference server, and it without the slash."""
        return path.startswith(self.path) or path == self.path[:-1]

    # what uvicorn is given

    def websocket_protocol(self) -> type[WebSocketProtocol]:
        """A class for `uvicorn.Config(ws=…)`; upgrade requests outside `path` get 404."""
        return type("EngineWebSocketProtocol", (WebSocketProtocol,), {"engine": self, "__slots__": ()})

    def http_protocol(self) -> type[FrontDoor]:
        """A class for `uvicorn.Config(http=…)`: httptools, with a bound on how long a request may take to arrive.

        It hands WebSockets of the engine to picows by itself, sooner than uvicorn does; with `ws="none"` there are none.
        """
        http = type("EngineHttpProtocol", (GuardedHttpProtocol,), {"engine": self})
        parts = {"engine": self, "http": http, "websocket": self.websocket_protocol(), "__slots__": ()}
        return type("EngineFrontDoor", (FrontDoor,), parts)

    # sessions

    def open(self, transport: WebSocket | Polling, request: HandshakeRequest, answer: bytes = b"") -> Connection:
        """Opens an admitted session on its first transport; `answer`, to the request, leaves in one write with the first packet."""
        session = EngineSession(self.new_id(), transport.name)
        connection = Connection(self, session, request, transport)
        self.connections[session.sid] = connection
        transport.establish(connection)
        connection.write(answer + session.open_frame(self.options))
        self._pings.add(connection)
        if self._half_open is None:
            connection.joined()
        else:
            self._half_open.add(connection)
            if len(self._half_open) > self.limits.max_half_open:
                self._evict_half_open(self._half_open)
        self.observer.connection_opened(transport.name)
        connection.receiver = self._on_connection(connection)
        return connection

    def _evict_half_open(self, half_open: Deadlines[Connection]) -> None:
        # Clients join within a round trip or two; whoever has been half open longest is the least likely to be one.
        oldest = half_open.oldest()
        if oldest is not None:
            self.observer.refused("half_open")
            half_open.discard(oldest)
            oldest.close()

    def joined(self, connection: Connection) -> None:
        """The connection is no longer half open."""
        if self._half_open is not None:
            self._half_open.discard(connection)
        self.admission.joined(connection.request.address)

    def forget(self, connection: Connection, reason: str) -> None:
        """The session ended."""
        self.connections.pop(connection.sid, None)
        self._pings.discard(connection)
        self._pongs.discard(connection)
        probe = self._probing.pop(connection, None)
        if probe is not None:
            probe.give_up()
        if self._half_open is not None:
            self._half_open.discard(connection)
        self.admission.release(connection.request.address, half_open=connection.half_open)
        self.observer.connection_closed(connection.session.transport, reason)

    def find(self, sid: str) -> Connection | None:
        """The live session of an id; one whose time is over this very moment is closed first."""
        connection = self.connections.get(sid)
        if connection is not None and self._pongs.is_due(connection):
            self._timed_out(connection)
            return None
        return connection

    def _ping(self, connection: Connection) -> None:
        self._pongs.add(connection)
        connection.send(PING_FRAME)

    def heard_from(self, connection: Connection) -> None:
        """A pong arrived."""
        self._pongs.discard(connection)
        self._pings.add(connection)

    def _timed_out(self, connection: Connection) -> None:
        connection.fail("ping timeout", 1008)

    # upgrade

    def probe_answered(self, connection: Connection) -> None:
        """The client knows that the WebSocket works: a waiting GET goes, so that the client can move over."""
        if isinstance(connection.transport, Polling):
            connection.transport.release_poll()

    def upgrade(self, connection: Connection, websocket: WebSocket) -> None:
        """The session moves to the WebSocket, with what waited for a GET."""
        self.probe_ended(connection, websocket)
        polling = connection.transport
        websocket.establish(connection)
        if isinstance(polling, Polling):
            chunks = polling.take()
            polling.release_poll()
            polling.resume_reading()
            for chunk in chunks:
                connection.write(chunk)
        if connection.held:
            websocket.pause_reading()
        self.observer.upgraded()

    # admission

    def admit(self, address: str, now: float) -> None:
        """Counts a new session in.

        Raises:
            Refused: a limit says no, or the server drains.
        """
        refusal = self.admission.admit(address, now)
        if refusal is not None:
            self.observer.refused(refusal.reason)
            raise Refused(refusal.code, refusal.message, refusal.status, refusal.retry_after)

    def admit_peer(self, transport: asyncio.BaseTransport, connections: int) -> tuple[str | None, str]:
        """Looks at a new TCP connection, the last of `connections`: the address it counts for, and why it must go, if it must."""
        if connections > self.limits.max_tcp_connections:
            return None, "tcp_connections"
        peer = peer_of(transport)
        if self._exempt_peer(peer):
            return None, ""
        address = subscriber(peer)
        return (address, "") if self._peers.opened(address) else (None, "address_tcp_connections")

    def peer_gone(self, counted: str | None) -> None:
        """A TCP connection that was let in is closed."""
        if counted is not None:
            self._peers.closed(counted)

    # WebSockets

    def accept_websocket(
        self, upgrade: WSUpgradeRequest, peer: str, *, secure: bool
    ) -> WSUpgradeResponseWithListener | None:
        """What to do with an upgrade request: None is 404."""
        path, _, query = upgrade.path.decode("latin-1").partition("?")
        if not self.serves(path):
            return None
        headers = {name.lower(): value for name, value in upgrade.headers.items()}
        try:
            if self.cors is not None and not self.cors.allows(headers.get("origin"), headers.get("host")):
                self.observer.refused("origin")
                raise Refused(FORBIDDEN, status=403)
            connection = verify(self.find, "GET", parse_query(query), upgrade=True)
            if connection is not None:
                return accept_upgrade(upgrade, WebSocket(self, connection, None), {})
            address = self.client_address(headers, peer)
            self.admit(address, monotonic())
        except Refused as refused:
            return refuse_upgrade(refused.status, refused.body, refused.headers)
        request = HandshakeRequest(headers, query, address, secure=secure)
        return accept_upgrade(upgrade, WebSocket(self, None, request), {})

    def websocket_opened(self, websocket: WebSocket, request: HandshakeRequest | None, answer: bytes) -> None:
        """The WebSocket can speak, once `answer` is written: it opens a session, or probes to take one over."""
        if request is not None:
            self.open(websocket, request, answer)
            return
        websocket.write(answer)
        probed = websocket.connection
        if probed is not None and probed.session.begin_probe():
            self._probes.add(websocket)
            self._probing[probed] = websocket
        else:  # one probes already, or has upgraded
            websocket.connection = None
            websocket.close(1008, orderly=False)

    def probe_ended(self, connection: Connection, websocket: WebSocket) -> None:
        """A WebSocket took the session over, or does not want to any more."""
        self._probes.discard(websocket)
        self._probing.pop(connection, None)

    def websocket_gone(self, websocket: WebSocket) -> None:
        """The TCP connection of a WebSocket is gone."""
        self.closings.discard(websocket)
        if self._all_gone is not None and not len(self.closings):
            self._all_gone.set()
        self.stalls.discard(websocket)

    # the end

    def linger(self, sid: str, polling: Polling) -> None:
        """A session on long-polling ended between two GETs: the next one gets its last words."""
        self._lingering[sid] = polling
        self._linger.add(sid)

    def last_words(self, sid: str) -> Polling | None:
        """What an ended session has still to say, once."""
        self._linger.discard(sid)
        return self._lingering.pop(sid, None)

    def _waiting(self) -> Iterable[Connection]:
        """Everybody for whom something may wait; ended sessions, which have no claim to it, lose theirs."""
        for sid in list(self._lingering):
            self._linger.discard(sid)
            self._forget_lingering(sid)
        return self.connections.values()

    def _forget_lingering(self, sid: str) -> None:
        polling = self._lingering.pop(sid, None)
        if polling is not None:
            polling.take()

    def begin_drain(self) -> None:
        """Starts `drain` in the background; uvicorn calls this for every WebSocket when it shuts down."""
        if self._drain is None:
            self._drain = asyncio.get_running_loop().create_task(self.drain(self._drain_within))

    async def drain(self, within: float | None = None) -> None:
        """Lets nobody in any more and sends everybody away, at random, `_DRAIN_RATE` a second or over 0.6 of `within` seconds.

        Clients of Socket.IO reconnect by themselves, after a random delay of their own, when the Engine.IO connection
        closes (never after a Socket.IO DISCONNECT), so that is what is closed; what was sent before goes out first.
        Returns once everybody is gone, and at the latest after `within`, when the rest is cut off.
        """
        within = self._drain_within if within is None else within
        self.admission.draining = True
        deadline = monotonic() + within
        leaving = list(self.connections.values())
        random.shuffle(leaving)
        slices = min(_DRAIN_SLICES, len(leaving)) or 1
        spread = min(within * 0.6, len(leaving) / _DRAIN_RATE)
        for index in range(slices):
            for connection in leaving[index::slices]:
                connection.close("server shutting down", 1001)
            if index + 1 < slices:
                await asyncio.sleep(spread / slices)
        try:
            if len(self.closings):  # their part of the closing handshake
                self._all_gone = asyncio.Event()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._all_gone.wait(), max(deadline - monotonic(), 0.0))
        finally:  # also when the caller's patience, which may be the same, ends first
            for websocket in self.closings.clear():
                websocket.abort()

    def close(self) -> None:
        """Stops all timers. After `drain`; for servers that end before their event loop does."""
        for deadlines in (
            self._pings,
            self._pongs,
            self._probes,
            self._linger,
            self._half_open,
            self.closings,
            self.heads,
            self.stalls,
        ):
            if deadlines is not None:
                deadlines.clear()


def _give_up_probe(websocket: WebSocket) -> None:
    websocket.give_up()


def _close_half_open(connection: Connection) -> None:
    connection.close()
