"""Chat over HTTP on the embedded engines, composed as app.py does, in this process and without a socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from parlour.chat.adapters.memory import MemoryBroker
from parlour.chat.adapters.sql import SqlRoomStore
from parlour.chat.adapters.sqlite_log import SqliteRoomLog, SqliteSearch
from parlour.chat.http import ChatServices, router
from parlour.chat.model import RoomEvent
from parlour.chat.service.drafts import Drafts
from parlour.chat.service.heads import Heads
from parlour.chat.service.history import History
from parlour.chat.service.mark_writer import MarkWriter
from parlour.chat.service.membership import Memberships
from parlour.chat.service.messages import Messages
from parlour.chat.service.outbox import OutboxRelay
from parlour.chat.service.read_markers import ReadMarkers
from parlour.chat.service.ready import Summaries
from parlour.chat.service.room_list import RoomList
from parlour.chat.service.room_members import RoomMembers
from parlour.chat.service.room_sizes import room_sizes
from parlour.chat.service.rooms import Rooms
from parlour.chat.service.search import SearchMessages
from parlour.chat.worker import Worker
from parlour.platform.bus import MemoryBus
from parlour.platform.clock import SystemClock
from parlour.platform.contracts import USER_CHANGED, Profile, UserChanged
from parlour.platform.health import Health
from parlour.platform.http import create_application
from parlour.platform.ids import uuid4
from parlour.platform.permissions import Role
from parlour.platform.rates import RateLimits
from parlour.platform.sql import Database, migrate, open_database
from parlour.platform.tokens import TokenVerifier

from ...unit.chat.doubles import FakeDirectory
from .chat_server import Keys, User, WallClock


class Told:
    """The fan-out: what live sockets would have been told."""

    def __init__(self) -> None:
        self.events: list[RoomEvent] = []

    def committed(self, events: Sequence[RoomEvent], _received: Sequence[float]) -> None:
        self.events += events


class Counting(SqliteRoomLog):
    """The real log, counting what is read of it."""

    reads = 0

    async def read(self, work: Any, *arguments: Any) -> Any:
        self.reads += 1
        return await super().read(work, *arguments)


class Client:
    """One user's HTTP client; answers are (status, body)."""

    def __init__(self, user: User, http: httpx.AsyncClient) -> None:
        self.id, self.profile = user.id, user.profile
        self._token = user.token()
        self._http = http

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self._token}"}
        options: dict[str, Any] = {} if body is None else {"json": body}
        answer = await self._http.request(method, "/api" + path, headers=headers, params=query, **options)
        return answer.status_code, answer.json() if answer.content else None

    async def get(self, path: str, **query: Any) -> Any:
        status, body = await self.call("GET", path, **query)
        assert status == 200, body
        return body

    async def do(self, method: str, path: str, body: Any = None, *, status: int = 200, **query: Any) -> Any:
        answered, answer = await self.call(method, path, body, **query)
        assert answered == status, answer
        return answer

    async def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        status, answer = await self.call(method, path, body, **query)
        return status, answer["error"]["code"]

    async def room(self, *members: "Client", kind: str = "private", name: str = "lunch") -> str:
        body = {"kind": kind, "name": name, "members": [member.id for member in members]}
        room: str = (await self.do("POST", "/rooms", body, status=201))["id"]
        return room

    async def send(self, room: str, text: str) -> Any:
        return await self.do("POST", f"/rooms/{room}/messages", {"client_id": uuid4(), "text": text}, status=201)


class HttpHouse:
    """The services of chat with HTTP before them."""

    def __init__(
        self,
        database: Database,
        log: Counting,
        search: SqliteSearch,
        clock: WallClock,
        rates: dict[str, str] | None = None,
    ) -> None:
        self.database, self.log, self.clock, self.keys = database, log, clock, Keys()
        self.bus, self.directory, self.told = MemoryBus(), FakeDirectory(), Told()
        limits = RateLimits(clock, rates)
        self.store = SqlRoomStore(database)
        self.memberships = Memberships(self.store)
        self.marks = MarkWriter(self.store, self.memberships)
        self.heads = Heads(log)
        self.broker = MemoryBroker()
        self.worker = Worker(log, self.told, self.heads.get)
        self.outbox = OutboxRelay(self.store, self.broker)
        summaries = Summaries(log, self.directory, self.heads, clock, epoch="epoch")
        self.room_list = RoomList(summaries, self.memberships, self.heads, limits)
        self.room_list.follow(self.bus)
        rooms = Rooms(
            self.store,
            memberships=self.memberships,
            directory=self.directory,
            outbox=self.outbox,
            rates=limits,
            clock=clock,
        )
        verifier = TokenVerifier(self.keys, clock)
        services = ChatServices(
            rooms=rooms,
            room_members=RoomMembers(
                self.store,
                rooms=rooms,
                memberships=self.memberships,
                heads=self.heads,
                directory=self.directory,
                outbox=self.outbox,
                rates=limits,
                clock=clock,
            ),
            room_list=self.room_list,
            messages=Messages(
                self.broker,
                log,
                self.memberships,
                self.directory,
                verifier=verifier,
                rates=limits,
                audience=lambda _: 0,
            ),
            history=History(log, self.memberships, self.heads, limits),
            search=SearchMessages(search, self.memberships, limits),
            read_markers=ReadMarkers(
                log=self.log,
                sizes=room_sizes(self.store, self.bus, SystemClock()),
                memberships=self.memberships,
                marks=self.marks,
                heads=self.heads,
                rates=limits,
                tell=lambda *_: None,
                tell_unread=lambda *_: None,
            ),
            drafts=Drafts(self.store, self.memberships, limits, clock),
        )
        self.application = create_application([router(services)], verifier, Health("test", clock), version="test")
        transport = httpx.ASGITransport(app=self.application)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://parlour.test")

    def client(self, name: str, role: Role = Role.MEMBER) -> Client:
        user = User(self.keys, self.clock, name, role)
        self.directory.all[user.id] = user.profile
        return Client(user, self.http)

    async def rename(self, client: Client, display_name: str) -> None:
        """What the auth service does when a profile changes."""
        profile = client.profile
        self.directory.all[client.id] = Profile(client.id, profile.username, display_name, profile.role)
        changed = UserChanged(client.id, profile.username, display_name, profile.role, False)
        await self.bus.publish(USER_CHANGED, msgspec.json.encode(changed))


@contextlib.asynccontextmanager
async def opened(folder: Path, rates: dict[str, str] | None = None) -> AsyncIterator[HttpHouse]:
    """Open a house on the databases in `folder`, and close it."""
    clock = WallClock()
    database = open_database(f"sqlite:///{folder / 'parlour.db'}")
    await migrate(database, "parlour.chat")
    log = await Counting.open(folder / "messages.db", clock)
    assert isinstance(log, Counting)
    search = await SqliteSearch.open(log, clock)
    house = HttpHouse(database, log, search, clock, rates)
    working = asyncio.create_task(house.broker.run(house.heads.follow(house.worker.handle)))
    relaying = asyncio.create_task(house.outbox.run())
    try:
        yield house
    finally:
        await house.http.aclose()
        for task in (relaying, working):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await house.memberships.close()
        await house.marks.close()
        await search.close()
        await log.close()
        await database.close()
