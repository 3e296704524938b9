"""The video service, put together on chat's rooms, log and sockets, and what it knows of rooms that others keep."""

from collections.abc import Callable

from litestar import Router

import parlour.video.http
from parlour.app.engines import Engines, needed
from parlour.app.rooms import Chat
from parlour.chat.adapters.http_memberships import HttpMemberships
from parlour.chat.events.channels import user_channel
from parlour.chat.service.membership import Memberships
from parlour.chat.service.membership_feed import MembershipFeed
from parlour.config import ProcessRole, Settings
from parlour.platform.bus import Unsubscribe
from parlour.platform.clock import Clock
from parlour.platform.ids import RoomId, UserId
from parlour.platform.rates import RateLimits
from parlour.platform.services import ServiceClient
from parlour.platform.supervision import Supervisor
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
    """The video service, put together on the rooms and sockets of chat, which may be in other processes.

    Where chat is here too, its sockets are taken in. Without the role `video` what they ask goes to who has it.
    """

    def __init__(
        self,
        realtime: Server,
        rooms: ChatRooms,
        engines: Engines,
        settings: Settings,
        *,
        clock: Clock,
        rates: RateLimits,
    ) -> None:
        namespace = realtime.of("/")
        bus, database, broker = engines.bus, needed(engines.database), needed(engines.broker)
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
        self._follow: Callable[[], Unsubscribe] = lambda: _nothing
        self._unfollow: Unsubscribe = _nothing

        def term() -> Term:
            journal = Journal(SqlCallStore(database), ChatCallLog(broker))
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
                (lambda: database.claim(_CLAIM)) if ProcessRole.VIDEO in settings.roles else _carries_nothing,
                term,
                there=namespace.sockets.__contains__,
                connected=engines.connected,
            )
            self._follow = lambda: on_members_changed(bus, carried.members_changed)
        self._gateway = CallGateway(namespace, self._carried, bus)

    def take_in(self, chat: Chat) -> None:
        """Serve the sockets of chat."""
        chat.gateway.on_ready(self._gateway.socket_ready)
        chat.gateway.on_gone(self._gateway.socket_gone)

    def member_removed(self, user_id: UserId, room_id: RoomId) -> None:
        """Take in that a user is in a room no more, as soon as this process knows."""
        self._gateway.member_removed(user_id, room_id)

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


async def _carries_nothing() -> None:
    """Claim nothing: another process carries the calls."""


def _nothing() -> None:
    """Stop what was not begun."""


class RemoteRooms:
    """The rooms and members that processes of chat keep, asked over HTTP and kept in step by their news."""

    def __init__(self, settings: Settings, engines: Engines) -> None:
        self.client = ServiceClient("chat", settings.chat_url, settings.service_secret.get_secret_value())
        source = HttpMemberships(self.client)
        self._memberships = Memberships(source)
        self._feed = MembershipFeed(engines.bus, self._memberships, trusted=engines.connected)
        self._bus = engines.bus
        self.rooms = ChatRooms(self._memberships, source)

    def on_removed(self, listener: Callable[[UserId, RoomId], None]) -> None:
        """Call `listener(user_id, room_id)` when somebody is no longer a member."""
        self._memberships.on_removed(listener)

    def start(self, supervisor: Supervisor) -> None:
        """Begin to follow the news."""
        self._feed.start()
        self._bus.on_gap(self._feed.gap)
        supervisor.start("memberships", self._feed.run())

    async def close(self) -> None:
        """Let go of everything."""
        await self._feed.stop()
        await self._memberships.close()
        await self.client.close()
