"""The Socket.IO server: namespaces on top of an Engine.IO server."""

from __future__ import annotations

import logging
import re
from asyncio import CancelledError
from collections.abc import Callable
from types import CoroutineType
from typing import Any, Final, overload

from parlour.realtime.broadcast import BroadcastOperator
from parlour.realtime.client import Client
from parlour.realtime.cluster import Broadcast, Cluster, MemoryCluster, RemoteSocket, Request
from parlour.realtime.connection import Connection
from parlour.realtime.cors import CorsPolicy, SessionCookie
from parlour.realtime.eager import EagerRunner
from parlour.realtime.engine import ClientAddress, EngineServer, peer_address
from parlour.realtime.engine_session import EngineOptions
from parlour.realtime.errors import ConnectRefused, PacketRefused
from parlour.realtime.front_door import FrontDoor
from parlour.realtime.limits import Limits, is_loopback
from parlour.realtime.namespace import ConnectMiddleware, Handler, HandlerRegistry, HandlerT, Namespace
from parlour.realtime.observer import Observer
from parlour.realtime.polling_app import PollingApp
from parlour.realtime.socket import Socket
from parlour.realtime.websocket import WebSocketProtocol

logger = logging.getLogger(__name__)

_CONNECT_GAP: Final = 0.002
"""Seconds between CONNECT and the connect handler, whose first emits would otherwise leave in the same write.

A client that begins to listen once it has seen CONNECT, as the reference test suite does, would miss what it reads together
with it: Node's `ws` hands out all frames of one read before any promise gets its turn. The reference server has the same
race, won by a system call between the two.
"""

NamespaceMatch = Callable[[str, dict[str, Any]], bool]


def internal_refusal(failure: BaseException) -> dict[str, Any]:
    """The default `refusal`: what a client that asked for an acknowledgement gets when a handler raised."""
    if isinstance(failure, PacketRefused):
        return {"ok": False, "error": {"code": failure.code, "message": failure.message}}
    return {"ok": False, "error": {"code": "internal", "message": "Something went wrong on the server."}}


