"""The engines of a process among others: PostgreSQL, MongoDB, Kafka and Redis."""

import contextlib
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from parlour.app.engines import Engines
from parlour.chat.adapters.kafka import KafkaBroker, RoomEvents
from parlour.chat.adapters.mongodb_log import VERSION, MongoRoomLog
from parlour.chat.adapters.postgresql_search import SERVICE as SEARCH_TABLES
from parlour.chat.adapters.postgresql_search import PostgresqlSearch, PostgresqlSearchIndex
from parlour.chat.adapters.redis_answers import RedisAnswers
from parlour.chat.adapters.redis_heads import RedisHeads
from parlour.chat.adapters.redis_presence import RedisPresence
from parlour.chat.model import SearchHit
from parlour.chat.ports import Search, SearchQuery
from parlour.chat.service.indexing import Indexing
from parlour.chat.service.shared_memberships import membership_values
from parlour.config import ProcessRole, Settings
from parlour.platform import metrics
from parlour.platform.clock import SystemClock
from parlour.platform.errors import BrokerUnavailable, TablesInUse, Unavailable
from parlour.platform.guard import Guard
from parlour.platform.kafka import KafkaAdmin
from parlour.platform.kafka_address import KafkaAddress
from parlour.platform.preparation import Preparation
from parlour.platform.redis import RedisEngine
from parlour.platform.redis_bus import RedisBus
from parlour.platform.redis_ended_sessions import RedisEndedSessions
from parlour.platform.redis_rates import RedisRates
from parlour.platform.sql import migrate, open_database
from parlour.realtime.redis_cluster import RedisCluster
from parlour.realtime.redis_line import RedisLine

CACHE_PATIENCE = 0.2
"""Seconds after which whoever asks a cache in Redis goes to the source instead; two in a row, and nobody asks for a second."""

CACHE_CONNECTIONS = 8


_KNOWS = "parlour-log-"
"""Begins the client id of a worker; the newest version of the room log that it knows ends it."""


async def open_clustered(settings: Settings, opened: contextlib.AsyncExitStack) -> Engines:
    """Open the clients of those servers that the roles of the process need, to be closed by `opened`.

    Raises:
        Unavailable, TablesNewer, TablesInUse: one cannot be opened, a newer Parlour wrote its collections, or an older one does.
    """
    redis = RedisEngine(settings.bus_url)
    opened.push_async_callback(redis.close)
    database_number = urlsplit(settings.bus_url).path.strip("/") or "0"  # which channels, unlike keys, do not know of
    line = RedisLine(settings.bus_url, prefix=f"parlour:{database_number}:", dropped=_count_dropped)
    cluster = RedisCluster(line, node_id=settings.node_id)
    opened.push_async_callback(cluster.close)
    bus = RedisBus(line)
    opened.push_async_callback(bus.close)
    engines = Engines(bus=bus, cluster=cluster)
    caches = RedisEngine(
        settings.bus_url, name="redis-cache", timeout=CACHE_PATIENCE, connections=CACHE_CONNECTIONS, failures=2
    )
    opened.push_async_callback(caches.close)
    clock = SystemClock()
    engines.redis = caches
    engines.shared_memberships = membership_values(caches, clock)
    engines.shared_heads = RedisHeads(caches, line, clock, trusted=lambda: line.connected)
    engines.shared_rates = lambda local: RedisRates(redis, local)
    engines.ended = RedisEndedSessions(redis, clock)
    engines.alone = False
    engines.connected = lambda: line.connected
    engines.checks["bus"] = (redis.check, False)
    engines.starts.append(cluster.start)
    roles = settings.roles
    if roles != {ProcessRole.WORKER}:
        engines.database = database = open_database(settings.database)
        opened.push_async_callback(database.close)
        engines.checks["database"] = (database.check, True)
    if roles != {ProcessRole.AUTH}:
        topics = await _open_broker(settings, engines, RedisAnswers(line, cluster.node_id), opened)
        if roles & {ProcessRole.CHAT, ProcessRole.WORKER}:
            await _open_log(settings, engines, topics, opened)
    if ProcessRole.CHAT in roles:
        engines.presence = presence = RedisPresence(redis, bus)
        opened.push_async_callback(presence.close)
        engines.starts.append(presence.start)
    return engines


