"""What is said to, asked of and done with many sockets at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from parlour.realtime.cluster import Broadcast, RemoteSocket, Request

if TYPE_CHECKING:
    from parlour.realtime.namespace import Namespace
    from parlour.realtime.socket import Socket

_REQUEST_TIMEOUT = 5.0


class BroadcastOperator:
    """A choice of sockets, on all nodes, made by `to`, `except_` and the like; each gives a new one."""

    __slots__ = ("_except", "_local", "_namespace", "_number", "_rooms", "_since", "_timeout", "_volatile")

    def __init__(
        self,
        namespace: Namespace,
        rooms: tuple[str, ...] = (),
        except_: tuple[str, ...] = (),
        *,
        volatile: bool = False,
        local: bool = False,
        since: float = 0.0,
        timeout: float = _REQUEST_TIMEOUT,
        number: int = 0,
    ) -> None:
        self._namespace = namespace
        self._rooms = rooms
        self._except = except_
        self._volatile = volatile
        self._local = local
        self._since = since
        self._timeout = timeout
        self._number = number

    def _with(self, **changed: Any) -> BroadcastOperator:
        settings: dict[str, Any] = {
            "rooms": self._rooms,
            "except_": self._except,
            "volatile": self._volatile,
            "local": self._local,
            "since": self._since,
            "timeout": self._timeout,
            "number": self._number,
        }
        return BroadcastOperator(self._namespace, **(settings | changed))

    def to(self, *rooms: str) -> BroadcastOperator:
        """Adds rooms. Who is in several of them is reached once."""
        return self._with(rooms=self._rooms + rooms)

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Leaves out the members of rooms (a socket's id is a room of its own)."""
        return self._with(except_=self._except + rooms)

    @property
    def volatile(self) -> BroadcastOperator:
        """Leaves out, for the next emit, who could not take it at once."""
        return self._with(volatile=True)

    @property
    def local(self) -> BroadcastOperator:
        """Leaves out the other nodes."""
        return self._with(local=True)

    def since(self, received_at: float) -> BroadcastOperator:
        """Has the observer told the time from `received_at` (`socket.received_at`) to the write."""
        return self._with(since=received_at)

    def numbered(self, number: int) -> BroadcastOperator:
        """Gives the next emit, which is to one room, its number there: see `Namespace.number`. From 1, without gaps."""
        return self._with(number=number)

    def timeout(self, seconds: float) -> BroadcastOperator:
        """How long `call` and `fetch_sockets` wait."""
        return self._with(timeout=seconds)

    def emit(self, event: str, *args: Any) -> None:
        """Emits: encoded and framed once here and nowhere again, written at the end of this turn of the loop.

        An argument may be `msgspec.Raw` (JSON already) or contain `bytes`, which travel as binary attachments.

        Raises:
            ReservedEventName: the protocol keeps this name for itself.
        """
        namespace = self._namespace
        self._send(namespace.event_frames(event, args))

    def _send(self, frames: bytes) -> None:
        namespace = self._namespace
        broadcast = Broadcast(
            namespace.name, self._rooms, self._except, frames, self._volatile, self._number, self._since
        )
        if self._number and namespace.numbered is not None:
            namespace.numbered.take(broadcast)
        else:
            namespace.deliver(self._rooms, self._except, frames, volatile=self._volatile, since=self._since)
        if not self._local:
            namespace.server.cluster.publish(broadcast)

    async def call(self, event: str, *args: Any) -> list[Any]:
        """Emits and collects what is acknowledged within the timeout: the first argument of each answer, else None."""
        local = self._call_local(event, args)
        here, there = await asyncio.gather(local, self._request("call", [event, *args]))
        return here + there

    async def _call_local(self, event: str, args: tuple[Any, ...]) -> list[Any]:
        namespace = self._namespace
        sockets = self.local_sockets()
        if not sockets:
            return []
        ack_id = namespace.next_ack_id()
        frames = namespace.event_frames(event, args, ack_id)
        waiting = [socket.expect_ack(ack_id) for socket in sockets]
        namespace.deliver(self._rooms, self._except, frames, volatile=False)
        try:
            done, _ = await asyncio.wait(waiting, timeout=self._timeout)
        finally:
            for socket in sockets:
                socket.forget_ack(ack_id)
        answers = [future.result() for future in done if future.exception() is None]
        return [answer[0] if answer else None for answer in answers]

    async def fetch_sockets(self) -> list[Socket | RemoteSocket]:
        """The chosen sockets: of this node themselves, of others what they tell within the timeout."""
        sockets: list[Socket | RemoteSocket] = list(self.local_sockets())
        if not self._local:
            sockets += await self._request("fetch", [])
        return sockets

    async def sockets_join(self, *rooms: str) -> None:
        """Makes the chosen sockets join rooms."""
        for socket in self.local_sockets():
            for room in rooms:
                socket.join(room)
        await self._request("join", list(rooms))

    async def sockets_leave(self, *rooms: str) -> None:
        """Makes the chosen sockets leave rooms."""
        for socket in self.local_sockets():
            for room in rooms:
                socket.leave(room)
        await self._request("leave", list(rooms))

    async def disconnect_sockets(self, close: bool = False) -> None:
        """Disconnects the chosen sockets from the namespace; with `close` their whole connections."""
        for socket in self.local_sockets():
            socket.disconnect(close=close)
        await self._request("disconnect", [close])

    def local_sockets(self) -> list[Socket]:
        """The chosen sockets of this node."""
        namespace = self._namespace
        found = map(namespace.socket_of, namespace.members(self._rooms, self._except))
        return [socket for socket in found if socket is not None]

    async def _request(self, operation: Any, arguments: list[Any]) -> list[Any]:
        if self._local:
            return []
        request = Request(operation, self._namespace.name, self._rooms, self._except, arguments, self._timeout)
        return await self._namespace.server.cluster.request(request)
