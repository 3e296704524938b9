"""The Socket.IO face of calls: what each event does, and what calls hear of sockets, sessions and members."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from parlour.events.answers import answering
from parlour.platform.bus import Bus, Unsubscribe
from parlour.platform.contracts import SESSION_REVOKED, USER_CHANGED, SessionRevoked, UserChanged
from parlour.platform.ids import RoomId, UserId
from parlour.platform.metrics import CALLS_REFUSED
from parlour.platform.tokens import Principal
from parlour.realtime import Namespace, PacketRefused, Socket
from parlour.video.events.carried import Carried
from parlour.video.events.desk import EVENTS, Asker


class CallGateway:
    """Serves calls on a namespace whose sockets somebody else authenticates: `socket.data` is the `Principal`.

    `start()` it before the server accepts. Whoever authenticates tells of sockets by `socket_ready` and `socket_gone`.
    """

    def __init__(self, namespace: Namespace, carried: Carried, bus: Bus) -> None:
        self._namespace = namespace
        self._carried = carried
        self._bus = bus
        self._subscriptions: list[Unsubscribe] = []

    def start(self) -> None:
        """Take the events of calls, and begin to listen to the bus."""
        for event, (payload_type, _) in EVENTS.items():
            self._namespace.on(event)(_counted(payload_type, self._asking(event)))
        self._subscriptions = [
            self._bus.subscribe(SESSION_REVOKED, self._session_revoked),
            self._bus.subscribe(USER_CHANGED, self._user_changed),
        ]

    def stop(self) -> None:
        """Stop listening."""
        for unsubscribe in self._subscriptions:
            unsubscribe()

    def socket_ready(self, socket: Socket) -> None:
        """Take in a socket that has just connected."""
        principal: Principal = socket.data
        self._carried.ready(principal.user_id, socket.id)

    def socket_gone(self, socket: Socket) -> None:
        """Take in that a socket is gone."""
        self._carried.gone(socket.id)

    def member_removed(self, user_id: UserId, room_id: RoomId) -> None:
        """Take in that a user is in a room no more."""
        live = self._carried.live
        if live is not None:
            live.member_removed(user_id, room_id)

    def _asking(self, event: str) -> "_Handle":
        async def handle(socket: Socket, payload: msgspec.Struct) -> object:
            try:
                return await self._carried.ask(event, Asker(socket.data, socket.id), payload)
            finally:
                if not socket.connected:  # it went while it was being let in, when it did not take part yet
                    self._carried.gone(socket.id)

        return handle

    def _session_revoked(self, payload: bytes) -> None:
        revoked = msgspec.json.decode(payload, type=SessionRevoked)
        live = self._carried.live
        if live is not None:
            live.sessions_ended(revoked.user_id, revoked.session_ids)

    def _user_changed(self, payload: bytes) -> None:
        changed = msgspec.json.decode(payload, type=UserChanged)
        live = self._carried.live
        if changed.disabled and live is not None:
            live.sessions_ended(changed.user_id)


_Handle = Callable[[Socket, msgspec.Struct], Awaitable[object]]


def _counted(payload_type: type[msgspec.Struct], handle: _Handle) -> Callable[..., Any]:
    """Return the handler of an event, which counts what it refuses by code."""
    answer = answering(payload_type, handle)

    async def handler(socket: Socket, *args: Any) -> object:
        try:
            return await answer(socket, *args)
        except PacketRefused as refused:
            CALLS_REFUSED.labels(refused.code).inc()
            raise

    return handler
