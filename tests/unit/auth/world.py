"""The auth service over a real SQLite file, with a clock that stands still and a hasher that counts instead of labouring."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from parlour.auth.adapters.sql import SqlAccountStore, SqlFailureStore, SqlKeyStore, SqlSessionStore
from parlour.auth.model import Lifetimes
from parlour.auth.ports import PasswordHasher
from parlour.auth.service import Auth, Grant, Origin
from parlour.platform.bus import MemoryBus
from parlour.platform.contracts import SESSION_REVOKED, USER_CHANGED, SessionRevoked, UserChanged
from parlour.platform.ended_sessions import EndedSessions
from parlour.platform.rates import DEFAULT_RATES, RateLimits
from parlour.platform.sql import Database, migrate, open_database
from parlour.platform.tokens import Principal

PASSWORD = "correct horse battery"
ORIGIN = Origin("192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
ELSEWHERE = Origin("198.51.100.9", "curl/8.5.0")


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: int = 1_764_018_000_000) -> None:
        self.wall = now
        self.mono = 1000.0

    def now(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def advance(self, seconds: float) -> None:
        self.wall += int(seconds * 1000)
        self.mono += seconds


class CountingHasher:
    """Obeys the port with no work done; `verified` is what each verification was asked about, `strangers` for whom."""

    def __init__(self) -> None:
        self.verified: list[str | None] = []
        self.strangers: list[str | None] = []
        self.version = "v1"

    async def hash(self, password: str, *, stranger: str | None = None) -> str:
        return f"{self.version}:{password}"

    async def verify(self, encoded: str | None, password: str, *, stranger: str | None = None) -> bool:
        self.verified.append(encoded)
        self.strangers.append(stranger)
        return encoded is not None and encoded.partition(":")[2] == password

    def is_outdated(self, encoded: str) -> bool:
        return not encoded.startswith(f"{self.version}:")


@dataclass
class World:
    """One process: the service, and what it told the bus."""

    auth: Auth
    clock: ManualClock
    hasher: CountingHasher
    bus: MemoryBus
    database: Database
    revoked: list[SessionRevoked] = field(default_factory=list)
    changed: list[UserChanged] = field(default_factory=list)

    async def register(self, username: str = "ann", origin: Origin = ORIGIN) -> Grant:
        return await self.auth.accounts.register(username, f"{username}@example.org", PASSWORD, None, origin)

    def principal(self, grant: Grant) -> Principal:
        return self.auth.verifier.verify(grant.access_token)


def an_auth(
    database: Database,
    hasher: PasswordHasher,
    bus: MemoryBus,
    clock: ManualClock,
    lifetimes: Lifetimes | None = None,
    rates: Mapping[str, str] | None = None,
    ended: EndedSessions | None = None,
) -> Auth:
    return Auth(
        accounts=SqlAccountStore(database),
        sessions=SqlSessionStore(database),
        failures=SqlFailureStore(database),
        keys=SqlKeyStore(database),
        hasher=hasher,
        bus=bus,
        clock=clock,
        rates=RateLimits(clock, {**dict.fromkeys(DEFAULT_RATES, "100000/minute"), **(rates or {})}),
        lifetimes=lifetimes,
        ended=ended,
    )


@asynccontextmanager
async def a_world(
    folder: Path, clock: ManualClock | None = None, rates: Mapping[str, str] | None = None
) -> AsyncIterator[World]:
    database = open_database(f"sqlite:///{folder}/parlour.db")
    await migrate(database, "parlour.auth")
    clock = clock or ManualClock()
    hasher, bus = CountingHasher(), MemoryBus()
    world = World(an_auth(database, hasher, bus, clock, rates=rates), clock, hasher, bus, database)
    bus.subscribe(
        SESSION_REVOKED, lambda payload: world.revoked.append(msgspec.json.decode(payload, type=SessionRevoked))
    )
    bus.subscribe(USER_CHANGED, lambda payload: world.changed.append(msgspec.json.decode(payload, type=UserChanged)))
    await world.auth.start()
    try:
        yield world
    finally:
        await database.close()
