"""The video service, put together on chat's rooms, log and sockets."""

from collections.abc import Callable

from litestar import Router

import parlour.video.http
from parlour.app.engines import Engines
from parlour.app.rooms import Chat
from parlour.chat.events.channels import user_channel
from parlour.config import Settings
from parlour.platform.bus import Unsubscribe
from parlour.platform.clock import Clock
from parlour.platform.rates import RateLimits
from parlour.realtime import Server
from parlour.rooms_for_calls import ChatCallLog, ChatRooms, on_members_changed
from parlour.video.adapters.sql import SqlCallStore
from parlour.video.events.carried import Carried, CarriedHere
from parlour.video.events.cluster import CarriedInCluster
from parlour.video.events.gateway import CallGateway
from parlour.video.events.notices import SocketNotices
from parlour.video.ice import IceServers
from parlour.video.service.calls import Calls
from parlour.video.service.carrying import Term
from parlour.video.service.journal import Journal
from parlour.video.service.live import CallLimits, LiveCalls

_CLAIM = "calls"

_BUSY_SECONDS = 0.25
"""For the acknowledgement that another node has yet to give."""


class Video:
    """The video service, put together on chat's rooms, log and sockets."""

    def __init__(
        self, realtime: Server, chat: Chat, engines: Engines, settings: Settings, *, clock: Clock, rates: RateLimits
    ) -> None:
        namespace = realtime.of("/")
        bus, database = engines.bus, engines.database
        notices = SocketNotices(namespace, user_channel)
        limits = CallLimits(
            max_calls=settings.max_calls,
            ring_members=settings.call_ring_members,
            ring_seconds=settings.call_ring_seconds,
            grace_seconds=settings.call_grace_seconds,
            busy_seconds=0.0 if engines.alone else _BUSY_SECONDS,
        )
        ice = IceServers(
            clock,
            stun=settings.stun_urls,
            turn=settings.turn_urls,
            secret=settings.turn_secret.get_secret_value(),
            lifetime=settings.turn_credential_seconds,
        )
        rooms = ChatRooms(chat.memberships, chat.store)
        self._follow: Callable[[], Unsubscribe] = lambda: _nothing
        self._unfollow: Unsubscribe = _nothing

        def term() -> Term:
            journal = Journal(SqlCallStore(database), ChatCallLog(chat.broker))
            live = LiveCalls(notices, journal, clock, limits)
            calls = Calls(live, rooms=rooms, notices=notices, ice=ice, rates=rates, limits=limits)
            return Term(live, calls, journal)

        self._carried: Carried
        if engines.alone:
            self._carried = CarriedHere(term())
        else:
            self._carried = carried = CarriedInCluster(
                bus,
                clock,
                engines.cluster.node_id,
                lambda: database.claim(_CLAIM),
                term,
                there=namespace.sockets.__contains__,
                connected=engines.connected,
            )
            self._follow = lambda: on_members_changed(bus, carried.members_changed)
        self._gateway = CallGateway(namespace, self._carried, bus)
        chat.gateway.on_ready(self._gateway.socket_ready)
        chat.gateway.on_gone(self._gateway.socket_gone)
        chat.memberships.on_removed(self._gateway.member_removed)

    def router(self) -> Router:
        """Return the HTTP routes."""
        return parlour.video.http.router(self._carried)

    async def start(self) -> None:
        """Begin to serve sockets; alone, take up the calls that an earlier process left."""
        await self._carried.start()
        self._unfollow = self._follow()
        self._gateway.start()

    async def run(self) -> None:
        """Do what there is to be done beside, until cancelled."""
        await self._carried.run()

    def drain(self) -> None:
        """Leave calls as they are: they go on in another process."""
        self._carried.drain()

    def stop(self) -> None:
        """Stop serving sockets."""
        self._carried.stop()
        self._unfollow()
        self._gateway.stop()


def _nothing() -> None:
    """Stop what was not begun."""
