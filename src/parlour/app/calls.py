"""The video service, put together on chat's rooms, log and sockets."""

from litestar import Router

import parlour.video.http
from parlour.app.rooms import Chat
from parlour.chat.events.channels import user_channel
from parlour.config import Settings
from parlour.platform.bus import Bus
from parlour.platform.clock import Clock
from parlour.platform.rates import RateLimits
from parlour.platform.sql import Database
from parlour.realtime import Server
from parlour.rooms_for_calls import ChatCallLog, ChatRooms
from parlour.video.adapters.sql import SqlCallStore
from parlour.video.events.gateway import CallGateway
from parlour.video.events.notices import SocketNotices
from parlour.video.ice import IceServers
from parlour.video.service.calls import Calls
from parlour.video.service.journal import Journal
from parlour.video.service.live import CallLimits, LiveCalls


class Video:
    """The video service, put together on chat's rooms, log and sockets."""

    def __init__(
        self,
        realtime: Server,
        chat: Chat,
        database: Database,
        settings: Settings,
        *,
        bus: Bus,
        clock: Clock,
        rates: RateLimits,
    ) -> None:
        namespace = realtime.of("/")
        notices = SocketNotices(namespace, user_channel)
        self.journal = Journal(SqlCallStore(database), ChatCallLog(chat.broker))
        limits = CallLimits(
            max_calls=settings.max_calls,
            ring_members=settings.call_ring_members,
            ring_seconds=settings.call_ring_seconds,
            grace_seconds=settings.call_grace_seconds,
        )
        self._live = LiveCalls(notices, self.journal, clock, limits)
        self._calls = Calls(
            self._live,
            rooms=ChatRooms(chat.memberships, chat.store),
            notices=notices,
            ice=IceServers(
                clock,
                stun=settings.stun_urls,
                turn=settings.turn_urls,
                secret=settings.turn_secret.get_secret_value(),
                lifetime=settings.turn_credential_seconds,
            ),
            rates=rates,
            limits=limits,
        )
        self._gateway = CallGateway(namespace, self._calls, self._live, bus)
        chat.gateway.on_ready(self._gateway.socket_ready)
        chat.gateway.on_gone(self._gateway.socket_gone)
        chat.memberships.on_removed(self._live.member_removed)

    def router(self) -> Router:
        """Return the HTTP routes."""
        return parlour.video.http.router(self._calls)

    async def start(self) -> None:
        """Take up the calls that an earlier process left, and begin to serve sockets."""
        self._live.restore(await self.journal.load())
        self._gateway.start()

    def drain(self) -> None:
        """Leave calls as they are: they go on in the next process."""
        self._live.pause()

    def stop(self) -> None:
        """Stop serving sockets."""
        self._live.pause()
        self._gateway.stop()
