"""What the room log on MongoDB keeps besides its contract: several processes, writers that die or stall, an engine that is killed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from parlour.chat.adapters.mongodb_log import MongoRoomLog, shard_commands
from parlour.chat.adapters.mongodb_log.append import Appender
from parlour.chat.adapters.mongodb_log.documents import View, binary
from parlour.chat.adapters.mongodb_log.engine import Document, Engine
from parlour.chat.adapters.mongodb_log.reads import Reads
from parlour.chat.adapters.mongodb_log.schema import EVENTS, INDEXES, SHARD_KEYS, VERSION, NewerSchema
from parlour.chat.adapters.mongodb_log.views import load_heads, write_heads
from parlour.chat.fold import apply
from parlour.chat.model import AMONG_MESSAGES, Appended, EventType, NewEvent, RoomEvent, RoomView, Tail
from parlour.platform.errors import InvalidRequest, TablesInUse, Unavailable
from parlour.platform.ids import RoomId, UserId, uuid7

from ..mongodb_server import MongodbServer, secantus_server
from .room_logs import ANN, BEN, CY, START, StillClock, a_client_id, a_room, doing, saying

T = TypeVar("T")

SECRET = "the secret"


@pytest.fixture
def url(mongodb: MongodbServer) -> str:
    return mongodb.create()


@asynccontextmanager
async def opened(url: str, patience: float = 5.0) -> AsyncIterator[MongoRoomLog]:
    log = await MongoRoomLog.open(url, StillClock(), patience=patience)
    try:
        yield log
    finally:
        await log.close()


@pytest.fixture
async def log(url: str) -> AsyncIterator[MongoRoomLog]:
    async with opened(url) as log:
        yield log


@pytest.fixture
async def other(log: MongoRoomLog, url: str) -> AsyncIterator[MongoRoomLog]:
    """Another process's log of the same database."""
    async with opened(url) as other:
        yield other


async def checked(log: MongoRoomLog, room: RoomId) -> list[RoomEvent]:
    """Return a room's log once it was found dense, each command once, and everything that is read to be its fold."""
    head = (await log.tails([room]))[room].seq
    events = await log.events(room, 0, head + 100)
    assert [event.seq for event in events] == list(range(1, head + 1))
    assert len({(event.sender_id, event.client_id) for event in events}) == head
    view = RoomView()
    for event in events:
        view = apply(view, event)
    messages = {each.id: each for each in await log.page(room, limit=1_000)}
    assert messages == view.messages
    pinned = [each for each in messages.values() if each.pinned_at is not None]
    assert {each.id for each in await log.pinned(room)} == {each.id for each in pinned}
    shown = [event.seq for event in events if event.type in {EventType.MESSAGE_CREATED, *AMONG_MESSAGES}]
    assert [each.seq for each in await log.entries(room, limit=1_000)] == shown[::-1]
    mentioning = [each for each in messages.values() if BEN in each.mentions and each.sender_id != BEN]
    assert await log.mentions([(BEN, room, 0)]) == [len(mentioning)]
    return events


