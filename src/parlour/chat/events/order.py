"""The order of what a socket sends into a room, kept where something of it is refused for a while."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from parlour.chat.ports import Pending
from parlour.platform.errors import ParlourError, RateLimited, Unavailable
from parlour.platform.ids import ClientId, RoomId

WAIT = 3.0
"""Seconds for which a refused command is waited for: whoever had others on the way knows of the refusal by then."""

MAX_ROOMS = 100
"""Rooms of one socket in which something is waited for; past it the first is waited for no more."""

_Awaited = tuple[ClientId, float, ParlourError]


class SendingOrder:
    """After a refusal that passes by itself, what else the socket sends into that room is refused likewise until the refused command
    comes again: of a client that has several under way, the later ones would otherwise overtake it.

    It costs nothing where nothing is refused.
    """

    def __init__(self) -> None:
        self._awaited: dict[str, dict[RoomId, _Awaited]] = {}

    async def submit(
        self, socket_id: str, room_id: RoomId, client_id: ClientId, work: Coroutine[Any, Any, Pending]
    ) -> Pending:
        """Return what `work` returns, the future of a command.

        Raises:
            ParlourError: an earlier command is waited for, or what `work` raises.
        """
        refusal = self._refusal(socket_id, room_id, client_id) if socket_id in self._awaited else None
        if refusal is not None:
            work.close()
            raise refusal
        try:
            pending = await work
        except (Unavailable, RateLimited) as error:
            self._wait_for(socket_id, room_id, client_id, error)
            raise
        pending.add_done_callback(lambda done: self._done(socket_id, room_id, client_id, done))
        return pending

    def forget(self, socket_id: str) -> None:
        """The socket is gone."""
        self._awaited.pop(socket_id, None)

    def _refusal(self, socket_id: str, room_id: RoomId, client_id: ClientId) -> ParlourError | None:
        rooms = self._awaited[socket_id]
        awaited = rooms.get(room_id)
        if awaited is None:
            return None
        wanted, until, error = awaited
        if wanted != client_id and asyncio.get_running_loop().time() < until:
            return type(error)(error.message, retry_after=error.retry_after, details=error.details)
        del rooms[room_id]
        if not rooms:
            del self._awaited[socket_id]
        return None

    def _wait_for(self, socket_id: str, room_id: RoomId, client_id: ClientId, error: ParlourError) -> None:
        rooms = self._awaited.setdefault(socket_id, {})
        rooms.setdefault(room_id, (client_id, asyncio.get_running_loop().time() + WAIT, error))
        if len(rooms) > MAX_ROOMS:
            del rooms[next(iter(rooms))]

    def _done(self, socket_id: str, room_id: RoomId, client_id: ClientId, done: Pending) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if isinstance(error, Unavailable):
            self._wait_for(socket_id, room_id, client_id, error)