async def _open_broker(
    settings: Settings, engines: Engines, answers: RedisAnswers, opened: contextlib.AsyncExitStack
) -> Preparation:
    """Open the broker, and return its topics: where Kafka is away, they are made later."""
    address = KafkaAddress.parse(settings.broker_url)
    admin = KafkaAdmin(address)
    topics = Preparation("Kafka's topics", admin.make_topics, BrokerUnavailable)
    await topics.begin()
    broker = KafkaBroker(
        address,
        answers,
        topics=topics,
        node_id=engines.cluster.node_id,
        bound=settings.max_pending_commands,
        client_id=f"{_KNOWS}{VERSION}",
    )
    opened.push_async_callback(broker.close)

    async def start() -> None:
        broker.start()

    async def check() -> None:
        await admin.check()
        topics.check()

    engines.broker = broker
    engines.checks["broker"] = (check, False)
    engines.starts.append(start)
    engines.needs.append(topics.check)
    engines.runs += [("topics", topics.run), ("kafka", broker.watch)]
    return topics


async def _open_log(
    settings: Settings, engines: Engines, topics: Preparation, opened: contextlib.AsyncExitStack
) -> None:
    """Open the room log with its search: the query of it for chat, the index of it for workers.

    Where the server of the index is away, its tables are made later.
    """
    engines.log = log = await MongoRoomLog.open(settings.messages, SystemClock(), upgrading=nobody_older(settings))
    opened.push_async_callback(log.close)
    engines.epoch = log.epoch
    engines.checks["messages"] = (log.check, True)
    database = open_database(settings.search, called="postgresql-search")
    opened.push_async_callback(database.close)
    tables = Preparation("tables of search", lambda: migrate(database, SEARCH_TABLES), Unavailable)
    await tables.begin()

    async def check() -> None:
        await database.check()
        tables.check()

    engines.checks["search"] = (check, False)
    engines.needs.append(tables.check)
    engines.runs.append(("tables of search", tables.run))
    guard = Guard("search", Unavailable)
    engines.search = _PreparedSearch(PostgresqlSearch(database, log, SystemClock(), guard), tables)
    if ProcessRole.WORKER in settings.roles:
        indexing = Indexing(PostgresqlSearchIndex(database, log, guard))
        address = KafkaAddress.parse(settings.broker_url)

        async def index() -> None:
            await topics.wait()
            await tables.wait()
            await RoomEvents(address, "search").run(indexing.committed)

        engines.runs.append(("indexing", index))


class _PreparedSearch:
    """A `Search` that is unavailable until its tables are there."""

    def __init__(self, search: Search, tables: Preparation) -> None:
        self._search = search
        self._tables = tables

    async def search(self, query: SearchQuery) -> tuple[list[SearchHit], str | None]:
        """See `Search`.

        Raises:
            Unavailable: also while there are no tables.
        """
        self._tables.check()
        return await self._search.search(query)


def nobody_older(settings: Settings) -> Callable[[int], Awaitable[None]]:
    """Return what refuses to make a room log one of this version while workers are there that know an older one only.

    They would go on reading and writing it in their way. Workers tell in their client id which version they know; those that tell
    nothing are from before it was told. Who was killed counts for some seconds more.
    """

    async def check(version: int) -> None:
        workers = await KafkaAdmin(KafkaAddress.parse(settings.broker_url)).members("workers")
        if older := [worker for worker in workers if _known_to(worker) < VERSION]:
            raise TablesInUse(
                f"the room log has version {version} and this program makes it {VERSION}, "
                f"but {len(older)} workers of an older one are at work: end them all, then start this again"
            )

    return check


def _known_to(client_id: str) -> int:
    version = client_id.removeprefix(_KNOWS)
    return int(version) if version != client_id and version.isdigit() else 0


def _count_dropped(reason: str, count: int) -> None:
    metrics.NODE_MESSAGES_DROPPED.labels(reason).inc(count)