async def everything(url: str) -> str:
    """Return all that is in a database."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
    try:
        database = client.get_default_database()
        names = sorted(await database.list_collection_names())
        return repr([await database[name].find().to_list() for name in names])
    finally:
        await client.close()


class TestProcesses:
    async def test_one_command_of_two_processes_at_once_is_one_event(
        self, log: MongoRoomLog, other: MongoRoomLog
    ) -> None:
        room, one_first = a_room(), 0
        for _ in range(20):
            command = saying(room)
            ((mine,), (theirs,)) = await asyncio.gather(log.append([command]), other.append([command]))
            assert mine.event == theirs.event
            assert {mine.repeated, theirs.repeated} == {True, False}
            one_first += theirs.repeated
        assert len(await checked(log, room)) == 20

    async def test_batches_of_two_processes_leave_rooms_dense_and_commands_once(
        self, log: MongoRoomLog, other: MongoRoomLog
    ) -> None:
        rooms = [a_room() for _ in range(3)]
        batches = [[saying(rooms[(start + step) % 3]) for step in range(5)] for start in range(8)]
        appends = [each.append(batch) for batch in batches for each in (log, other)]
        answers = await asyncio.gather(*appends)
        for mine, theirs in zip(answers[::2], answers[1::2], strict=True):
            for one, two in zip(mine, theirs, strict=True):
                assert one.event == two.event
                assert {one.repeated, two.repeated} == {True, False}
        for room in rooms:
            await checked(log, room)

    async def test_who_has_an_old_head_goes_on_behind_the_other(self, log: MongoRoomLog, other: MongoRoomLog) -> None:
        room = a_room()
        (first,) = await log.append([saying(room)])
        for _ in range(3):
            await other.append([saying(room), doing(EventType.REACTION_ADDED, first.event, BEN, emoji="x")])
        answers = await log.append([saying(room), doing(EventType.REACTION_ADDED, first.event, BEN, emoji="x")])
        assert [each.event.seq for each in answers] == [8, 9]
        await checked(log, room)

    async def test_a_message_that_is_deleted_between_the_two_queries_of_a_page_has_no_text_and_is_there(
        self, log: MongoRoomLog, url: str
    ) -> None:
        room = a_room()
        _, said, _ = [each.event for each in await log.append([saying(room, SECRET) for _ in range(3)])]
        deleted = asyncio.Event()

        class DeletedBetween(Engine):
            async def aggregate(self, collection: str, pipeline: Sequence[Document]) -> list[Document]:
                if collection == EVENTS:
                    await deleted.wait()
                    return await super().aggregate(collection, pipeline)
                found = await super().aggregate(collection, pipeline)
                if not deleted.is_set():
                    await log.append([doing(EventType.MESSAGE_DELETED, said)])
                    deleted.set()
                return found

        engine = DeletedBetween(url)
        page = await Reads(engine).page(room, None, None, 50, 3)
        await engine.close()
        assert page == [each for each in await log.page(room) if each.seq <= 3]
        assert [(each.seq, each.text) for each in page] == [(3, SECRET), (2, ""), (1, SECRET)]

    async def test_an_edit_by_who_does_not_know_of_the_deletion_has_no_text(
        self, log: MongoRoomLog, other: MongoRoomLog, url: str
    ) -> None:
        (first,) = await log.append([saying(a_room())])
        await other.append([doing(EventType.MESSAGE_DELETED, first.event)])
        (late,) = await log.append([doing(EventType.MESSAGE_EDITED, first.event, text=SECRET)])
        assert late.event.data == {"message_id": first.event.id}
        assert SECRET not in await everything(url)


async def test_a_head_that_lost_to_an_older_one_made_at_the_same_moment_is_written_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MongoDB then refuses the upsert by a duplicate key; SecantusDB does one after the other, so the driver says it here."""
    engine, room = Engine(url), a_room()
    really, refusals = AsyncCollection.bulk_write, [BulkWriteError({"writeErrors": [{"index": 0, "code": 11000}]})]

    async def refused_once(self: AsyncCollection[Any], updates: Any, **options: Any) -> object:
        if refusals:
            await self.insert_one({"_id": binary(room), "seq": 1, "at": START})
            raise refusals.pop()
        return await really(self, updates, **options)

    monkeypatch.setattr(AsyncCollection, "bulk_write", refused_once)
    await write_heads(engine, {room: Tail(2, START)})
    assert await load_heads(engine, [room]) == {room: Tail(2, START)}
    await write_heads(engine, {room: Tail(1, START)})
    assert await load_heads(engine, [room]) == {room: Tail(2, START)}
    await engine.close()


