"""The engines of one process, each chosen by the scheme of its URL."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy.engine import make_url

from parlour.chat.adapters.memory import MemoryBroker, MemoryPresence
from parlour.chat.adapters.sqlite_log import SqliteRoomLog, SqliteSearch
from parlour.chat.ports import Broker, PresenceStore, RoomLog, Search
from parlour.chat.service.heads import SharedHeads
from parlour.chat.service.shared_memberships import MembershipValues
from parlour.config import Settings
from parlour.epoch import epoch_of
from parlour.platform.bus import Bus, MemoryBus
from parlour.platform.clock import SystemClock
from parlour.platform.ended_sessions import EndedSessions, MemoryEndedSessions
from parlour.platform.rates import LocalRates, RateLimits, SharedRates
from parlour.platform.redis import RedisEngine
from parlour.platform.sql import Database, open_database
from parlour.realtime import Cluster, MemoryCluster

T = TypeVar("T")
Check = Callable[[], Awaitable[None]]


class StoredLog(RoomLog, Protocol):
    """A room log whose engine can be asked for an answer."""

    async def check(self) -> None:
        """Raise `Unavailable` unless it answers."""
        ...


class Engines:
    """What `open` opened for the roles of a process; an engine that none of them needs is None.

    `start` before anything is served, `close` at the very end; both are safe in any state. `alone` tells that no other process serves
    these data. `checks` are what /health asks, with whether the process cannot do without. `runs` are coroutines to be run beside
    the server.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        cluster: Cluster,
        database: Database | None = None,
        log: StoredLog | None = None,
        search: Search | None = None,
        broker: Broker | None = None,
        presence: PresenceStore | None = None,
        epoch: str = "",
    ) -> None:
        self.bus = bus
        self.cluster = cluster
        self.database = database
        self.log = log
        self.search = search
        self.broker = broker
        self.presence = presence
        self.epoch = epoch
        self.shared_rates: Callable[[RateLimits], SharedRates] = LocalRates
        self.redis: RedisEngine | None = None
        self.shared_memberships: MembershipValues | None = None
        self.shared_heads: SharedHeads | None = None
        self.ended: EndedSessions = MemoryEndedSessions(SystemClock())
        self.alone = True
        self.connected: Callable[[], bool] = lambda: True
        self.checks: dict[str, tuple[Check, bool]] = {}
        if database is not None:
            self.checks["database"] = (database.check, True)
        if log is not None:
            self.checks["messages"] = (log.check, True)
        self.starts: list[Callable[[], Awaitable[None]]] = []
        self.needs: list[Callable[[], None]] = []
        """Each raises what it lacks of what is made beside the server where it cannot be made at start."""
        self.runs: list[tuple[str, Callable[[], Coroutine[None, None, None]]]] = []
        self.closing = contextlib.AsyncExitStack()

    @classmethod
    async def open(cls, settings: Settings) -> "Engines":
        """Open them.

        Raises:
            Unavailable, TablesNewer: one cannot be opened, or a newer Parlour wrote its tables.
        """
        async with contextlib.AsyncExitStack() as opened:
            if is_clustered(settings):
                from parlour.app.clustered import open_clustered

                engines = await open_clustered(settings, opened)
            else:
                engines = await _open_embedded(settings, opened)
            engines.closing = opened.pop_all()
        return engines

    async def start(self) -> None:
        """Connect what connects by itself."""
        for start in self.starts:
            await start()

    async def close(self) -> None:
        """Close the engines, the last opened first."""
        await self.closing.aclose()


async def _open_embedded(settings: Settings, opened: contextlib.AsyncExitStack) -> Engines:
    database = open_database(settings.database)
    opened.push_async_callback(database.close)
    log = await SqliteRoomLog.open(sqlite_path(settings.messages), SystemClock())
    opened.push_async_callback(log.close)
    epoch = await asyncio.to_thread(epoch_of, settings.data_dir)
    search = await SqliteSearch.open(log, SystemClock())
    opened.push_async_callback(search.close)
    return Engines(
        database=database,
        log=log,
        search=search,
        broker=MemoryBroker(bound=settings.max_pending_commands),
        bus=MemoryBus(),
        cluster=MemoryCluster(node_id=settings.node_id),
        presence=MemoryPresence(),
        epoch=epoch,
    )


def needed(part: T | None) -> T:
    """Return an engine or a service that is there because a role of the process needs it."""
    if part is None:
        raise AssertionError("no role of this process has that part")
    return part


def is_clustered(settings: Settings) -> bool:
    """Tell whether several processes may serve these data."""
    return settings.broker_url.startswith("kafka:")


def is_file(url: str) -> bool:
    """Tell whether a URL names a file of ours, and not a server."""
    return url.startswith("sqlite:")  # to be parsed by nobody who takes one host only


def sqlite_path(url: str) -> Path:
    """Return the file that a `sqlite:///` URL names."""
    return Path(make_url(url).database or "")
