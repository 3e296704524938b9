"""The chat service: what its sockets and routes need."""

from collections.abc import Callable

from litestar import Router

import parlour.chat.http
from parlour.app.accounts import Accounts
from parlour.app.engines import Engines, needed
from parlour.chat.adapters.sql import SqlRoomStore
from parlour.chat.events.channels import Channels, user_channel
from parlour.chat.events.departures import Departures
from parlour.chat.events.gateway import Gateway
from parlour.chat.events.numbering import LogSource
from parlour.chat.events.sessions import LiveSessions
from parlour.chat.http import ChatServices
from parlour.chat.service.drafts import Drafts
from parlour.chat.service.heads import Heads
from parlour.chat.service.history import History
from parlour.chat.service.mark_writer import MarkWriter
from parlour.chat.service.membership import Memberships
from parlour.chat.service.membership_feed import MembershipFeed, MembershipNews
from parlour.chat.service.messages import Messages
from parlour.chat.service.outbox import OutboxRelay
from parlour.chat.service.presence import Presence
from parlour.chat.service.read_markers import ReadMarkers
from parlour.chat.service.ready import Summaries
from parlour.chat.service.room_list import RoomList
from parlour.chat.service.room_members import RoomMembers
from parlour.chat.service.room_sizes import room_sizes
from parlour.chat.service.rooms import Rooms
from parlour.chat.service.search import SearchMessages
from parlour.chat.service.shared_memberships import SharedMemberships
from parlour.chat.service.sync import Sync
from parlour.chat.service.typing_notices import TypingNotices
from parlour.config import Settings
from parlour.platform.clock import Clock
from parlour.platform.rates import RateLimits
from parlour.platform.supervision import Supervisor
from parlour.realtime import Server


class Chat:
    """The chat service, put together on a namespace of the realtime server."""

    def __init__(
        self,
        realtime: Server,
        accounts: Accounts,
        engines: Engines,
        settings: Settings,
        *,
        heads: Heads,
        news: MembershipNews | None,
        clock: Clock,
        rates: RateLimits,
    ) -> None:
        namespace = realtime.of("/")
        log = needed(engines.log)
        self.store = store = SqlRoomStore(needed(engines.database))
        channels = Channels(namespace)
        self._engines = engines
        self._bus = engines.bus
        self._numbered = None if engines.alone else namespace.number(LogSource(namespace, log))
        self._unfollow: Callable[[], None] = lambda: None
        self.broker = needed(engines.broker)
        self._shared = None
        if engines.shared_memberships is not None:
            self._shared = SharedMemberships(store, engines.shared_memberships, clock, trusted=engines.connected)
        self.memberships = Memberships(
            self._shared or store,
            stays=lambda user_id: user_channel(user_id) in namespace.rooms,
            outdate=self._shared.outdate if self._shared is not None else None,
        )
        self._marks = MarkWriter(store, self.memberships)
        self._feed = MembershipFeed(self._bus, self.memberships, trusted=engines.connected, shared=self._shared)
        if self._numbered is not None:
            self._numbered.on_delivered(Departures(channels, self._feed.left).delivered)
        if news is not None:
            self.memberships.on_changed(news.changed)
        self.outbox = OutboxRelay(store, self.broker)
        self.rooms = Rooms(
            store,
            memberships=self.memberships,
            directory=accounts.directory,
            outbox=self.outbox,
            rates=rates,
            clock=clock,
            max_rooms=settings.max_rooms_per_user,
        )
        self.members = RoomMembers(
            store,
            rooms=self.rooms,
            memberships=self.memberships,
            heads=heads,
            directory=accounts.directory,
            outbox=self.outbox,
            rates=rates,
            clock=clock,
            max_members=settings.max_members_per_room,
        )
        summaries = Summaries(log, accounts.directory, heads, clock, epoch=engines.epoch)
        self.room_list = RoomList(summaries, self.memberships, heads, rates)
        self.messages = Messages(
            self.broker,
            log,
            self.memberships,
            accounts.directory,
            verifier=accounts.verifier,
            rates=rates,
            audience=channels.audience,
        )
        self.history = History(log, self.memberships, heads, rates)
        self.search = SearchMessages(needed(engines.search), self.memberships, rates)
        self.drafts = Drafts(store, self.memberships, rates, clock)
        sizes = room_sizes(store, self._bus, clock, engines.redis)
        self._sizes = sizes
        self.reads = ReadMarkers(
            log=log,
            sizes=sizes,
            memberships=self.memberships,
            marks=self._marks,
            heads=heads,
            rates=rates,
            tell=channels.read,
            tell_unread=channels.unread,
        )
        self.sessions = sessions = LiveSessions(accounts.verifier, clock, max_sockets=settings.max_sockets_per_user)
        self._sync = Sync(log, self.memberships, heads, rates)
        self.gateway = Gateway(
            namespace,
            channels,
            verifier=accounts.verifier,
            sessions=sessions,
            rates=rates,
            bus=self._bus,
            memberships=self.memberships,
            summaries=summaries,
            messages=self.messages,
            sync=self._sync,
            presence=Presence(needed(engines.presence), rates, channels.presence),
            typing=TypingNotices(self.memberships, sizes, rates, channels.typing),
            reads=self.reads,
            alone=engines.alone,
        )

    def router(self) -> Router:
        """Return the HTTP routes."""
        return parlour.chat.http.router(
            ChatServices(
                rooms=self.rooms,
                room_members=self.members,
                room_list=self.room_list,
                messages=self.messages,
                history=self.history,
                search=self.search,
                read_markers=self.reads,
                drafts=self.drafts,
            )
        )

    def start(self, supervisor: Supervisor) -> None:
        """Begin to serve sockets and to follow the bus."""
        supervisor.start("outbox", self.outbox.run())
        self.gateway.start()
        self._unfollow = self.room_list.follow(self._bus)
        if not self._engines.alone:
            self._feed.start()
            supervisor.start("memberships", self._feed.run())
            self._bus.on_gap(self._gap)

    def _gap(self) -> None:
        """Catch up on what other nodes told while this one could not hear it."""
        self._feed.gap()
        if self._numbered is not None:
            self._numbered.catch_up()

    async def stop(self) -> None:
        """Stop serving sockets; finish what is being changed."""
        await self.gateway.stop()
        await self._sync.close()
        self._unfollow()
        await self._feed.stop()
        if self._numbered is not None:
            await self._numbered.close()
        await self.memberships.close()
        await self._marks.close()
        await self._sizes.close()
        if self._shared is not None:
            await self._shared.close()
