"""The live sockets of this process by session and user: they end with their token, session or account, or for newer ones."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from parlour.chat.errors import TokenMismatch, TooManySockets
from parlour.chat.events.payloads import AuthExpiring, SessionClosed, SocketDisplaced
from parlour.platform import metrics
from parlour.platform.clock import Clock
from parlour.platform.ids import SessionId, UserId
from parlour.platform.permissions import Role
from parlour.platform.tokens import Principal, TokenVerifier
from parlour.realtime import Socket

K = TypeVar("K")

NOTICE = 60
"""Seconds before the end of its token at which a socket is told."""

MAX_SOCKETS = 50
"""Sockets of one user. The newest is let in and the oldest goes: whoever reloads a page, or comes back from a dead network whose
sockets have not timed out yet, must never be locked out by the ghosts of before."""


class LiveSessions:
    """Knows every authenticated socket; `socket.data` is its `Principal`.

    A socket whose token ends is told `NOTICE` seconds before, and closed within a second after the end unless it was
    renewed. One timer a second serves all of them: sockets wait in the bucket of the second at which something is
    due.
    """

    def __init__(
        self, verifier: TokenVerifier, clock: Clock, *, notice: int = NOTICE, max_sockets: int = MAX_SOCKETS
    ) -> None:
        self._verifier = verifier
        self._clock = clock
        self._notice = notice
        self._max_sockets = max_sockets
        self._by_session: defaultdict[SessionId, dict[str, Socket]] = defaultdict(dict)
        self._by_user: defaultdict[UserId, dict[str, Socket]] = defaultdict(dict)
        self._due: defaultdict[int, dict[str, Socket]] = defaultdict(dict)
        self._due_of: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def open(self, socket: Socket, principal: Principal) -> None:
        """Take in a socket that has just connected as `principal`; one too many of a user, the oldest, is displaced."""
        socket.data = principal
        self._by_session[principal.session_id][socket.id] = socket
        sockets = self._by_user[principal.user_id]
        sockets[socket.id] = socket
        if len(sockets) > self._max_sockets:
            displace(next(iter(sockets.values())), self._max_sockets)
        self._schedule(socket, principal.expires_at - self._notice)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(1.0, self._tick)

    def close(self, socket: Socket) -> None:
        """Forget a socket that is gone."""
        principal: Principal = socket.data
        _discard(self._by_session, principal.session_id, socket.id)
        _discard(self._by_user, principal.user_id, socket.id)
        due = self._due_of.pop(socket.id, None)
        if due is not None:
            _discard(self._due, due, socket.id)

    def renew(self, socket: Socket, token: str) -> None:
        """Let a socket live as long as `token`.

        Raises:
            Unauthenticated: the token is not valid, or its session was revoked.
            TokenMismatch: it is of another user or session.
        """
        renewed = self._verifier.verify(token)
        principal: Principal = socket.data
        if (renewed.user_id, renewed.session_id) != (principal.user_id, principal.session_id):
            raise TokenMismatch
        if renewed.expires_at >= principal.expires_at:
            socket.data = renewed
            self._schedule(socket, renewed.expires_at - self._notice)

    def end_sessions(self, session_ids: Iterable[SessionId], reason: str) -> None:
        """Close every socket of these sessions, telling why."""
        for session_id in session_ids:
            for socket in tuple(self._by_session.get(session_id, {}).values()):
                end(socket, reason)

    def end_user(self, user_id: UserId, reason: str) -> None:
        """Close every socket of a user, telling why."""
        for socket in tuple(self._by_user.get(user_id, {}).values()):
            end(socket, reason)

    def change_role(self, user_id: UserId, role: Role) -> None:
        """Have a user's sockets act with another role from now on."""
        for socket in self._by_user.get(user_id, {}).values():
            socket.data = msgspec.structs.replace(socket.data, role=role)

    def stop(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self, socket: Socket, second: int) -> None:
        before = self._due_of.get(socket.id)
        if before is not None:
            _discard(self._due, before, socket.id)
        self._due[second][socket.id] = socket
        self._due_of[socket.id] = second

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(1.0, self._tick) if self._due_of else None
        now = self._clock.now() / 1000
        # At most one bucket for each second of a token's life. Looking at all of them keeps this right when the wall clock jumps.
        for second in [second for second in self._due if second <= now]:
            for socket in self._due.pop(second).values():
                del self._due_of[socket.id]
                self._act(socket, now)

    def _act(self, socket: Socket, now: float) -> None:
        principal: Principal = socket.data
        left = principal.expires_at - now
        if left <= 0:
            socket.disconnect(close=True)  # the session goes on: a client with a fresh token connects again
        else:
            self._schedule(socket, principal.expires_at)
            socket.emit("auth.expiring", AuthExpiring(round(left)))


def displace(socket: Socket, limit: int) -> None:
    """Close a socket in favour of a newer one of its user, telling why."""
    metrics.SOCKETS_DISPLACED.inc()
    socket.emit("socket.displaced", SocketDisplaced(TooManySockets(details={"limit": limit}).body()))
    socket.disconnect(close=True)


def end(socket: Socket, reason: str) -> None:
    """Tell a socket why its session ends, and close its connection."""
    socket.emit("session.revoked", SessionClosed(reason))
    socket.disconnect(close=True)


def _discard(index: dict[K, dict[str, Socket]], key: K, socket_id: str) -> None:
    sockets = index.get(key)
    if sockets is not None:
        sockets.pop(socket_id, None)
        if not sockets:
            del index[key]
