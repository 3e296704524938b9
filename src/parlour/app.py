"""The composition root: builds a process from its settings, and is the only place that names a concrete adapter."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

from litestar import Router
from litestar.types import ASGIApp, Receive, Scope, Send
from sqlalchemy.engine import make_url

import parlour
import parlour.auth.http
import parlour.chat.http
import parlour.video.http
from parlour.auth.adapters.argon2 import Argon2Hasher
from parlour.auth.adapters.sql import SqlAccountStore, SqlFailureStore, SqlKeyStore, SqlSessionStore
from parlour.auth.model import DAY, SECOND, Lifetimes
from parlour.auth.service import Auth
from parlour.chat.adapters.memory import MemoryBroker, MemoryPresence
from parlour.chat.adapters.sql import SqlRoomStore
from parlour.chat.adapters.sqlite_log import SqliteRoomLog, SqliteSearch
from parlour.chat.events.channels import Channels, user_channel
from parlour.chat.events.gateway import Gateway
from parlour.chat.events.sessions import LiveSessions
from parlour.chat.http import ChatServices
from parlour.chat.model import RoomEvent
from parlour.chat.service.drafts import Drafts
from parlour.chat.service.heads import Heads
from parlour.chat.service.history import History
from parlour.chat.service.membership import Memberships
from parlour.chat.service.messages import Messages
from parlour.chat.service.outbox import OutboxRelay
from parlour.chat.service.presence import Presence
from parlour.chat.service.read_markers import ReadMarkers
from parlour.chat.service.ready import Summaries
from parlour.chat.service.room_list import RoomList
from parlour.chat.service.room_members import RoomMembers
from parlour.chat.service.room_sizes import RoomSizes
from parlour.chat.service.rooms import Rooms
from parlour.chat.service.search import SearchMessages
from parlour.chat.service.sync import Sync
from parlour.chat.service.typing_notices import TypingNotices
from parlour.chat.worker import Worker
from parlour.config import Settings
from parlour.epoch import epoch_of
from parlour.platform.bus import MemoryBus
from parlour.platform.clock import SystemClock
from parlour.platform.health import Health
from parlour.platform.http import Shell, create_application, forwarded_address
from parlour.platform.rates import RateLimits
from parlour.platform.sql import Database, migrate, open_database
from parlour.platform.supervision import Supervisor, watch_loop_lag
from parlour.realtime import Server
from parlour.rooms_for_calls import ChatCallLog, ChatRooms
from parlour.sockets import SOCKETS, realtime_server
from parlour.video.adapters.sql import SqlCallStore
from parlour.video.events.gateway import CallGateway
from parlour.video.events.notices import SocketNotices
from parlour.video.ice import IceServers
from parlour.video.service.calls import Calls
from parlour.video.service.journal import Journal
from parlour.video.service.live import CallLimits, LiveCalls

SERVICES: Final = ("parlour.auth", "parlour.chat", "parlour.video")
"""Who keeps tables in the SQL database."""


class Process:
    """Everything that one process runs: every role, on the embedded engines.

    `await build(settings)` makes one with its engines open. `await start()` before the first connection; `await drain()` when it shall
    stop: sockets are told to come back elsewhere; `await close()` at the very end.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        log: SqliteRoomLog,
        search: SqliteSearch,
        on_failure: Callable[[], None],
        *,
        epoch: str,
    ) -> None:
        self._database = database
        self._log = log
        self._search = search
        self._supervisor = Supervisor(on_failure)
        clock, bus = SystemClock(), MemoryBus()
        rates = RateLimits(clock, settings.rates)
        self.realtime = realtime_server(settings)
        self._polling = Shell(
            cast(ASGIApp, self.realtime.asgi),  # ASGI, but not in Litestar's types
            timeout=None,
            secure=settings.secure,
            client_address=forwarded_address(settings.trusted_proxies),
            route=SOCKETS,
        )
        self._hasher = Argon2Hasher(threads=settings.password_threads or None, queue=settings.password_queue)
        self.auth = _auth(settings, database, hasher=self._hasher, bus=bus, clock=clock, rates=rates)
        self.chat = Chat(
            self.realtime,
            self.auth,
            database,
            log,
            settings,
            search=search,
            bus=bus,
            clock=clock,
            rates=rates,
            epoch=epoch,
        )
        self.video = Video(self.realtime, self.chat, database, settings, bus=bus, clock=clock, rates=rates)
        self.health = Health(parlour.__version__, clock)
        self.health.add("database", database.check)
        self.health.add("messages", log.check)
        self.http = create_application(
            [
                parlour.auth.http.router(self.auth, [*settings.cors_origins, settings.public_url]),
                self.chat.router(),
                self.video.router(),
            ],
            self.auth.verifier,
            self.health,
            version=parlour.__version__,
            cors_origins=settings.cors_origins,
            timeout=settings.request_timeout_seconds,
            secure=settings.secure,
            trusted_proxies=settings.trusted_proxies,
            web=settings.web,
        )

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3): long-polling under /socket.io/, everything else over HTTP."""
        application: Any = self._polling if self.realtime.serves(scope["path"]) else self.http
        await application(scope, receive, send)

    async def start(self) -> None:
        """Load what must be known before the first request and start what runs beside them."""
        await self.auth.start()
        self._supervisor.start("loop lag", watch_loop_lag())
        self._supervisor.start("auth", self.auth.run())
        self._supervisor.start("worker", self.chat.broker.run(self.chat.heads.follow(self.chat.worker.handle)))
        self._supervisor.start("outbox", self.chat.outbox.run())
        self._supervisor.start("calls", self.video.journal.run())
        self.chat.start()
        await self.video.start()

    async def drain(self, within: float) -> None:
        """Take no new sockets and send the present ones elsewhere, within seconds; a send under way may lose its acknowledgement."""
        self.health.draining = True
        self.video.drain()
        await self.realtime.drain(within)

    async def close(self) -> None:
        """Finish what was accepted, then close the engines."""
        await self.chat.stop()
        self.video.stop()
        await self._supervisor.stop()
        self._hasher.close()
        await self._search.close()
        await self._log.close()
        await self._database.close()

    async def backup(self, database: Path, log: Path) -> None:
        """Copy the engines' data into new files, each as it is at one moment: first the database, then the log (admin.py says why)."""
        await self._database.backup(database)
        await self._log.backup(log)

    @property
    def failed(self) -> bool:
        """Whether a background task ended by itself, so that the process must not go on."""
        return self._supervisor.failed