async def documents(url: str, collection: str) -> list[dict[str, Any]]:
    """Return what is in a collection."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
    try:
        return await client.get_default_database()[collection].find().to_list()
    finally:
        await client.close()


class TestLittleIsWritten:
    """A message is in the log alone, and its room's head follows it: what was answered is read all the same, by everybody."""

    async def test_a_message_is_elsewhere_once_it_is_changed_or_somebody_is_mentioned(
        self, log: MongoRoomLog, url: str
    ) -> None:
        room = a_room()
        plain, mentioning, edited = await log.append(
            [saying(room), saying(room, mentions=[BEN]), saying(room, mentions=[ANN])]  # nobody mentions themselves
        )
        joined = NewEvent(room, EventType.MEMBER_JOINED, CY, a_client_id(), {"user_id": CY, "role": "member"})
        await log.append([joined])
        stored = {each["seq"] for each in await documents(url, "messages")}
        assert stored == {mentioning.event.seq}
        await log.append([doing(EventType.MESSAGE_EDITED, edited.event, text="new")])
        stored = {each["seq"] for each in await documents(url, "messages")}
        assert stored == {mentioning.event.seq, edited.event.seq}
        await checked(log, room)
        message = await log.message(room, plain.event.id)
        assert message is not None
        assert message.text == plain.event.data["text"]

    async def test_what_is_behind_a_head_counts_for_everybody_at_once(
        self, log: MongoRoomLog, other: MongoRoomLog, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("parlour.chat.adapters.mongodb_log.lagging.LAG", 3600.0)
        monkeypatch.setattr("parlour.chat.adapters.mongodb_log.reads._STRETCH", 3)
        room, quiet = a_room(), a_room()
        await log.append([saying(room), saying(quiet)])
        for number in range(2, 10):
            (answer,) = await log.append([saying(room)])
            tails = await other.tails([room, quiet])
            assert tails == {room: Tail(number, answer.event.at), quiet: Tail(1, START)}
            assert [each.seq for each in await other.page(room, limit=2)] == [number, number - 1]
        assert {each["seq"] for each in await documents(url, "heads")} == {1}
        await checked(other, room)

    async def test_a_head_is_written_after_a_while_when_many_events_are_behind_it_and_at_the_end(
        self, log: MongoRoomLog, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("parlour.chat.adapters.mongodb_log.lagging.LAG", 3600.0)
        monkeypatch.setattr("parlour.chat.adapters.mongodb_log.lagging.FAR", 3)
        monkeypatch.setattr("parlour.chat.adapters.mongodb_log.lagging.LOOK_EVERY", 0.01)
        room = a_room()

        async def head_is(seq: int) -> None:
            async with asyncio.timeout(30):
                while (await documents(url, "heads"))[0]["seq"] != seq:  # noqa: ASYNC110 - the engine is asked
                    await asyncio.sleep(0.01)

        for _ in range(5):
            await log.append([saying(room)])
        await head_is(5)
        monkeypatch.setattr("parlour.chat.adapters.mongodb_log.lagging.LAG", 0.0)
        await log.append([saying(room)])
        await head_is(6)
        monkeypatch.setattr("parlour.chat.adapters.mongodb_log.lagging.LAG", 3600.0)
        await log.append([saying(room)])
        await log.close()
        await head_is(7)

    async def test_what_is_not_folded_counts_for_nobody_nor_does_what_is_behind_it(
        self, log: MongoRoomLog, other: MongoRoomLog, url: str
    ) -> None:
        room = a_room()
        (first,) = await log.append([saying(room)])
        await log.append([saying(room)])
        writer = Engine(url)
        updating = writer.update

        async def die_before_the_message_is_written(collection: str, updates: Any) -> None:
            if collection == "messages":
                raise Unavailable
            await updating(collection, updates)

        writer.update = die_before_the_message_is_written
        batch = [saying(room), doing(EventType.MESSAGE_PINNED, first.event), saying(room)]
        with pytest.raises(Unavailable):
            await Appender(writer, StillClock()).append(batch)
        await writer.close()
        assert len(await documents(url, "events")) == 5
        assert (await other.tails([room]))[room].seq == 3
        assert len(await other.page(room)) == 3
        answers = await other.append(batch)
        assert [each.repeated for each in answers] == [True] * 3
        assert len(await checked(other, room)) == 5

    async def test_an_older_program_that_begins_while_it_is_brought_forward_has_it_stay_as_it_was(
        self, log: MongoRoomLog, url: str
    ) -> None:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
        meta = client.get_default_database()["meta"]
        await meta.update_one({"_id": "schema"}, {"$set": {"version": 1}})
        seen: list[int] = []

        async def somebody_begins_after_the_first_look(version: int) -> None:
            assert version == 1
            seen.append((await meta.find_one({"_id": "schema"}))["version"])
            if len(seen) == 2:
                raise TablesInUse("one is at work")

        with pytest.raises(TablesInUse):
            await MongoRoomLog.open(url, StillClock(), upgrading=somebody_begins_after_the_first_look)
        assert seen == [1, VERSION]  # at the second look no older program can begin any more
        assert (await meta.find_one({"_id": "schema"}))["version"] == 1
        await client.close()

    async def test_what_version_1_wrote_is_read_and_gone_on_with(self, log: MongoRoomLog, url: str) -> None:
        room = a_room()
        joined = NewEvent(room, EventType.MEMBER_JOINED, CY, a_client_id(), {"user_id": CY, "role": "member"})
        first, second = await log.append([saying(room), joined])
        await log.close()
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
        database = client.get_default_database()
        message = View.begin(first.event).document()
        among = {"_id": binary(second.event.id), "room_id": binary(room), "seq": 2, "kind": "event", "body": "{}"}
        await database["messages"].insert_many([message, among])
        await database["events"].update_many({}, {"$unset": {"point": ""}})
        await database["meta"].update_one({"_id": "schema"}, {"$set": {"version": 1}})
        epoch = log.epoch
        async with opened(url) as now:
            assert now.epoch == epoch
            assert (await database["meta"].find_one({}))["version"] == VERSION
            await checked(now, room)
            await now.append([saying(room), doing(EventType.MESSAGE_EDITED, first.event, text="new")])
            assert len(await checked(now, room)) == 4
        await client.close()


class Trouble(Engine):
    """An engine whose writer comes to grief before its call number `place`: `what` dies there, or waits."""

    def __init__(self, url: str, place: int, what: Callable[[], Awaitable[None]]) -> None:
        super().__init__(url)
        self._numbers = count()
        self._place = place
        self._what = what

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        if next(self._numbers) >= self._place:
            await self._what()
        return await super().call(work)


async def die() -> None:
    raise Unavailable


LONGEST = 10
"""At least as many calls as a batch needs."""


class TestWriters:
    """A batch that changes a message in every way, by a writer that does not get to its end."""

    async def test_a_batch_has_fewer_calls_than_are_tried(self, log: MongoRoomLog, url: str) -> None:
        _, batch = await self.begin(log)
        writer = Trouble(url, LONGEST, die)
        await Appender(writer, StillClock()).append(batch)
        await writer.close()

    @pytest.mark.parametrize("place", range(LONGEST))
    @pytest.mark.parametrize("after", ["another batch", "the same batch"])
    async def test_one_that_dies_anywhere_leaves_what_the_next_completes(
        self, log: MongoRoomLog, url: str, place: int, after: str
    ) -> None:
        room, batch = await self.begin(log)
        writer = Trouble(url, place, die)
        with suppress(Unavailable):
            await Appender(writer, StillClock()).append(batch)
        await writer.close()
        async with opened(url) as next_one:
            match after:
                case "another batch":
                    await next_one.append([saying(room)])
                case "the same batch":
                    await next_one.append(batch)
            await checked(next_one, room)
            await self.settled(next_one, url, batch)
            await checked(log, room)

    @pytest.mark.parametrize("place", range(LONGEST))
    async def test_one_that_stalls_anywhere_undoes_nothing_of_who_went_on(
        self, log: MongoRoomLog, url: str, place: int
    ) -> None:
        room, batch = await self.begin(log)
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def stall() -> None:
            reached.set()
            await go_on.wait()

        writer = Trouble(url, place, stall)
        stalled = asyncio.create_task(Appender(writer, StillClock()).append(batch))
        waiting = asyncio.create_task(reached.wait())
        await asyncio.wait([stalled, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        first, second = (await log.events(room, 0, 2))[:2]
        async with opened(url) as after:
            await after.append(
                [
                    doing(EventType.REACTION_REMOVED, first, BEN, emoji="x"),
                    doing(EventType.MESSAGE_UNPINNED, first),
                    doing(EventType.MESSAGE_EDITED, first, text="later", mentions=[CY]),
                    doing(EventType.MESSAGE_DELETED, second),
                ]
            )
            await checked(after, room)
            go_on.set()
            answers = await stalled
            await checked(after, room)
            assert [each.event.type for each in answers] == [each.type for each in batch]
            await self.settled(after, url, batch)
        await writer.close()

    async def begin(self, log: MongoRoomLog) -> tuple[RoomId, list[NewEvent]]:
        """Return a room with two messages, and a batch that deletes the second."""
        room = a_room()
        first, second = await log.append([saying(room), saying(room, SECRET, mentions=[BEN])])
        await log.append(
            [
                doing(EventType.MESSAGE_EDITED, second.event, text=SECRET, mentions=[BEN]),
                doing(EventType.REACTION_ADDED, first.event, CY, emoji="y"),
            ]
        )
        batch = [
            saying(room, "new", mentions=[BEN]),
            doing(EventType.REACTION_ADDED, first.event, BEN, emoji="x"),
            doing(EventType.REACTION_REMOVED, first.event, BEN, emoji="x"),
            doing(EventType.REACTION_ADDED, first.event, BEN, emoji="x"),
            doing(EventType.REACTION_REMOVED, first.event, CY, emoji="y"),
            doing(EventType.MESSAGE_PINNED, first.event),
            NewEvent(room, EventType.MEMBER_JOINED, CY, a_client_id(), {"user_id": CY, "role": "member"}),
            doing(EventType.MESSAGE_EDITED, second.event, text=SECRET),
            doing(EventType.MESSAGE_DELETED, second.event),
            doing(EventType.MESSAGE_EDITED, second.event, text=SECRET),
        ]
        return room, batch

    async def settled(self, log: MongoRoomLog, url: str, batch: list[NewEvent]) -> None:
        """The whole batch is there, once, and what it deleted is not."""
        await log.append(batch)
        again = await log.append(batch)
        assert all(each.repeated for each in again)
        seqs = [each.event.seq for each in again]
        assert seqs == sorted(seqs)
        assert SECRET not in await everything(url)

    async def test_one_whose_batch_was_written_in_part_leaves_a_prefix(self, log: MongoRoomLog, url: str) -> None:
        room, batch = await self.begin(log)
        writer = Trouble(url, LONGEST, die)
        inserting = writer.insert

        async def insert_some(collection: str, documents: list[dict[str, Any]]) -> int:
            await inserting(collection, documents[:3])
            raise Unavailable

        writer.insert = insert_some
        with pytest.raises(Unavailable):
            await Appender(writer, StillClock()).append(batch)
        await writer.close()
        assert (await log.tails([room]))[room].seq == 4, "nobody was told of the rest"
        answers = await log.append(batch)
        assert [each.repeated for each in answers] == [True] * 3 + [False] * 7
        assert len(await checked(log, room)) == 4 + 10


class Forgetful:
    """Stands between a client and its server, and loses the answer to the next insert of events with the connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.armed = False
        self.lost = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        losing = False

        async def forward() -> None:
            nonlocal losing
            while data := await reader.read(1 << 20):
                if self.armed and b"insert\x00\x07\x00\x00\x00events\x00" in data:
                    self.armed, losing = False, True
                server_writer.write(data)

        async def back() -> None:
            while data := await server_reader.read(1 << 20):
                if losing:
                    self.lost += 1
                    return
                writer.write(data)

        tasks = [asyncio.create_task(forward()), asyncio.create_task(back())]
        with suppress(OSError):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        writer.close()
        server_writer.close()


async def test_what_was_inserted_though_the_answer_was_lost_is_no_repeat(mongodb: MongodbServer, url: str) -> None:
    """Who is told of a repeat tells nobody; this event has been told to nobody yet."""
    proxy = Forgetful(mongodb.port)
    async with proxy.listening() as port, opened(url.replace(f":{mongodb.port}/", f":{port}/")) as log:
        room, batch = a_room(), [saying(a_room()), saying(a_room())]
        batch += [saying(room), saying(room)]
        proxy.armed = True
        answers = await log.append(batch)
        assert proxy.lost == 1
        assert [(each.event.seq, each.repeated) for each in answers] == [
            (1, False),
            (1, False),
            (1, False),
            (2, False),
        ]
        await checked(log, room)


class TestAway:
    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[MongodbServer]:
        """One that may be killed without harm to others."""
        server = secantus_server(tmp_path)
        yield server
        server.stop()

    @pytest.mark.timeout(300)
    async def test_nothing_acknowledged_is_lost_when_the_engine_is_killed(self, server: MongodbServer) -> None:
        rooms = [a_room() for _ in range(4)]
        async with opened(server.create(), patience=2.0) as log:
            acknowledged: list[Appended] = []
            refused = enough = 0

            async def talk(number: int) -> None:
                nonlocal refused
                while not enough:
                    batch = [saying(rooms[(number + step) % 4]) for step in range(3)]
                    answers: list[Appended] = []
                    while not answers:
                        try:
                            answers = await log.append(batch)
                        except Unavailable:
                            refused += 1
                            await asyncio.sleep(0.05)
                    acknowledged.extend(answers)

            async def until(condition: Callable[[], bool]) -> None:
                while not condition():  # noqa: ASYNC110 - of any kind
                    await asyncio.sleep(0.01)

            async with asyncio.TaskGroup() as group:
                for number in range(4):
                    group.create_task(talk(number))
                await until(lambda: len(acknowledged) > 50)
                await asyncio.to_thread(server.stop)
                await until(lambda: refused > 0)
                await asyncio.to_thread(server.start)
                before = len(acknowledged)
                await until(lambda: len(acknowledged) > before + 50)
                enough = 1
            kept = [event for room in rooms for event in await checked(log, room)]
        events = {event.id: event for event in kept}
        assert all(events[each.event.id] == each.event for each in acknowledged)
        assert len(events) == len(acknowledged)

    async def test_everything_is_unavailable_while_it_is_away_and_no_error_of_the_driver_leaves(
        self, server: MongodbServer
    ) -> None:
        log = await MongoRoomLog.open(server.create(), StillClock(), patience=1.0)
        (first,) = await log.append([saying(a_room())])
        room, event_id = first.event.room_id, first.event.id
        server.stop()
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: log.append([saying(room)]),
            lambda: log.tails([room]),
            lambda: log.events(room, 0, 1),
            lambda: log.events(room, 0, 1, 100),
            lambda: log.find(room, ANN, first.event.client_id),
            lambda: log.page(room),
            lambda: log.around(room, 1),
            lambda: log.entries(room),
            lambda: log.entries_around(room, 1),
            lambda: log.message(room, event_id),
            lambda: log.pinned(room),
            lambda: log.mentions([(ANN, room, 0)]),
            log.check,
        ]
        for call in calls:
            with pytest.raises(Unavailable) as refusal:
                await call()
            assert refusal.value.retry_after
        await log.close()

    async def test_one_that_cannot_be_reached_is_not_opened(self, server: MongodbServer) -> None:
        url = server.create()
        server.stop()
        with pytest.raises(Unavailable):
            await MongoRoomLog.open(url, StillClock(), patience=1.0)


class TestBounds:
    async def test_a_message_takes_only_as_many_reactions_as_a_document_can_hold(
        self, log: MongoRoomLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (first,) = await log.append([saying(a_room(), "x")])
        monkeypatch.setattr("parlour.chat.adapters.mongodb_log.append.MAX_VIEW", 1 + 2 * 16)
        await log.append([doing(EventType.REACTION_ADDED, first.event, who, emoji="x") for who in (ANN, BEN)])
        with pytest.raises(InvalidRequest):
            await log.append([doing(EventType.REACTION_ADDED, first.event, CY, emoji="x"), saying(first.event.room_id)])
        assert len(await checked(log, first.event.room_id)) == 3

    async def test_data_that_no_document_can_hold_are_refused(self, log: MongoRoomLog) -> None:
        room = a_room()
        with pytest.raises(InvalidRequest):
            await log.append([saying(room), saying(room, "x" * (1 << 22))])
        assert await checked(log, room) == []

    async def test_a_crowd_reacts_to_one_message(self, log: MongoRoomLog) -> None:
        (first,) = await log.append([saying(a_room())])
        crowd = [UserId(uuid7()) for _ in range(300)]
        await log.append([doing(EventType.REACTION_ADDED, first.event, who, emoji="x") for who in crowd])
        message = await log.message(first.event.room_id, first.event.id)
        assert message is not None
        assert message.reactions == {"x": crowd}


class TestSchema:
    async def test_a_newer_one_is_left_alone(self, log: MongoRoomLog, url: str) -> None:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
        await client.get_default_database()["meta"].update_one({"_id": "schema"}, {"$set": {"version": VERSION + 1}})
        await client.close()
        with pytest.raises(NewerSchema, match=f"version {VERSION + 1}"):
            await MongoRoomLog.open(url, StillClock())

    @pytest.mark.parametrize("url", ["postgresql://somewhere/parlour", "mongodb://", "mongodb://a:b:c/parlour"])
    async def test_what_is_no_url_is_told(self, url: str) -> None:
        with pytest.raises(ValueError, match="no URL of MongoDB"):
            await MongoRoomLog.open(url, StillClock())

    def test_a_cluster_is_sharded_by_room(self) -> None:
        assert shard_commands("talk") == [
            {"enableSharding": "talk"},
            {"shardCollection": "talk.events", "key": {"room_id": 1, "seq": 1}, "unique": True},
            {"shardCollection": "talk.messages", "key": {"room_id": 1, "seq": 1}, "unique": True},
            {"shardCollection": "talk.heads", "key": {"_id": 1}, "unique": False},
        ]

    def test_every_unique_index_begins_with_the_whole_shard_key(self) -> None:
        for name, indexes in INDEXES.items():
            unique = [index.document for index in indexes if index.document.get("unique")]
            assert [list(index["key"].items()) for index in unique] == [list(SHARD_KEYS[name].items())]
