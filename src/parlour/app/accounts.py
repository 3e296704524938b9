"""The auth service, put together on the SQL database."""

import contextlib
from collections.abc import AsyncIterator

from parlour.auth.adapters.argon2 import Argon2Hasher
from parlour.auth.adapters.sql import SqlAccountStore, SqlFailureStore, SqlKeyStore, SqlSessionStore
from parlour.auth.model import DAY, SECOND, Lifetimes
from parlour.auth.service import Auth
from parlour.config import Settings
from parlour.platform.bus import Bus, MemoryBus
from parlour.platform.clock import Clock, SystemClock
from parlour.platform.ended_sessions import EndedSessions
from parlour.platform.rates import RateLimits, SharedRates
from parlour.platform.sql import Database


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
