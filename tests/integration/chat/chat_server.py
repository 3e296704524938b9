"""Chat on the real realtime engine and real sockets, composed as app.py does, in this process."""

import asyncio
import contextlib
import random
import socket as sockets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from joserfc import jws
from joserfc.jwk import OKPKey

from parlour.chat.adapters.memory import MemoryBroker, MemoryPresence
from parlour.chat.adapters.sql import SqlRoomStore
from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.events.channels import Channels
from parlour.chat.events.gateway import Gateway
from parlour.chat.events.sessions import LiveSessions
from parlour.chat.model import Room, RoomEvent, RoomKind
from parlour.chat.service.heads import Heads
from parlour.chat.service.mark_writer import MarkWriter
from parlour.chat.service.membership import Memberships
from parlour.chat.service.messages import Messages
from parlour.chat.service.outbox import OutboxRelay
from parlour.chat.service.presence import Presence
from parlour.chat.service.read_markers import ReadMarkers
from parlour.chat.service.ready import Summaries
from parlour.chat.service.room_members import RoomMembers
from parlour.chat.service.room_sizes import room_sizes
from parlour.chat.service.rooms import Rooms
from parlour.chat.service.sync import Sync
from parlour.chat.service.typing_notices import TypingNotices
from parlour.chat.worker import Worker
from parlour.events.answers import connect_refusal, refusal
from parlour.platform.bus import MemoryBus
from parlour.platform.clock import SystemClock
from parlour.platform.contracts import SESSION_REVOKED, USER_CHANGED, Profile, SessionRevoked, UserChanged
from parlour.platform.ids import RoomId, SessionId, UserId, uuid7
from parlour.platform.permissions import Role
from parlour.platform.rates import RateLimits
from parlour.platform.sql import migrate, open_database
from parlour.platform.tokens import ISSUER, Claims, Principal, TokenVerifier
from parlour.realtime import Server

from ...unit.chat.doubles import FakeDirectory
from ..socketio_client import Client

PORTS = range(31_600, 31_700)


