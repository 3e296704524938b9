"""The Socket.IO face of calls: what each event does, and what calls hear of sockets and sessions."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from parlour.events.answers import DONE, Done, answering
from parlour.platform.bus import Bus, Unsubscribe
from parlour.platform.contracts import SESSION_REVOKED, USER_CHANGED, SessionRevoked, UserChanged
from parlour.platform.errors import InvalidRequest
from parlour.platform.metrics import CALLS_REFUSED
from parlour.platform.tokens import Principal
from parlour.realtime import Namespace, PacketRefused, Socket
from parlour.video.events import payloads as wire
from parlour.video.service.calls import Calls, Joined
from parlour.video.service.live import LiveCalls

P = TypeVar("P", bound=msgspec.Struct)


class CallGateway:
    """Serves calls on a namespace whose sockets somebody else authenticates: `socket.data` is the `Principal`.

    `start()` it before the server accepts. Whoever authenticates tells of sockets by `socket_ready` and `socket_gone`.
    """

    def __init__(self, namespace: Namespace, calls: Calls, live: LiveCalls, bus: Bus) -> None:
        self._namespace = namespace
        self._calls = calls
        self._live = live
        self._bus = bus
        self._subscriptions: list[Unsubscribe] = []

    def start(self) -> None:
        """Take the events of calls, and begin to listen to the bus."""
        for event, handler in self._handlers().items():
            self._namespace.on(event)(handler)
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
        self._live.socket_ready(principal.user_id, socket.id)

    def socket_gone(self, socket: Socket) -> None:
        """Take in that a socket is gone."""
        self._live.socket_gone(socket.id)

    def _handlers(self) -> dict[str, Any]:
        return {
            "call.start": _counted(wire.CallStart, self._start),
            "call.join": _counted(wire.CallJoin, self._join),
            "call.signal": _counted(wire.CallSignal, self._signal),
            "call.leave": _counted(wire.CallCommand, self._leave),
            "call.decline": _counted(wire.CallCommand, self._decline),
            "call.mute": _counted(wire.CallMute, self._mute),
            "call.kick": _counted(wire.CallKick, self._kick),
        }

    async def _start(self, socket: Socket, payload: wire.CallStart) -> wire.CallJoined:
        return self._joined(socket, await self._calls.start(socket.data, socket.id, payload.room_id, payload.media))

    async def _join(self, socket: Socket, payload: wire.CallJoin) -> wire.CallJoined:
        joined = await self._calls.join(socket.data, socket.id, payload.call_id, payload.participant_id)
        return self._joined(socket, joined)

    def _joined(self, socket: Socket, joined: Joined) -> wire.CallJoined:
        call = joined.call
        answer = wire.CallJoined(
            call=wire.call_view(call),
            participant_id=joined.participant.id,
            mode=call.mode,
            ice_servers=joined.ice_servers,
            participants=[wire.participant_view(each) for each in call.participants.values()],
        )
        if not socket.connected:  # it went while its membership was looked up, when it did not take part yet
            self._live.socket_gone(socket.id)
        return answer

    async def _signal(self, socket: Socket, payload: wire.CallSignal) -> Done:
        if (payload.description is None) == (payload.candidate is None):
            raise InvalidRequest("Send either a description or a candidate.", details={"field": "description"})
        await self._calls.signal(
            socket.data,
            socket.id,
            payload.call_id,
            payload.to,
            description=payload.description,
            candidate=payload.candidate,
        )
        return DONE

    async def _leave(self, socket: Socket, payload: wire.CallCommand) -> Done:
        await self._calls.leave(socket.data, socket.id, payload.call_id)
        return DONE

    async def _decline(self, socket: Socket, payload: wire.CallCommand) -> Done:
        await self._calls.decline(socket.data, socket.id, payload.call_id)
        return DONE

    async def _mute(self, socket: Socket, payload: wire.CallMute) -> Done:
        await self._calls.mute(
            socket.data,
            socket.id,
            payload.call_id,
            audio=payload.audio,
            video=payload.video,
            screen=payload.screen,
        )
        return DONE

    async def _kick(self, socket: Socket, payload: wire.CallKick) -> Done:
        await self._calls.kick(socket.data, payload.call_id, payload.participant_id)
        return DONE

    def _session_revoked(self, payload: bytes) -> None:
        revoked = msgspec.json.decode(payload, type=SessionRevoked)
        self._live.sessions_ended(revoked.user_id, revoked.session_ids)

    def _user_changed(self, payload: bytes) -> None:
        changed = msgspec.json.decode(payload, type=UserChanged)
        if changed.disabled:
            self._live.sessions_ended(changed.user_id)


def _counted(payload_type: type[P], handle: Callable[[Socket, P], Awaitable[object]]) -> Callable[..., Any]:
    """Return the handler of an event, which counts what it refuses by code."""
    answer = answering(payload_type, handle)

    async def handler(socket: Socket, *args: Any) -> object:
        try:
            return await answer(socket, *args)
        except PacketRefused as refused:
            CALLS_REFUSED.labels(refused.code).inc()
            raise

    return handler
