"""The roll of a cluster's sockets: every node says that it lives and which sockets it has, and the carrier of the calls listens."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from parlour.platform.bus import Bus, Unsubscribe
from parlour.platform.ids import UserId
from parlour.video.service.attendance import Attendance
from parlour.video.service.live import LiveCalls

ALIVE: Final = "calls.alive"
SOCKETS: Final = "calls.socket"
CENSUS: Final = "calls.census"

EVERY: Final = 1.0
"""Seconds between two signs of life, and between two questions for sockets that are missed."""

ALL_EVERY: Final = 10
"""Signs of life between two questions for all sockets of participants: what the bus lost is made good after so long."""

ASKED: Final = 500
"""Sockets in one message."""

_Name = Annotated[str, Meta(max_length=256)]
_Names = Annotated[list[_Name], Meta(max_length=ASKED)]


class Alive(msgspec.Struct, array_like=True):
    """A node lives, and perhaps carries the calls."""

    node_id: _Name
    carries: bool = False


class Sockets(msgspec.Struct, array_like=True):
    """Sockets of a node that are there, or gone; one that has just become `ready`, of `user_id`, may have to ring."""

    present: _Names = []
    gone: _Names = []
    ready: _Name = ""
    user_id: _Name = ""


class Census(msgspec.Struct, array_like=True):
    """Sockets whose nodes shall say whether they are there."""

    socket_ids: _Names


_alive = msgspec.msgpack.Decoder(Alive).decode
_sockets = msgspec.msgpack.Decoder(Sockets).decode
_census = msgspec.msgpack.Decoder(Census).decode


class Roll:
    """One node's part in it. `there(socket_id)` tells of this node's sockets; `connected()` whether other nodes can be heard."""

    def __init__(
        self,
        bus: Bus,
        node_id: str,
        there: Callable[[str], bool],
        *,
        carrier: Callable[[str], None],
        connected: Callable[[], bool] = lambda: True,
        every: float = EVERY,
    ) -> None:
        """`carrier(node_id)` hears every sign of life of the node that carries the calls."""
        self._carrier = carrier
        self._bus = bus
        self._node_id = node_id
        self._there = there
        self._connected = connected
        self._every = every
        self._carried: tuple[LiveCalls, Attendance] | None = None
        self._asks_all = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: list[Unsubscribe] = []

    def start(self) -> None:
        """Begin to listen."""
        self._subscriptions = [
            self._bus.subscribe(ALIVE, self._heard),
            self._bus.subscribe(SOCKETS, self._told),
            self._bus.subscribe(CENSUS, self._asked),
        ]

    def stop(self) -> None:
        """Listen no more."""
        for unsubscribe in self._subscriptions:
            unsubscribe()
        for task in self._tasks:
            task.cancel()

    async def run(self) -> None:
        """Say that this node lives, and as the carrier look after the others, until cancelled."""
        round_ = 0
        while True:
            self._live()
            if self._carried is not None:
                round_ = (round_ + 1) % ALL_EVERY
                self._look_after(self._carried[1], everybody=self._asks_all or round_ == 0)
            await asyncio.sleep(self._every)

    def carry(self, live: LiveCalls, attendance: Attendance) -> None:
        """Listen for the calls that this process carries from now on, and ask for the sockets that they had."""
        self._carried = (live, attendance)
        self._live()
        self._ask(attendance.missed())

    def leave(self) -> None:
        """Carry no more."""
        self._carried = None

    def gap(self) -> None:
        """Take in that something may not have been heard."""
        self._asks_all = True

    def ready(self, user_id: UserId, socket_id: str) -> None:
        """Tell of a socket of this node that has just connected."""
        self._say(SOCKETS, Sockets(ready=socket_id, user_id=user_id))

    def gone(self, socket_id: str) -> None:
        """Tell of one that is gone."""
        self._say(SOCKETS, Sockets(gone=[socket_id]))

    # The carrier

    def _look_after(self, attendance: Attendance, *, everybody: bool) -> None:
        if not self._connected():
            attendance.deaf()
        attendance.look()
        self._ask(attendance.missed())
        if everybody:
            self._asks_all = False
            self._ask(attendance.attached())

    def _ask(self, socket_ids: Sequence[str]) -> None:
        for begin in range(0, len(socket_ids), ASKED):
            self._say(CENSUS, Census(list(socket_ids[begin : begin + ASKED])))

    def _heard(self, payload: bytes) -> None:
        alive = _alive(payload)
        if alive.carries:
            self._carrier(alive.node_id)
        if self._carried is not None:
            self._carried[1].heard(alive.node_id)

    def _told(self, payload: bytes) -> None:
        if self._carried is None:
            return
        live, attendance = self._carried
        told = _sockets(payload)
        attendance.present(told.present)
        attendance.gone(told.gone)
        if told.ready:
            live.socket_ready(UserId(told.user_id), told.ready)

    # Every node

    def _live(self) -> None:
        self._say(ALIVE, Alive(self._node_id, self._carried is not None))

    def _asked(self, payload: bytes) -> None:
        mine = [each for each in _census(payload).socket_ids if each.startswith(self._node_id + ".")]
        present = [each for each in mine if self._there(each)]
        gone: Collection[str] = set(mine) - set(present)
        if mine:
            self._say(SOCKETS, Sockets(present, sorted(gone)))

    def _say(self, topic: str, message: msgspec.Struct) -> None:
        self._spawn(self._bus.publish(topic, msgspec.msgpack.encode(message)))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
