"""Calls in a cluster: one process carries them, the sockets and routes of every node reach it, and another takes over when it dies."""

import asyncio
import logging
from collections.abc import Callable, Collection

import msgspec

from parlour.platform.bus import Bus
from parlour.platform.clock import Clock
from parlour.platform.errors import ParlourError
from parlour.platform.ids import UserId
from parlour.video.events.desk import Asker
from parlour.video.events.forwarding import WAIT, Forwarding
from parlour.video.events.roll import EVERY, Roll
from parlour.video.ports import Claims
from parlour.video.service.attendance import Attendance
from parlour.video.service.calls import Calls
from parlour.video.service.carrying import Carrying, Sockets, Term
from parlour.video.service.live import LiveCalls

logger = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds before memberships are looked at again that could not be."""


class CarriedInCluster:
    """The `Carried` of a node among others."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        node_id: str,
        claim: Claims,
        term: Callable[[], Term],
        *,
        there: Callable[[str], bool],
        connected: Callable[[], bool] = lambda: True,
        wait: float = WAIT,
        every: float = EVERY,
    ) -> None:
        """Make a `term()` whenever this node gets the `claim`; `there(socket_id)` tells of this node's sockets, `connected()` of the bus.

        An answer is waited for `wait` seconds; the claim, signs of life and missed sockets are looked after every `every` seconds.
        """
        self._bus = bus
        self._clock = clock
        self._carrying = Carrying(claim, term, self._began, self._ended, every=every)
        self._forwarding = Forwarding(bus, node_id, self._calls, wait=wait)
        self._roll = Roll(bus, node_id, there, carrier=self._forwarding.carrier, connected=connected, every=every)
        self._started = asyncio.Event()
        self._check = asyncio.Event()
        self._checked: set[UserId] | None = set()  # whose memberships are to be looked at; None: everybody's

    @property
    def live(self) -> LiveCalls | None:
        """See Carried."""
        term = self._carrying.term
        return None if term is None else term.live

    def _calls(self) -> Calls | None:
        term = self._carrying.term
        return None if term is None else term.calls

    async def ask(self, name: str, asker: Asker, payload: msgspec.Struct) -> msgspec.Struct | msgspec.Raw:
        """See Carried."""
        return await self._forwarding.ask(name, asker, payload)

    def ready(self, user_id: UserId, socket_id: str) -> None:
        """See Carried."""
        live = self.live
        if live is not None:
            live.socket_ready(user_id, socket_id)
        else:
            self._roll.ready(user_id, socket_id)

    def gone(self, socket_id: str) -> None:
        """See Carried."""
        live = self.live
        if live is not None:
            live.socket_gone(socket_id)
        else:
            self._roll.gone(socket_id)

    def members_changed(self, user_ids: Collection[UserId]) -> None:
        """Take in that the rooms of users changed on some node: who is in a room no more is in its call no more."""
        if self.live is not None and self._checked is not None:
            self._checked |= set(user_ids)
            self._check.set()

    def _check_all(self) -> None:
        self._checked = None
        self._check.set()

    def _gap(self) -> None:
        self._roll.gap()
        self._check_all()

    async def start(self) -> None:
        """See Carried."""
        self._forwarding.start()
        self._roll.start()
        self._bus.on_gap(self._gap)
        await self._bus.settled()
        self._started.set()

    async def run(self) -> None:
        """Try to carry, say that this node lives, and look at memberships, until cancelled."""
        await self._started.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._carrying.run())
            tasks.create_task(self._roll.run())
            tasks.create_task(self._check_members())

    def drain(self) -> None:
        """Let another node carry the calls; what is asked here is forwarded to it."""
        self._carrying.stop()

    def stop(self) -> None:
        """See Carried."""
        self._carrying.stop()
        self._forwarding.stop()
        self._roll.stop()

    def _began(self, term: Term, missed: Sockets) -> None:
        self._roll.carry(term.live, Attendance(term.live, self._clock, missed))
        self._check_all()

    def _ended(self) -> None:
        self._roll.leave()

    async def _check_members(self) -> None:
        while True:
            await self._check.wait()
            self._check.clear()
            user_ids, self._checked = self._checked, set()
            calls = self._calls()
            try:
                if calls is not None:
                    await calls.recheck(user_ids)
            except ParlourError:
                logger.warning("memberships of people in calls could not be looked at", exc_info=True)
                self._check_all()
                await asyncio.sleep(RETRY)
