"""The Socket.IO face of chat: who may connect, what they hear, and what each event does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from parlour.chat.errors import UnknownEvent
from parlour.chat.events import payloads as wire
from parlour.chat.events.channels import (
    Channels,
    presence_channel,
    room_channel,
    session_channel,
    user_channel,
)
from parlour.chat.events.order import SendingOrder
from parlour.chat.events.sessions import LiveSessions, end
from parlour.chat.model import Membership
from parlour.chat.ports import Pending
from parlour.chat.service.membership import Memberships
from parlour.chat.service.messages import Messages
from parlour.chat.service.presence import Presence
from parlour.chat.service.read_markers import ReadMarkers
from parlour.chat.service.ready import Summaries
from parlour.chat.service.sync import Sync
from parlour.chat.service.typing_notices import TypingNotices
from parlour.events.answers import DONE, Done, answering, later
from parlour.platform.bus import Bus, Unsubscribe
from parlour.platform.contracts import SESSION_REVOKED, USER_CHANGED, SessionRevoked, UserChanged
from parlour.platform.errors import ParlourError, Unauthenticated
from parlour.platform.ids import RoomId, UserId
from parlour.platform.permissions import Role
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal, TokenVerifier
from parlour.realtime import ConnectRefused, Namespace, PacketRefused, Socket

logger = logging.getLogger(__name__)

_Command = wire.MessageSend | wire.MessageEdit | wire.MessageCommand | wire.Reaction


class Gateway:
    """Serves chat on a namespace: construct it, `start()` it before the server accepts, `stop()` it after.

    The race of snapshot and events: a socket is in the channels of its rooms before their heads are read for `ready`,
    so any event above the head that `ready` names arrives live. Memberships that change in between are in `ready` as
    they are when it is sent.
    """

    def __init__(
        self,
        namespace: Namespace,
        channels: Channels,
        *,
        verifier: TokenVerifier,
        sessions: LiveSessions,
        rates: RateLimits,
        bus: Bus,
        memberships: Memberships,
        summaries: Summaries,
        messages: Messages,
        sync: Sync,
        presence: Presence,
        typing: TypingNotices,
        reads: ReadMarkers,
        alone: bool = True,
    ) -> None:
        """Serve on `namespace`; unless this process is `alone`, whoever connects is loaded anew: read markers move on other nodes too."""
        self._namespace = namespace
        self._channels = channels
        self._verifier = verifier
        self._sessions = sessions
        self._rates = rates
        self._bus = bus
        self._memberships = memberships
        self._summaries = summaries
        self._messages = messages
        self._sync = sync
        self._presence = presence
        self._typing = typing
        self._reads = reads
        self._alone = alone
        self._order = SendingOrder()
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: list[Unsubscribe] = []
        self._on_ready: list[Callable[[Socket], None]] = []
        self._on_gone: list[Callable[[Socket], None]] = []

    def on_ready(self, listener: Callable[[Socket], None]) -> None:
        """Call `listener(socket)` whenever a socket was sent `ready`."""
        self._on_ready.append(listener)

    def on_gone(self, listener: Callable[[Socket], None]) -> None:
        """Call `listener(socket)` whenever a socket is gone, whether or not it was ready before."""
        self._on_gone.append(listener)

    def start(self) -> None:
        """Take over the namespace and begin to listen to the bus and to changes of membership."""
        namespace = self._namespace
        namespace.use(self._authenticate)
        namespace.on("connect")(self._connected)
        namespace.on("disconnect")(self._disconnected)
        namespace.on_any(self._unknown)
        for event, handler in self._handlers().items():
            namespace.on(event)(handler)
        self._subscriptions = [
            self._bus.subscribe(SESSION_REVOKED, self._session_revoked),
            self._bus.subscribe(USER_CHANGED, self._user_changed),
        ]
        self._memberships.on_added(self._added)
        self._memberships.on_removed(self._channels.expel)

    async def stop(self) -> None:
        """Stop listening and what is under way."""
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._sessions.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _handlers(self) -> dict[str, Any]:
        return {
            "message.send": answering(wire.MessageSend, self._send),
            "message.edit": answering(wire.MessageEdit, self._edit),
            "message.delete": answering(wire.MessageCommand, self._delete),
            "message.pin": answering(wire.MessageCommand, self._pin),
            "message.unpin": answering(wire.MessageCommand, self._unpin),
            "reaction.add": answering(wire.Reaction, self._add_reaction),
            "reaction.remove": answering(wire.Reaction, self._remove_reaction),
            "sync": answering(wire.SyncRequest, self._synchronise),
            "read": answering(wire.ReadMark, self._read),
            "typing": answering(wire.TypingNotice, self._type),
            "presence.watch": answering(wire.PresenceWatch, self._watch),
            "presence.update": answering(wire.PresenceUpdate, self._update_presence),
            "auth.renew": answering(wire.AuthRenew, self._renew),
        }

    # Connecting and going

    async def _authenticate(self, socket: Socket, auth: object) -> None:
        try:
            principal = self._verify(auth)
            if not self._alone:
                self._memberships.invalidate([principal.user_id])
            if self._memberships.get(principal.user_id) is None:
                await self._memberships.load(principal.user_id)
        except ParlourError as error:
            body: dict[str, Any] = msgspec.to_builtins(error.body())
            raise ConnectRefused(error.message, data=body) from error
        socket.data = principal

    def _verify(self, auth: object) -> Principal:
        token = auth.get("token") if isinstance(auth, dict) else None
        if not isinstance(token, str):
            raise Unauthenticated
        return self._verifier.verify(token)

    async def _connected(self, socket: Socket) -> None:
        try:
            principal = self._verify(socket.handshake.auth)
        except Unauthenticated:  # it ended between the check and now, when nothing could close this socket yet
            end(socket, "revoked")
            return
        self._sessions.open(socket, principal)
        self._presence.arrive(principal.user_id, socket.id)
        await self._welcome(socket, principal)

    async def _welcome(self, socket: Socket, principal: Principal) -> None:
        """Join the channels and send `ready`; where that fails the engine closes the connection and the client tries again."""
        user_id = principal.user_id
        socket.join(user_channel(user_id))
        socket.join(session_channel(principal.session_id))
        # From here on a change of membership moves this socket between channels by itself.
        memberships = await self._current(user_id)
        for room_id in memberships:
            socket.join(room_channel(room_id))
        while True:
            await self._channels.settled()
            state = await self._summaries.ready(principal, memberships)
            if not socket.connected:
                return
            for room in state.rooms:
                self._channels.began(room.id, room.head)
            current = await self._current(user_id)
            if socket.id not in self._namespace.sockets:
                return
            if current.keys() == {room.id for room in state.rooms}:
                socket.emit("ready", state)
                for listener in self._on_ready:
                    listener(socket)
                return
            memberships = current

    async def _current(self, user_id: UserId) -> dict[RoomId, Membership]:
        """Return a copy of the memberships as they are at the moment of return, whatever changed while they were loaded."""
        current = self._memberships.get(user_id)
        while current is None:
            await self._memberships.load(user_id)
            current = self._memberships.get(user_id)
        return dict(current)

    def _disconnected(self, socket: Socket, _reason: str) -> None:
        principal: Principal = socket.data
        self._sessions.close(socket)
        self._presence.leave(principal.user_id, socket.id)
        self._order.forget(socket.id)
        for listener in self._on_gone:
            listener(socket)

    def _unknown(self, _socket: Socket, event: object, *_args: Any) -> None:
        error = UnknownEvent(details={"event": str(event)[:64]})
        raise PacketRefused(error.message, error.code) from error

    # Messages

    async def _send(self, socket: Socket, payload: wire.MessageSend) -> asyncio.Future[wire.Placed]:
        self._typing.sent(payload.room_id, socket.data.user_id)
        sent = self._messages.send(
            socket.data,
            payload.room_id,
            payload.client_id,
            payload.text,
            payload.reply_to,
            received=socket.received_at,
        )
        return await self._place(socket, payload, sent)

    async def _edit(self, socket: Socket, payload: wire.MessageEdit) -> asyncio.Future[wire.Placed]:
        edited = self._messages.edit(
            socket.data,
            payload.room_id,
            payload.client_id,
            payload.id,
            payload.text,
            received=socket.received_at,
        )
        return await self._place(socket, payload, edited)

    async def _delete(self, socket: Socket, payload: wire.MessageCommand) -> asyncio.Future[wire.Placed]:
        deleted = self._messages.delete(
            socket.data, payload.room_id, payload.client_id, payload.id, received=socket.received_at
        )
        return await self._place(socket, payload, deleted)

    async def _pin(self, socket: Socket, payload: wire.MessageCommand) -> asyncio.Future[wire.Placed]:
        return await self._set_pin(socket, payload, True)

    async def _unpin(self, socket: Socket, payload: wire.MessageCommand) -> asyncio.Future[wire.Placed]:
        return await self._set_pin(socket, payload, False)

    async def _set_pin(self, socket: Socket, payload: wire.MessageCommand, on: bool) -> asyncio.Future[wire.Placed]:
        pinned = self._messages.pin(
            socket.data, payload.room_id, payload.client_id, payload.id, on=on, received=socket.received_at
        )
        return await self._place(socket, payload, pinned)

    async def _add_reaction(self, socket: Socket, payload: wire.Reaction) -> asyncio.Future[wire.Placed]:
        return await self._set_reaction(socket, payload, True)

    async def _remove_reaction(self, socket: Socket, payload: wire.Reaction) -> asyncio.Future[wire.Placed]:
        return await self._set_reaction(socket, payload, False)

    async def _set_reaction(self, socket: Socket, payload: wire.Reaction, on: bool) -> asyncio.Future[wire.Placed]:
        reacted = self._messages.react(
            socket.data,
            payload.room_id,
            payload.client_id,
            payload.id,
            payload.emoji,
            on=on,
            received=socket.received_at,
        )
        return await self._place(socket, payload, reacted)

    async def _place(
        self, socket: Socket, payload: _Command, command: Coroutine[Any, Any, Pending]
    ) -> asyncio.Future[wire.Placed]:
        """Return the acknowledgement of a command under way, which the sender's next events do not wait for."""
        pending = await self._order.submit(socket, payload.room_id, payload.client_id, command)
        return later(pending, lambda appended: wire.Placed(appended.event.id, appended.event.seq, appended.event.at))

    # Beside the log

    async def _synchronise(self, socket: Socket, payload: wire.SyncRequest) -> wire.Synced:
        return wire.Synced(await self._sync.sync(socket.data, payload.rooms))

    async def _read(self, socket: Socket, payload: wire.ReadMark) -> wire.ReadPlaced:
        room_id, seq = payload.room_id, payload.seq
        if payload.unread:
            return wire.ReadPlaced(await self._reads.mark_unread(socket.data, room_id, seq))
        return wire.ReadPlaced(await self._reads.mark(socket.data, room_id, seq, socket.id, was=payload.was))

    async def _type(self, socket: Socket, payload: wire.TypingNotice) -> Done:
        await self._typing.set(socket.data, payload.room_id, payload.on)
        return DONE

    async def _watch(self, socket: Socket, payload: wire.PresenceWatch) -> wire.PresenceStates:
        before = self._presence.watched_by(socket.id)
        states = await self._presence.watch(socket.data.user_id, socket.id, payload.user_ids)
        now = self._presence.watched_by(socket.id)
        for user_id in before - now:
            socket.leave(presence_channel(user_id))
        for user_id in now - before:
            socket.join(presence_channel(user_id))
        return wire.PresenceStates(states)

    async def _update_presence(self, socket: Socket, payload: wire.PresenceUpdate) -> Done:
        self._presence.update(socket.data.user_id, socket.id, payload.state)
        return DONE

    async def _renew(self, socket: Socket, payload: wire.AuthRenew) -> Done:
        self._rates.check("renew", socket.data.user_id)  # a signature costs 100 µs to check
        self._sessions.renew(socket, payload.token)
        return DONE

    # What others did

    def _session_revoked(self, payload: bytes) -> None:
        revoked = msgspec.json.decode(payload, type=SessionRevoked)
        self._sessions.end_sessions(revoked.session_ids, revoked.reason)

    def _user_changed(self, payload: bytes) -> None:
        changed = msgspec.json.decode(payload, type=UserChanged)
        if changed.disabled:
            self._sessions.end_user(changed.user_id, "user_disabled")
        else:
            self._sessions.change_role(changed.user_id, Role(changed.role))

    def _added(self, user_id: UserId, membership: Membership) -> None:
        """Let the user's sockets hear the room at once, and tell them when its head, read afterwards, is known."""
        self._channels.enter(user_id, membership.room.id)
        self._spawn(self._tell_added(user_id, membership))

    async def _tell_added(self, user_id: UserId, membership: Membership) -> None:
        try:
            await self._channels.settled()
            summaries = await self._summaries.rooms(user_id, [membership])
        except ParlourError:  # the next connection has it in `ready`
            logger.warning("a new member could not be told of the room", exc_info=True, extra={"user_id": user_id})
            return
        rooms = self._memberships.get(user_id)
        if rooms is None or membership.room.id in rooms:
            self._channels.began(membership.room.id, summaries[0].head)
            self._channels.room_added(user_id, summaries[0])

    def _spawn(self, coroutine: Awaitable[None]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
