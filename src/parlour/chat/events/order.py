"""The order of what a socket sends into a room, kept where something of it is refused for a while."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from parlour.chat.ports import Pending
from parlour.platform.errors import ParlourError, RateLimited, Unavailable
from parlour.platform.ids import ClientId, RoomId

WAIT = 3.0
"""Seconds for which a refused command is waited for beyond its `retry_after`: whoever had others on the way knows by then."""

LONGEST = 10.0
"""Seconds of a `retry_after` that count."""

MAX_AWAITED = 1_000
"""Commands of one socket that are waited for, of all rooms together; past it those of the first room are not any more."""

_Awaited = dict[ClientId, tuple[float, ParlourError]]


class Sender(Protocol):
    """What is asked of a socket."""

    @property
    def id(self) -> str:
        """Its own."""
        ...

    @property
    def connected(self) -> bool:
        """Whether it is still there."""
        ...


class SendingOrder:
    """After a refusal that passes by itself, what else the socket sends into that room is refused likewise until the refused command
    comes again, and then the next, in the order in which they came first: of a client that has several under way and sends each
    again by itself, one would otherwise overtake another. Where the first does not come in time, none of them is waited for any more.

    It costs nothing where nothing is refused.
    """

    def __init__(self) -> None:
        self._sockets: dict[str, dict[RoomId, _Awaited]] = {}

    async def submit(
        self, socket: Sender, room_id: RoomId, client_id: ClientId, work: Coroutine[Any, Any, Pending]
    ) -> Pending:
        """Return what `work` returns, the future of a command.

        Raises:
            ParlourError: an earlier command is waited for, or what `work` raises.
        """
        if socket.id in self._sockets and (refusal := self._refusal(socket.id, room_id, client_id)) is not None:
            work.close()
            raise refusal
        try:
            pending = await work
        except (Unavailable, RateLimited) as error:
            self._wait_for(socket, room_id, client_id, error)
            raise
        except BaseException:
            self._came(socket.id, room_id, client_id)
            raise
        self._came(socket.id, room_id, client_id)
        pending.add_done_callback(lambda done: self._done(socket, room_id, client_id, done))
        return pending

    def forget(self, socket_id: str) -> None:
        """The socket is gone."""
        self._sockets.pop(socket_id, None)

    def _refusal(self, socket_id: str, room_id: RoomId, client_id: ClientId) -> ParlourError | None:
        awaited = self._sockets[socket_id].get(room_id)
        if awaited is None:
            return None
        first, (until, error) = next(iter(awaited.items()))
        if first == client_id:
            return None
        if until <= asyncio.get_running_loop().time():
            self._forget_room(socket_id, room_id)
            return None
        if len(awaited) < MAX_AWAITED:
            awaited.setdefault(client_id, (until, error))
        return type(error)(error.message, retry_after=error.retry_after, details=error.details)

    def _wait_for(self, socket: Sender, room_id: RoomId, client_id: ClientId, error: ParlourError) -> None:
        if not socket.connected:  # it never comes again by this id
            return
        rooms = self._sockets.setdefault(socket.id, {})
        awaited = rooms.setdefault(room_id, {})
        awaited[client_id] = _until(error), error  # it keeps its place
        if len(awaited) > MAX_AWAITED or (len(awaited) == 1 and sum(map(len, rooms.values())) > MAX_AWAITED):
            del rooms[next(iter(rooms))]

    def _came(self, socket_id: str, room_id: RoomId, client_id: ClientId) -> None:
        rooms = self._sockets.get(socket_id)
        if rooms is None:
            return
        awaited = rooms.get(room_id)
        if awaited is None or awaited.pop(client_id, None) is None:
            return
        if not awaited:
            self._forget_room(socket_id, room_id)
        else:  # now it is the next one's turn
            following, (_, error) = next(iter(awaited.items()))
            awaited[following] = _until(error), error

    def _forget_room(self, socket_id: str, room_id: RoomId) -> None:
        rooms = self._sockets[socket_id]
        del rooms[room_id]
        if not rooms:
            del self._sockets[socket_id]

    def _done(self, socket: Sender, room_id: RoomId, client_id: ClientId, done: Pending) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if isinstance(error, Unavailable):
            self._wait_for(socket, room_id, client_id, error)


def _until(error: ParlourError) -> float:
    return asyncio.get_running_loop().time() + WAIT + min(error.retry_after or 0.0, LONGEST)
