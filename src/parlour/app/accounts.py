"""The auth service, put together on the SQL database, and what other services know of it: here, or over HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from parlour.app.engines import Engines
from parlour.auth.adapters.argon2 import Argon2Hasher
from parlour.auth.adapters.sql import SqlAccountStore, SqlFailureStore, SqlKeyStore, SqlSessionStore
from parlour.auth.model import DAY, SECOND, Lifetimes
from parlour.auth.service import Auth
from parlour.chat.adapters.http_directory import HttpDirectory
from parlour.chat.ports import Directory
from parlour.config import Settings
from parlour.platform.bus import Bus, MemoryBus
from parlour.platform.changes_watch import ChangesWatch
from parlour.platform.clock import Clock, SystemClock
from parlour.platform.ended_sessions import EndedSessions
from parlour.platform.jwks import JwksKeys
from parlour.platform.rates import RateLimits, SharedRates
from parlour.platform.services import ServiceClient
from parlour.platform.sql import Database
from parlour.platform.tokens import TokenVerifier


class Accounts(Protocol):
    """What a service needs of accounts, wherever they are kept: `start` before the first request, `run` beside the server."""

    @property
    def verifier(self) -> TokenVerifier:
        """What access tokens are checked with."""
        ...

    @property
    def directory(self) -> Directory:
        """The users of the server."""
        ...

    async def start(self) -> None:
        """Load what must be known before the first request."""
        ...

    async def run(self) -> None:
        """Keep it as it is there, until cancelled."""
        ...


class RemoteAccounts:
    """The `Accounts` of another process, asked over HTTP."""

    def __init__(self, settings: Settings, engines: Engines, clock: Clock) -> None:
        self.client = ServiceClient("auth", settings.auth_url, settings.service_secret.get_secret_value())
        self._keys = JwksKeys(self.client)
        self._directory = HttpDirectory(self.client, bus=engines.bus, clock=clock, redis=engines.redis)
        self._changes = ChangesWatch(self.client, engines.bus, clock, engines.connected)
        self.verifier = TokenVerifier(self._keys, clock)

    @property
    def directory(self) -> Directory:
        """See Accounts."""
        return self._directory

    async def start(self) -> None:
        """See Accounts."""
        await self._keys.start()

    async def run(self) -> None:
        """See Accounts."""
        async with asyncio.TaskGroup() as beside:
            beside.create_task(self._keys.run())
            beside.create_task(self._changes.run())

    async def close(self) -> None:
        """Let go of the connections."""
        await self._directory.close()
        await self.client.close()


def auth_service(
    settings: Settings,
    database: Database,
    *,
    hasher: Argon2Hasher,
    bus: Bus,
    clock: Clock,
    rates: RateLimits,
    shared_rates: SharedRates | None = None,
    ended: EndedSessions | None = None,
) -> Auth:
    """Return the use cases of accounts over the SQL database."""
    return Auth(
        accounts=SqlAccountStore(database),
        sessions=SqlSessionStore(database),
        failures=SqlFailureStore(database),
        keys=SqlKeyStore(database),
        hasher=hasher,
        bus=bus,
        clock=clock,
        rates=rates,
        shared_rates=shared_rates,
        ended=ended,
        lifetimes=Lifetimes(
            access=settings.access_token_seconds * SECOND,
            session=settings.session_days * DAY,
            idle=settings.session_idle_days * DAY,
        ),
    )


@contextlib.asynccontextmanager
async def open_accounts(settings: Settings, database: Database) -> AsyncIterator[Auth]:
    """Give the use cases of accounts alone, beside a server that may be running."""
    clock = SystemClock()
    hasher = Argon2Hasher(threads=1)
    try:
        rates = RateLimits(clock, settings.rates)
        auth = auth_service(settings, database, hasher=hasher, bus=MemoryBus(), clock=clock, rates=rates)
        await auth.start()
        yield auth
    finally:
        hasher.close()