class Server:
    """A Socket.IO v5 server. Times in milliseconds, sizes in bytes; `drain_within` in seconds.

    `asgi` (or the server itself) serves long-polling under `path`, `websocket_protocol()` is uvicorn's `ws=` and
    `http_protocol()` its `http=`. One server belongs to one event loop.

    `refusal(exception)` is the acknowledgement of an event whose handler raised, `connect_data(exception)` the `data` of a
    `connect_error` whose exception brings none: by default, as in the reference server, there is none then.
    """

    def __init__(
        self,
        *,
        path: str = "/socket.io/",
        ping_interval: int = 25_000,
        ping_timeout: int = 20_000,
        max_payload: int = 1_000_000,
        connect_timeout: int = 45_000,
        cors: CorsPolicy | None = None,
        cookie: SessionCookie | None = None,
        compress_http: bool = False,
        limits: Limits | None = None,
        cluster: Cluster | None = None,
        observer: Observer | None = None,
        refusal: Callable[[BaseException], Any] = internal_refusal,
        connect_data: Callable[[BaseException], Any] = lambda _: None,
        client_address: ClientAddress = peer_address,
        exempt_peer: Callable[[str], bool] = is_loopback,
        drain_within: float = 5.0,
    ) -> None:
        self.engine = EngineServer(
            self._client,
            path=path,
            options=EngineOptions(ping_interval, ping_timeout, max_payload),
            cors=cors,
            cookie=cookie,
            compress_http=compress_http,
            limits=limits,
            observer=observer,
            client_address=client_address,
            exempt_peer=exempt_peer,
            connect_timeout=connect_timeout,
            drain_within=drain_within,
        )
        self.limits = self.engine.limits
        self.observer = self.engine.observer
        self.turn = self.engine.turn
        self.runner = EagerRunner()
        self.cluster: Cluster = cluster or MemoryCluster()
        self.engine.set_node(self.cluster.node_id)
        self.cluster.attach(self)
        self._refusal = refusal
        self._connect_data = connect_data
        self._namespaces: dict[str, Namespace] = {}
        self._matched: set[str] = set()
        self._dynamic: list[tuple[NamespaceMatch, HandlerRegistry]] = []
        self._main = Namespace(self, "/")
        self._namespaces["/"] = self._main

    # what uvicorn is given

    @property
    def asgi(self) -> PollingApp:
        """The ASGI application of long-polling."""
        return self.engine.asgi

    def websocket_protocol(self) -> type[WebSocketProtocol]:
        """See EngineServer.websocket_protocol."""
        return self.engine.websocket_protocol()

    def http_protocol(self) -> type[FrontDoor]:
        """See EngineServer.http_protocol."""
        return self.engine.http_protocol()

    def serves(self, path: str) -> bool:
        """See EngineServer.serves."""
        return self.engine.serves(path)

    async def drain(self, within: float | None = None) -> None:
        """See EngineServer.drain. Handlers that still wait when everybody is gone are cancelled."""
        await self.engine.drain(within)
        await self.runner.close()
        self.engine.close()

    # namespaces

    @overload
    def of(self, name: str) -> Namespace: ...

    @overload
    def of(self, name: re.Pattern[str] | NamespaceMatch) -> HandlerRegistry: ...

    def of(self, name: str | re.Pattern[str] | NamespaceMatch) -> HandlerRegistry:
        """The namespace `name`, made on first use; or the handlers of all that a pattern or a function lets clients open.

        The function is `match(name, auth) -> bool`. A namespace that came by a match goes when its last socket does.
        """
        if isinstance(name, str):
            name = name if name.startswith("/") else f"/{name}"
            namespace = self._namespaces.get(name)
            if namespace is None:
                namespace = self._namespaces[name] = Namespace(self, name)
            self._matched.discard(name)
            return namespace
        registry = HandlerRegistry()
        if isinstance(name, re.Pattern):
            fullmatch = name.fullmatch
            self._dynamic.append((lambda asked, _: fullmatch(asked) is not None, registry))
        else:
            self._dynamic.append((name, registry))
        return registry

    @property
    def namespaces(self) -> set[str]:
        """The names of all namespaces there are now."""
        return set(self._namespaces)

    def namespace_for(self, name: str, auth: dict[str, Any]) -> Namespace | None:
        """The namespace that a client asks for, None when there is none."""
        namespace = self._namespaces.get(name)
        if namespace is not None:
            return namespace
        for match, registry in self._dynamic:
            if match(name, auth):
                namespace = self._namespaces[name] = Namespace(self, name, registry)
                self._matched.add(name)
                return namespace
        return None

    def namespace_emptied(self, namespace: Namespace) -> None:
        """A namespace may have lost its last socket; one that came by a match goes with it."""
        if namespace.name in self._matched and not namespace.sockets:
            self._matched.discard(namespace.name)
            del self._namespaces[namespace.name]

    # shortcuts for the namespace "/"

    def on(self, event: str) -> Callable[[HandlerT], HandlerT]:
        """See HandlerRegistry.on."""
        return self._main.on(event)

    def use(self, middleware: ConnectMiddleware) -> ConnectMiddleware:
        """See HandlerRegistry.use."""
        return self._main.use(middleware)

    def emit(self, event: str, *args: Any) -> None:
        """See Namespace.emit."""
        self._main.emit(event, *args)

    def to(self, *rooms: str) -> BroadcastOperator:
        """See Namespace.to."""
        return self._main.to(*rooms)

    # what sockets and clients ask

    def new_id(self) -> str:
        """An unguessable id."""
        return self.engine.new_id()

    def _client(self, connection: Connection) -> Client:
        return Client(self, connection)

    def socket_of(self, connection: Connection, namespace: str) -> Socket | None:
        """The socket of a namespace on a connection."""
        client = connection.receiver
        return client.sockets.get(namespace) if isinstance(client, Client) else None

    def connected(self, socket: Socket) -> None:
        """A socket was let in: its connect handler runs before anything that it sends is handled."""
        handler = socket.namespace.handlers.get("connect")
        if handler is None:
            socket.introduced = True
        else:
            socket.busy = True
            self.engine.loop.call_later(_CONNECT_GAP, self._introduce, socket, handler)

    def _introduce(self, socket: Socket, handler: Handler) -> None:
        def done(_: Any, failure: BaseException | None) -> None:
            if failure is not None:
                logger.error("the connect handler of %s failed", socket.namespace.name, exc_info=failure)
                # Half set up it is of no use; a client whose connection closes comes back by itself.
                socket.connection.close("forced server close", 1011)
            socket.free()

        if not socket.connected:
            return
        socket.introduced = True
        try:
            result = handler(socket)
        except Exception as exc:  # dealt with by done
            done(None, exc)
            return
        if type(result) is CoroutineType:
            socket.start(result, done)
        else:
            done(result, None)

    def socket_closed(self, socket: Socket) -> None:
        """A socket left its namespace."""
        client = socket.connection.receiver
        if isinstance(client, Client) and client.sockets.get(socket.namespace.name) is socket:
            del client.sockets[socket.namespace.name]

    def disconnect(self, connection: Connection) -> None:
        """Disconnects every socket of a connection and closes it."""
        client = connection.receiver
        if isinstance(client, Client):
            for socket in list(client.sockets.values()):
                socket.disconnect()
        connection.close("forced server close")

    def run_detached(self, event: str, handler: Handler, *args: Any) -> None:
        """Runs a handler that nobody waits for; a failure is logged."""

        def done(_: Any, failure: BaseException | None) -> None:
            if failure is not None:
                logger.error("the handler of %s failed", event, exc_info=failure)

        try:
            result = handler(*args)
        except Exception as exc:
            done(None, exc)
            return
        if type(result) is CoroutineType:
            self.runner.start(result, done)

    def refuse(self, event: str, failure: BaseException) -> Any:
        """The answer to an event whose handler raised; logged here, once, unless a middleware refused on purpose."""
        if not isinstance(failure, PacketRefused | CancelledError):
            logger.error("the handler of %s failed", event, exc_info=failure)
        return self._refusal(failure)

    def refuse_connect(self, failure: BaseException) -> dict[str, Any]:
        """The payload of a `connect_error`; what is not refused on purpose is logged here."""
        message, data = "Internal error", None
        if isinstance(failure, ConnectRefused):
            message, data = failure.message, failure.data
        else:
            logger.error("a connect middleware failed", exc_info=failure)
        if data is None:
            data = self._connect_data(failure)
        return {"message": message} if data is None else {"message": message, "data": data}

    # Node: what the cluster asks

    def deliver(self, broadcast: Broadcast) -> None:
        """See Node."""
        namespace = self._namespaces.get(broadcast.namespace)
        if namespace is None:
            return
        if broadcast.number and namespace.numbered is not None:
            namespace.numbered.take(broadcast)
        else:
            namespace.take(broadcast)

    async def answer(self, request: Request) -> list[Any]:
        """See Node."""
        namespace = self._namespaces.get(request.namespace)
        if namespace is None:
            return []
        chosen = BroadcastOperator(namespace, request.rooms, request.except_, local=True, timeout=request.timeout)
        match request.operation:
            case "fetch":
                sockets = chosen.local_sockets()
                return [RemoteSocket(each.id, tuple(sorted(each.rooms)), each.handshake.address) for each in sockets]
            case "join":
                await chosen.sockets_join(*request.arguments)
            case "leave":
                await chosen.sockets_leave(*request.arguments)
            case "disconnect":
                await chosen.disconnect_sockets(*request.arguments)
            case "call":
                return await chosen.call(*request.arguments)
        return []