class WallClock:
    """The machine's clocks, movable forward."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> int:
        return time.time_ns() // 1_000_000 + int(self.offset * 1000)

    def monotonic(self) -> float:
        return time.monotonic()


class Keys:
    """One signing key."""

    def __init__(self) -> None:
        self.key = OKPKey.generate_key("Ed25519")

    def public_keys(self) -> dict[str, OKPKey]:
        return {"1": self.key}

    def sign(self, claims: Claims) -> str:
        header = {"alg": "EdDSA", "kid": "1"}
        return jws.serialize_compact(header, msgspec.json.encode(claims), self.key, algorithms=["EdDSA"])


class User:
    """Somebody with a session; `token()` makes as many access tokens as are asked for."""

    def __init__(self, keys: Keys, clock: WallClock, name: str, role: Role = Role.MEMBER) -> None:
        self.keys = keys
        self.clock = clock
        self.profile = Profile(UserId(uuid7()), name, name.title(), role)
        self.session_id = SessionId(uuid7())

    @property
    def id(self) -> UserId:
        return self.profile.id

    @property
    def principal(self) -> Principal:
        return Principal(self.id, self.session_id, self.profile.username, Role(self.profile.role), 2_000_000_000)

    def token(self, lifetime: float = 600, session_id: SessionId | None = None) -> str:
        now = self.clock.now() / 1000
        role = Role(self.profile.role)
        return self.keys.sign(
            Claims(
                ISSUER,
                self.id,
                session_id or self.session_id,
                self.profile.username,
                role,
                int(now),
                int(now + lifetime),
            )
        )


class Committed:
    """The `Fanout` of app.py: heads first."""

    def __init__(self, heads: Heads, channels: Channels) -> None:
        self._heads = heads
        self._channels = channels

    def committed(self, events: Sequence[RoomEvent], received: Sequence[float]) -> None:
        self._heads.committed(events)
        self._channels.committed(events, received)


class ChatServer:
    """One server with its services, open to tests."""

    def __init__(self, folder: Path, log: SqliteRoomLog, rates: dict[str, str] | None = None) -> None:
        self.clock = WallClock()
        self.keys = Keys()
        self.bus = MemoryBus()
        self.verifier = TokenVerifier(self.keys, self.clock)
        self.realtime = Server(refusal=refusal, connect_data=connect_refusal)
        namespace = self.realtime.of("/")
        self.channels = Channels(namespace)
        self.directory = FakeDirectory()
        self.database = open_database(f"sqlite:///{folder / 'parlour.db'}")
        self.store = SqlRoomStore(self.database)
        self.memberships = Memberships(self.store)
        self.marks = MarkWriter(self.store, self.memberships)
        self.log = log
        self.heads = Heads(log)
        self.broker = MemoryBroker()
        self.worker = Worker(log, Committed(self.heads, self.channels), self.heads.get)
        self.outbox = OutboxRelay(self.store, self.broker)
        limits = RateLimits(self.clock, rates)
        self.rooms = Rooms(
            self.store,
            memberships=self.memberships,
            directory=self.directory,
            outbox=self.outbox,
            rates=limits,
            clock=self.clock,
        )
        self.members = RoomMembers(
            self.store,
            rooms=self.rooms,
            memberships=self.memberships,
            heads=self.heads,
            directory=self.directory,
            outbox=self.outbox,
            rates=limits,
            clock=self.clock,
        )
        self.sessions = LiveSessions(self.verifier, self.clock)
        sizes = room_sizes(self.store, self.bus, self.clock)
        self.gateway = Gateway(
            namespace,
            self.channels,
            verifier=self.verifier,
            sessions=self.sessions,
            rates=limits,
            bus=self.bus,
            memberships=self.memberships,
            summaries=Summaries(self.log, self.directory, self.heads, self.clock, epoch="epoch"),
            messages=Messages(
                self.broker,
                self.log,
                self.memberships,
                self.directory,
                verifier=self.verifier,
                rates=limits,
                audience=self.channels.audience,
            ),
            sync=Sync(self.log, self.memberships, self.heads, limits),
            presence=Presence(MemoryPresence(), limits, self.channels.presence, grace=0.3, settle=0.02, calm=0.02),
            typing=TypingNotices(self.memberships, sizes, limits, self.channels.typing),
            reads=ReadMarkers(
                log=self.log,
                sizes=sizes,
                memberships=self.memberships,
                marks=self.marks,
                heads=self.heads,
                rates=limits,
                tell=self.channels.read,
                tell_unread=self.channels.unread,
            ),
        )
        self.owners: dict[RoomId, User] = {}
        self.url = ""

    def user(self, name: str, role: Role = Role.MEMBER) -> User:
        user = User(self.keys, self.clock, name, role)
        self.directory.all[user.id] = user.profile
        return user

    async def room(self, *members: User, kind: RoomKind = RoomKind.PRIVATE) -> Room:
        """Make a room with these members, the first its owner."""
        first, *others = members
        name = "" if kind is RoomKind.DIRECT else "lunch"
        membership, _ = await self.rooms.create(
            first.principal, kind, name, member_ids=[member.id for member in others]
        )
        self.owners[membership.room.id] = first
        return membership.room

    async def add(self, room: Room, user: User) -> None:
        """Have the room's owner add a member."""
        await self.members.add(self.owners[room.id].principal, room.id, user.id)

    async def remove(self, room: Room, user: User) -> None:
        """Have the room's owner remove a member."""
        await self.members.remove(self.owners[room.id].principal, room.id, user.id)

    async def connect(self, user: User, token: str | None = None) -> Client:
        """Connect and wait for `ready`."""
        client = await Client.connect(self.url, {"token": token or user.token()})
        await client.wait_for("ready")
        return client

    async def revoke(self, user: User, reason: str = "revoked") -> None:
        """What the auth service does when a session ends."""
        self.verifier.end_session(user.session_id, self.clock.now() + 600_000)
        revoked = SessionRevoked(user.id, [user.session_id], reason)
        await self.bus.publish(SESSION_REVOKED, msgspec.json.encode(revoked))

    async def change(self, user: User, *, role: str = "member", disabled: bool = False) -> None:
        """What the auth service tells of a changed account."""
        changed = UserChanged(user.id, user.profile.username, user.profile.display_name, role, disabled)
        await self.bus.publish(USER_CHANGED, msgspec.json.encode(changed))


@asynccontextmanager
async def running(folder: Path, rates: dict[str, str] | None = None) -> AsyncIterator[ChatServer]:
    """Serve from a folder on a port of this suite until the block ends."""
    server = ChatServer(folder, await SqliteRoomLog.open(folder / "messages.db", SystemClock()), rates)
    await migrate(server.database, "parlour.chat")
    tasks = [
        asyncio.create_task(server.broker.run(server.heads.follow(server.worker.handle))),
        asyncio.create_task(server.outbox.run()),
    ]
    server.gateway.start()
    with listening() as listener:
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            server.realtime.asgi,
            http=server.realtime.http_protocol(),
            ws=server.realtime.websocket_protocol(),
            loop="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
        )
        serving = uvicorn.Server(config)
        serve = asyncio.create_task(serving.serve(sockets=[listener]))
        try:
            yield server
        finally:
            await server.realtime.drain(within=0.02)
            await server.gateway.stop()
            serving.should_exit = True
            await serve
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.memberships.close()
            await server.marks.close()
            await server.log.close()
            await server.database.close()


@contextlib.contextmanager
def listening() -> Any:
    """Give a listening socket on a free port of this suite."""
    for port in random.sample(PORTS, len(PORTS)):
        listener = sockets.socket()
        listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()  # whoever connects before uvicorn accepts waits
        except OSError:
            listener.close()
            continue
        with listener:
            yield listener
        return
    raise RuntimeError(f"no port of {PORTS} is free")
