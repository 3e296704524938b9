"""The services of a process: those of its roles, and what they need of those in other processes."""

from collections.abc import Iterable

from litestar import Router

import parlour.auth.http
import parlour.auth.internal
import parlour.chat.internal
from parlour.app.accounts import Accounts, RemoteAccounts, auth_service
from parlour.app.calls import RemoteRooms, Video
from parlour.app.engines import Check, Engines, needed
from parlour.app.rooms import Chat
from parlour.app.working import Work
from parlour.auth.adapters.argon2 import Argon2Hasher
from parlour.auth.service import Auth
from parlour.chat.service.heads import Heads
from parlour.chat.service.membership_feed import MembershipNews
from parlour.config import ProcessRole, Settings
from parlour.platform.clock import SystemClock
from parlour.platform.ended_sessions import EndedSessionsWatch
from parlour.platform.ids import SessionId
from parlour.platform.rates import RateLimits
from parlour.platform.supervision import Supervisor
from parlour.realtime import Server
from parlour.rooms_for_calls import ChatRooms


class Services:
    """What the roles of a process name: each of `auth`, `chat`, `work` and `video` that it does not have is None.

    `checks` are what /health asks besides the engines, with whether the process cannot do without.
    """

    def __init__(self, settings: Settings, engines: Engines, realtime: Server) -> None:
        self._engines = engines
        self._settings = settings
        self._realtime = realtime
        self._clock = SystemClock()
        self._rates = RateLimits(self._clock, settings.rates)
        self.checks: dict[str, tuple[Check, bool]] = {}
        self.auth: Auth | None = None
        self.accounts: Accounts | None = None
        self.work: Work | None = None
        self.chat: Chat | None = None
        self.video: Video | None = None
        self._hasher: Argon2Hasher | None = None
        self._remote_accounts: RemoteAccounts | None = None
        self._remote_rooms: RemoteRooms | None = None
        self._ended: EndedSessionsWatch | None = None
        self._news = None if engines.alone else MembershipNews(engines.bus, engines.shared_memberships)
        roles = settings.roles
        if ProcessRole.AUTH in roles:
            self.auth = self.accounts = self._own_auth()
        elif roles != {ProcessRole.WORKER}:
            self.accounts = self._remote_accounts = self._others_accounts()
        if engines.log is not None:
            heads = Heads(engines.log, shared=engines.shared_heads)
            if ProcessRole.WORKER in roles:
                self.work = Work(realtime.of("/"), engines, heads, self._news)
            if ProcessRole.CHAT in roles:
                self.chat = self._own_chat(heads)
        if roles & {ProcessRole.CHAT, ProcessRole.VIDEO}:
            self.video = self._calls(self.chat)
        if self.accounts is not None and not engines.alone:
            self._ended = EndedSessionsWatch(
                engines.ended,
                self.accounts.verifier,
                engines.bus,
                self._clock,
                _no_sockets if self.chat is None else self.chat.sessions.end_sessions,
            )

    def _own_auth(self) -> Auth:
        settings, engines = self._settings, self._engines
        self._hasher = Argon2Hasher(threads=settings.password_threads or None, queue=settings.password_queue)
        return auth_service(
            settings,
            needed(engines.database),
            hasher=self._hasher,
            bus=engines.bus,
            clock=self._clock,
            rates=self._rates,
            shared_rates=engines.shared_rates(self._rates),
            ended=engines.ended,
        )

    def _others_accounts(self) -> RemoteAccounts:
        remote = RemoteAccounts(self._settings, self._engines, self._clock)
        self.checks["auth"] = (remote.client.check, False)
        return remote

    def _own_chat(self, heads: Heads) -> Chat:
        return Chat(
            self._realtime,
            needed(self.accounts),
            self._engines,
            self._settings,
            heads=heads,
            news=self._news,
            clock=self._clock,
            rates=self._rates,
        )

    def _calls(self, chat: Chat | None) -> Video:
        if chat is not None:
            rooms, on_removed = ChatRooms(chat.memberships, chat.store), chat.memberships.on_removed
        else:
            remote = self._remote_rooms = RemoteRooms(self._settings, self._engines)
            rooms, on_removed = remote.rooms, remote.on_removed
            self.checks["chat"] = (remote.client.check, False)
        video = Video(self._realtime, rooms, self._engines, self._settings, clock=self._clock, rates=self._rates)
        on_removed(video.member_removed)
        if chat is not None:
            video.take_in(chat)
        return video

    def routers(self) -> list[Router]:
        """Return the routes of the services, and where processes of other roles ask, those for them."""
        settings = self._settings
        secret = settings.service_secret.get_secret_value()
        routers = []
        if self.auth is not None:
            routers.append(parlour.auth.http.router(self.auth, [*settings.cors_origins, settings.public_url]))
            if secret:
                routers.append(parlour.auth.internal.router(self.auth, secret))
        if self.chat is not None:
            routers.append(self.chat.router())
            if secret:
                routers.append(parlour.chat.internal.router(self.chat.store, secret))
        if self.video is not None and ProcessRole.VIDEO in settings.roles:
            routers.append(self.video.router())
        return routers

    async def connect(self) -> None:
        """Load the keys: enough for who serves nobody."""
        if self.accounts is not None:
            await self.accounts.start()

    async def start(self, supervisor: Supervisor) -> None:
        """Load what must be known before the first request and start what runs beside them."""
        if self.work is not None:  # which knows nobody (ADR 16), and so does not wait for the keys
            self.work.start(supervisor)
        await self.connect()
        if self.accounts is not None:
            supervisor.start("accounts", self.accounts.run())
        if self._ended is not None:
            supervisor.start("ended sessions", self._ended.run())
        if self._remote_rooms is not None:
            self._remote_rooms.start(supervisor)
        if self.video is not None:
            supervisor.start("calls", self.video.run())
        if self.chat is not None:
            self.chat.start(supervisor)
        if self.video is not None:
            await self.video.start()

    def drain(self) -> None:
        """Let calls go on in another process."""
        if self.video is not None:
            self.video.drain()

    async def stop(self) -> None:
        """Serve no more: finish what was accepted. Before what `start` started is stopped."""
        if self.chat is not None:
            await self.chat.stop()
        if self.video is not None:
            self.video.stop()

    async def close(self) -> None:
        """Let go of everything, once all is stopped."""
        if self._remote_rooms is not None:
            await self._remote_rooms.close()
        if self._remote_accounts is not None:
            await self._remote_accounts.close()
        if self._news is not None:
            await self._news.stop()
        if self._hasher is not None:
            self._hasher.close()


def _no_sockets(_session_ids: Iterable[SessionId], _reason: str) -> None:
    """Close the sockets of sessions in a process without any."""
