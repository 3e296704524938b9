"""Changes of membership between processes: who changed something tells the others, which read it again from the store."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence

import msgspec

from parlour.chat.model import EventType, RoomEvent
from parlour.chat.service.membership import Memberships
from parlour.chat.service.shared_memberships import MembershipValues, SharedMemberships, make_void
from parlour.platform.bus import Bus
from parlour.platform.errors import ParlourError
from parlour.platform.ids import RoomId, UserId

logger = logging.getLogger(__name__)

MEMBERSHIP_CHANGED = "membership.changed"

GATHER = 0.005
"""Seconds over which changes are told in one message."""

DISTRUST = 0.3
"""Seconds between two invalidations of everything while the bus is away: with the time after which a bus that hangs counts as away,
0.6 s, within the second that a permission may be stale."""

ANOTHER_LOOK = 0.02
"""Seconds after which the bus is away still: a loop that was held up has yet to hear what came meanwhile."""

PATIENCE = 0.3
"""Seconds for which news wait until what is shared is cleared: a permission may be stale for one."""

RETRY = 1.0


class MembershipsChanged(msgspec.Struct):
    """Users of whose memberships something changed, and rooms whose name, topic or kind did.

    `cleared` tells that what nodes share has nothing of before any more.
    """

    user_ids: list[UserId]
    room_ids: list[RoomId]
    cleared: bool = False


class MembershipNews:
    """Tells every process, this one included, of whose memberships something changed.

    A change names users and rooms and no values: whoever hears of it reads the store, so that messages that overtake each other, or
    come twice, leave the same. It is told twice: at once by the process that made it, and by the worker that puts its event into the
    log, which is repeated until it is done; so a process that dies in between leaves nobody behind, though its outbox may wait for up to
    30 s for another one. What nodes share, `values`, is cleared of it first.
    """

    def __init__(self, bus: Bus, values: MembershipValues | None = None) -> None:
        self._bus = bus
        self._values = values
        self._users: set[UserId] = set()
        self._rooms: set[RoomId] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def changed(self, user_id: UserId | None, room_id: RoomId) -> None:
        """Tell of a user of a room, or without one of the room itself, soon."""
        if user_id is None:
            self._rooms.add(room_id)
        else:
            self._users.add(user_id)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER, self._tell)

    def committed(self, events: Sequence[RoomEvent]) -> None:
        """Tell of what is in the log now."""
        for event in events:
            match event.type:
                case EventType.MEMBER_JOINED | EventType.MEMBER_LEFT:
                    self.changed(UserId(str(event.data.get("user_id"))), event.room_id)
                case EventType.ROOM_UPDATED:
                    self.changed(None, event.room_id)
                    for user_id in event.data.get("roles", {}):
                        self.changed(UserId(user_id), event.room_id)

    async def stop(self) -> None:
        """Tell what is left to be told."""
        if self._timer is not None:
            self._timer.cancel()
            self._tell()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _tell(self) -> None:
        self._timer = None
        message = MembershipsChanged(sorted(self._users), sorted(self._rooms))
        self._users, self._rooms = set(), set()
        task = asyncio.ensure_future(self._clear_and_publish(message))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _clear_and_publish(self, message: MembershipsChanged) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                message.cleared = await make_void(self._values, message.user_ids, message.room_ids)
        except TimeoutError:  # it waits for its turn: whoever hears of it can be told at once
            message.cleared = False
        await self._bus.publish(MEMBERSHIP_CHANGED, msgspec.msgpack.encode(message))


class MembershipFeed:
    """Keeps the `Memberships` of this process in step with the others', whose `MembershipNews` it hears.

    While the bus is known to be away nothing in the cache is trusted for longer than a second, and everything is read again all the
    time; once more when it is back.
    """

    def __init__(
        self,
        bus: Bus,
        memberships: Memberships,
        *,
        trusted: Callable[[], bool] = lambda: True,
        shared: SharedMemberships | None = None,
    ) -> None:
        """`trusted()` tells whether the bus is there; `shared` is what `memberships` are read through."""
        self._bus = bus
        self._shared = shared
        self._memberships = memberships
        self._trusted = trusted
        self._tasks: set[asyncio.Task[None]] = set()
        self._stale: set[UserId] = set()
        self._refreshing: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to listen. What was told before is not known, and may not have been deleted from what is shared."""
        if self._shared is not None:
            self._shared.doubt_all()
        self._unsubscribe = self._bus.subscribe(MEMBERSHIP_CHANGED, self._heard)

    async def run(self) -> None:
        """Distrust the cache while the bus is away, and read it again, until cancelled."""
        while True:
            await asyncio.sleep(DISTRUST)
            if not self._trusted():
                await asyncio.sleep(ANOTHER_LOOK)
                if not self._trusted():
                    self._refresh_soon(self._memberships.distrust())

    async def stop(self) -> None:
        """Stop listening, and what is under way."""
        self._unsubscribe()
        if self._refreshing is not None:
            self._refreshing.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def gap(self) -> None:
        """Read everything again: something may not have been heard."""
        if self._shared is not None:
            self._shared.doubt_all()
        self._refresh_soon(self._memberships.invalidate())

    def left(self, user_id: UserId, room_id: RoomId) -> None:
        """Find out whether a user, whose sockets hear a room no more since its log tells that they left it, is in it again."""
        if self._shared is not None:  # what nodes share may be of before: the message that clears it need not have come
            self._shared.doubt([user_id], [])
        self._refresh_soon(self._memberships.left(user_id, room_id))

    def _heard(self, payload: bytes) -> None:
        changed = msgspec.msgpack.decode(payload, type=MembershipsChanged)
        if self._shared is not None and not changed.cleared:
            self._shared.doubt(changed.user_ids, changed.room_ids)
        if changed.room_ids:
            self._spawn(self._refresh_rooms(changed.room_ids))
        self._refresh_soon(self._memberships.invalidate(changed.user_ids))

    def _refresh_soon(self, user_ids: set[UserId]) -> None:
        """Have users loaded, so that their sockets hear the rooms that they are in and no others."""
        self._stale |= user_ids
        if self._stale and self._refreshing is None:
            self._refreshing = self._spawn(self._refresh())

    async def _refresh(self) -> None:
        try:
            while self._stale:
                some = sorted(self._stale)[:500]
                try:
                    self._stale.difference_update(some)
                    await self._memberships.load_many(some)
                except ParlourError:
                    self._stale.update(some)
                    logger.warning(
                        "memberships could not be read again", exc_info=True, extra={"users": len(self._stale)}
                    )
                    await asyncio.sleep(RETRY)
        finally:
            self._refreshing = None

    async def _refresh_rooms(self, room_ids: list[RoomId]) -> None:
        while True:
            try:
                await self._memberships.refresh_rooms(room_ids)
            except ParlourError:
                logger.warning("rooms could not be read again", exc_info=True, extra={"rooms": len(room_ids)})
                await asyncio.sleep(RETRY)
            else:
                return

    def _spawn(self, coroutine: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