class Chat:
    """The chat service, put together on a namespace of the realtime server."""

    def __init__(
        self,
        realtime: Server,
        auth: Auth,
        database: Database,
        log: SqliteRoomLog,
        settings: Settings,
        *,
        search: SqliteSearch,
        bus: MemoryBus,
        clock: SystemClock,
        rates: RateLimits,
        epoch: str,
    ) -> None:
        namespace = realtime.of("/")
        self.store = store = SqlRoomStore(database)
        channels = Channels(namespace)
        self._bus = bus
        self._unfollow: Callable[[], None] = lambda: None
        self.heads = Heads(log)
        self.broker = MemoryBroker(bound=settings.max_pending_commands)
        self.worker = Worker(log, _Committed(self.heads, channels), self.heads.get)
        self.outbox = OutboxRelay(store, self.broker)
        self.memberships = Memberships(store)
        self.rooms = Rooms(
            store,
            memberships=self.memberships,
            directory=auth.directory,
            outbox=self.outbox,
            rates=rates,
            clock=clock,
            max_rooms=settings.max_rooms_per_user,
        )
        self.members = RoomMembers(
            store,
            rooms=self.rooms,
            memberships=self.memberships,
            heads=self.heads,
            directory=auth.directory,
            outbox=self.outbox,
            rates=rates,
            clock=clock,
            max_members=settings.max_members_per_room,
        )
        summaries = Summaries(log, auth.directory, self.heads, clock, epoch=epoch)
        self.room_list = RoomList(summaries, self.memberships, self.heads, rates)
        self.messages = Messages(
            self.broker,
            log,
            self.memberships,
            auth.directory,
            verifier=auth.verifier,
            rates=rates,
            audience=channels.audience,
        )
        self.history = History(log, self.memberships, self.heads, rates)
        self.search = SearchMessages(search, self.memberships, rates)
        self.drafts = Drafts(store, self.memberships, rates, clock)
        sizes = RoomSizes(store)
        self.reads = ReadMarkers(
            log=log,
            sizes=sizes,
            memberships=self.memberships,
            heads=self.heads,
            rates=rates,
            tell=channels.read,
            tell_unread=channels.unread,
        )
        self.gateway = Gateway(
            namespace,
            channels,
            verifier=auth.verifier,
            sessions=LiveSessions(auth.verifier, clock, max_sockets=settings.max_sockets_per_user),
            rates=rates,
            bus=bus,
            memberships=self.memberships,
            summaries=summaries,
            messages=self.messages,
            sync=Sync(log, self.memberships, self.heads, rates),
            presence=Presence(MemoryPresence(), rates, channels.presence),
            typing=TypingNotices(self.memberships, sizes, rates, channels.typing),
            reads=self.reads,
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

    def start(self) -> None:
        """Begin to serve sockets and to follow the bus."""
        self.gateway.start()
        self._unfollow = self.room_list.follow(self._bus)

    async def stop(self) -> None:
        """Stop serving sockets; finish what is being changed."""
        await self.gateway.stop()
        self._unfollow()
        await self.memberships.close()


class Video:
    """The video service, put together on chat's rooms, log and sockets."""

    def __init__(
        self,
        realtime: Server,
        chat: Chat,
        database: Database,
        settings: Settings,
        *,
        bus: MemoryBus,
        clock: SystemClock,
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


class _Committed:
    """The `Fanout` of this process: heads first, so that whoever hears of an event finds it in them."""

    def __init__(self, heads: Heads, channels: Channels) -> None:
        self._heads = heads
        self._channels = channels

    def committed(self, events: Sequence[RoomEvent], received: Sequence[float]) -> None:
        self._heads.committed(events)
        self._channels.committed(events, received)


def _auth(
    settings: Settings,
    database: Database,
    *,
    hasher: Argon2Hasher,
    bus: MemoryBus,
    clock: SystemClock,
    rates: RateLimits,
) -> Auth:
    return Auth(
        accounts=SqlAccountStore(database),
        sessions=SqlSessionStore(database),
        failures=SqlFailureStore(database),
        keys=SqlKeyStore(database),
        hasher=hasher,
        bus=bus,
        clock=clock,
        rates=rates,
        lifetimes=Lifetimes(
            access=settings.access_token_seconds * SECOND,
            session=settings.session_days * DAY,
            idle=settings.session_idle_days * DAY,
        ),
    )


def is_file(url: str) -> bool:
    """Tell whether a URL names a file of ours, and not a server."""
    return make_url(url).get_backend_name() == "sqlite"


def sqlite_path(url: str) -> Path:
    """Return the file that a `sqlite:///` URL names."""
    return Path(make_url(url).database or "")


@contextlib.asynccontextmanager
async def open_accounts(settings: Settings, database: Database) -> AsyncIterator[Auth]:
    """Give the use cases of accounts alone, beside a server that may be running."""
    clock = SystemClock()
    hasher = Argon2Hasher(threads=1)
    try:
        rates = RateLimits(clock, settings.rates)
        auth = _auth(settings, database, hasher=hasher, bus=MemoryBus(), clock=clock, rates=rates)
        await auth.start()
        yield auth
    finally:
        hasher.close()


async def build(settings: Settings, on_failure: Callable[[], None] = lambda: None) -> Process:
    """Open the engines, bring their tables to the newest version and put the process together.

    Raises:
        Unavailable, TablesNewer: an engine cannot be opened, or a newer Parlour wrote its tables.
    """
    async with contextlib.AsyncExitStack() as opened:
        database = open_database(settings.database)
        opened.push_async_callback(database.close)
        for service in SERVICES:
            await migrate(database, service)
        log = await SqliteRoomLog.open(sqlite_path(settings.messages), SystemClock())
        opened.push_async_callback(log.close)
        epoch = await asyncio.to_thread(epoch_of, settings.data_dir)
        search = await SqliteSearch.open(log, SystemClock())
        opened.pop_all()
    return Process(settings, database, log, search, on_failure, epoch=epoch)
