"""That a cluster asks one shard for what is of one room: no query of the room log goes to all of them, none is open-ended."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from bson.binary import Binary
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from parlour.chat.adapters.mongodb_log import MongoRoomLog
from parlour.chat.model import EventType, Message, RoomEvent
from parlour.chat.ports import RoomLog
from parlour.platform.ids import RoomId

from ..mongodb_server import MongodbServer
from .room_logs import ANN, BEN, StillClock, a_room, doing, saying

Query = Mapping[str, Any]

_OUTSIDE = {"hello", "ismaster", "ping", "createIndexes", "endSessions", "getMore"}
"""Commands that are of no room."""


class Listener(CommandListener):
    """Keeps the commands that were sent."""

    def __init__(self) -> None:
        self.commands: list[Query] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name not in _OUTSIDE:
            self.commands.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


def queries_of(command: Query) -> list[Query]:
    """Return what a command looks for, or what it inserts."""
    name = next(iter(command))
    match name:
        case "find":
            return [command["filter"]]
        case "aggregate":
            return [command["pipeline"][0]["$match"]]
        case "insert":
            return list(command["documents"])
        case "update":
            return [each["q"] for each in command["updates"]]
    raise AssertionError(f"nobody has thought of {name}")


def is_targeted(collection: str, query: Query) -> bool:
    """Tell whether a query says which rooms it is of, so that it goes to their shards alone."""
    if "$or" in query:
        return set(query) == {"$or"} and all(is_targeted(collection, each) for each in query["$or"])
    if collection == "heads":
        rooms = query.get("_id")
        return isinstance(rooms, Binary) or (isinstance(rooms, dict) and set(rooms) == {"$in"})
    rooms = query.get("room_id")
    return isinstance(rooms, Binary) or (isinstance(rooms, dict) and set(rooms) == {"$in"})


def is_bounded(query: Query) -> bool:
    """Tell whether a query is a range of seq with two ends, or names what it wants."""
    if "$or" in query:
        return all(is_bounded(each) for each in query["$or"])
    seq = query.get("seq")
    if isinstance(seq, dict) and "$in" not in seq:
        return set(seq) == {"$gt", "$lte"} or (set(seq) == {"$lt"} and "_id" in query)
    return seq is not None or "_id" in query or "client_id" in query or "point" in query or query.get("marks") == "pin"


def check(command: Query) -> None:
    collection = command[next(iter(command))]
    for query in queries_of(command):
        assert is_targeted(collection, query), command
        assert is_bounded(query), command
        if "sort" in command:
            assert set(query["seq"]) == {"$gt", "$lte"}, command


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def log(
    mongodb: MongodbServer, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MongoRoomLog]:
    client = functools.partial(AsyncMongoClient, event_listeners=[listener])
    monkeypatch.setattr("parlour.chat.adapters.mongodb_log.engine.AsyncMongoClient", client)
    log = await MongoRoomLog.open(mongodb.create(), StillClock())
    listener.commands.clear()
    yield log
    await log.close()


async def test_every_method_asks_for_rooms_by_their_shard_key_within_bounds(
    log: MongoRoomLog, listener: Listener
) -> None:
    rooms = [a_room() for _ in range(3)]
    first, *_ = await log.append([saying(room, mentions=[BEN]) for room in rooms])
    room, event = rooms[0], first.event

    async def append() -> None:
        batch = [doing(kind, event, emoji="x", text="y") for kind in EventType if kind != EventType.MESSAGE_DELETED]
        await log.append([*batch, *map(saying, rooms)])
        await log.append([*batch, doing(EventType.MESSAGE_DELETED, event)])

    calls: dict[str, list[Callable[[], Awaitable[object]]]] = {
        "append": [append],
        "tails": [lambda: log.tails(rooms), lambda: log.tails([a_room()])],
        "events": [lambda: log.events(room, 0, 9), lambda: log.events(room, 0, 1 << 70, max_bytes=10_000)],
        "find": [lambda: log.find(room, ANN, event.client_id)],
        "page": [
            lambda: log.page(room),
            lambda: log.page(room, after=0),
            lambda: log.page(room, before=9),
            lambda: log.page(room, head=9),
        ],
        "around": [lambda: log.around(room, 2), lambda: log.around(room, 2, head=9)],
        "entries": [lambda: log.entries(room), lambda: log.entries(room, after=0), lambda: log.entries(room, head=9)],
        "entries_around": [lambda: log.entries_around(room, 2), lambda: log.entries_around(room, 2, head=9)],
        "message": [lambda: log.message(room, event.id), lambda: log.message(room, event.id, reactors=False)],
        "pinned": [lambda: log.pinned(room)],
        "mentions": [lambda: log.mentions([(who, where, 0) for who in (ANN, BEN) for where in rooms])],
        "close": [],
    }
    assert set(calls) == {name for name in vars(RoomLog) if not name.startswith("_")}
    for name, ways in calls.items():
        for way in ways:
            listener.commands.clear()
            await way()
            assert listener.commands, name
            for command in listener.commands:
                check(command)


async def test_so_does_who_repairs_a_room(log: MongoRoomLog, mongodb: MongodbServer, listener: Listener) -> None:
    (first,) = await log.append([saying(a_room())])
    room = first.event.room_id
    listener.commands.clear()
    await log._appender._catch_up(room)
    stale = await log.append([saying(room)])
    assert stale[0].event.seq == 2
    assert [next(iter(command)) for command in listener.commands].count("find") >= 3
    for command in listener.commands:
        check(command)


async def test_a_batch_is_few_calls_whatever_rooms_it_has(log: MongoRoomLog, listener: Listener) -> None:
    rooms = [a_room() for _ in range(20)]
    await log.append([saying(room) for room in rooms])
    listener.commands.clear()
    await log.append([saying(room) for room in rooms for _ in range(3)])
    assert [(next(iter(command)), next(iter(command.values()))) for command in listener.commands] == [
        ("find", "events"),
        ("insert", "events"),
    ]


async def test_where_many_rooms_end_is_few_calls_and_one_for_each_that_is_written_to(
    log: MongoRoomLog, listener: Listener
) -> None:
    rooms = [a_room() for _ in range(20)]
    await log.append([saying(room) for room in rooms])
    await log.append([saying(rooms[0])])
    listener.commands.clear()
    tails = await log.tails([*rooms, a_room()])
    assert [tails[room].seq for room in rooms] == [2] + [1] * 19
    assert [(next(iter(command)), next(iter(command.values()))) for command in listener.commands] == [
        ("find", "heads"),
        ("find", "events"),
        ("find", "events"),
    ]


async def test_a_page_whose_head_is_known_is_two_queries_side_by_side_and_two_more_where_it_is_not(
    log: MongoRoomLog, listener: Listener
) -> None:
    room = a_room()
    said = [each.event for each in await log.append([saying(room) for _ in range(30)])]
    await log.append([doing(EventType.MESSAGE_EDITED, said[-1], text="else"), *[saying(room) for _ in range(30)]])

    async def asked(page: Awaitable[Sequence[Message | RoomEvent]]) -> list[tuple[str, str]]:
        listener.commands.clear()
        assert len(await page) == 20
        return sorted((next(iter(command)), next(iter(command.values()))) for command in listener.commands)

    page = [("aggregate", "events"), ("aggregate", "messages")]
    for way in (log.page, log.entries):
        assert await asked(way(room, limit=20, head=61)) == page
        assert await asked(way(room, limit=20, head=61, before=40)) == page
        assert await asked(way(room, limit=20, head=61, after=9)) == page
        assert await asked(way(room, limit=20)) == [*page, ("find", "events"), ("find", "heads")]
    for around in (log.around, log.entries_around):
        assert await asked(around(room, 30, limit=20, head=61)) == sorted(page * 2)
    for command in listener.commands:
        check(command)


async def test_the_users_of_reactions_do_not_leave_the_engine_unless_asked_for(
    log: MongoRoomLog, listener: Listener
) -> None:
    (first,) = await log.append([saying(a_room())])
    listener.commands.clear()
    await log.message(first.event.room_id, first.event.id, reactors=False)
    (asked,) = [command for command in listener.commands if command.get("find") == "messages"]
    assert asked["projection"] == {"reactions.users": 0}


ROOM = Binary(bytes(16), 4)


@pytest.mark.parametrize(
    "command",
    [
        {"find": "events", "filter": {}},
        {"find": "events", "filter": {"seq": {"$gt": 1, "$lte": 2}}},
        {"find": "events", "filter": {"room_id": ROOM}},
        {"find": "events", "filter": {"room_id": ROOM, "seq": {"$gt": 1}}},
        {"find": "events", "filter": {"room_id": {"$gt": ROOM}, "seq": 1}},
        {"find": "events", "filter": {"$or": [{"room_id": ROOM, "seq": 1}, {"seq": 1}]}},
        {"find": "events", "filter": {"room_id": ROOM, "seq": {"$in": [1]}}, "sort": {"seq": 1}},
        {"find": "heads", "filter": {"room_id": ROOM, "seq": 1}},
        {"aggregate": "messages", "pipeline": [{"$match": {"marks": "pin"}}]},
        {"update": "messages", "updates": [{"q": {"_id": ROOM}}]},
        {"delete": "events", "deletes": []},
    ],
    ids=str,
)
def test_what_goes_to_all_shards_or_has_no_bounds_is_seen(command: Query) -> None:
    with pytest.raises(AssertionError):
        check(command)


def test_a_room_is_known_by_its_key_alone() -> None:
    check({"find": "events", "filter": {"room_id": ROOM, "seq": {"$gt": 1, "$lte": 2}}, "sort": {"seq": 1}})
    check({"find": "heads", "filter": {"_id": {"$in": [ROOM, RoomId("x")]}}})
