"""Sessions and users as they change, in a process without the auth service: asked of it while the bus cannot tell."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from parlour.platform.bus import Bus
from parlour.platform.clock import Clock
from parlour.platform.contracts import (
    CHANGES_PATH,
    SESSION_REVOKED,
    USER_CHANGED,
    Changes,
    ChangesWanted,
    SessionRevoked,
    UserChanged,
)
from parlour.platform.errors import Internal, Unavailable
from parlour.platform.ids import SessionId, UserId
from parlour.platform.looks import DAY, Looks
from parlour.platform.services import ServiceClient

logger = logging.getLogger(__name__)

_OVERLAP: Final = 60_000
"""Milliseconds by which each question goes back behind the last: a server that hangs is noticed late, a change carries the time at which
it began to be written, and the clocks of two machines differ."""


class ChangesWatch:
    """Asks the auth service every `interval` seconds while `connected()` is false, and once more after that and after each gap of the bus.

    What is new in an answer is published on the bus, which hands it to the handlers of this process at once, whether or not others
    can hear it. A change may be told twice, by the bus and from here; that it is told late or never ends with the next answer. A process
    that starts in an outage asks for all that may still matter. While the auth service is away too, nothing is learned, and the next
    answer has it. Bounded by one answer: what the last one held is remembered.
    """

    def __init__(
        self, auth: ServiceClient, bus: Bus, clock: Clock, connected: Callable[[], bool], *, interval: float = 0.5
    ) -> None:
        self._auth = auth
        self._bus = bus
        self._clock = clock
        self._connected = connected
        self._interval = interval
        self._looks = Looks(clock, _OVERLAP, back=DAY)
        self._due = False
        self._sessions: set[SessionId] = set()
        self._users: dict[UserId, UserChanged] = {}
        bus.on_gap(self._gap)

    async def run(self) -> None:
        """Look until cancelled, whatever happens."""
        failing = False
        while True:
            try:
                await self.look()
            except Exception as error:
                if not failing:
                    unexpected = not isinstance(error, (Unavailable, Internal))
                    logger.warning(
                        "the auth service does not tell what changed; it is asked again", exc_info=unexpected
                    )
                failing = True
            else:
                failing = False
            await asyncio.sleep(self._interval)

    async def look(self) -> None:
        """Ask where it is due, and tell what is new.

        Raises:
            Unavailable, Internal: the auth service does not answer; the next look asks for the same.
        """
        connected = self._connected()
        if connected and not self._due:
            self._looks = Looks(self._clock, _OVERLAP)  # everything up to now was heard
            return
        self._due = False  # a gap from now on asks once more
        look = self._looks.begin()
        try:
            await self._tell(
                await self._auth.call(CHANGES_PATH, ChangesWanted(max(0, look.since)), Changes, repeatable=True)
            )
            self._looks.done(look)
            self._due |= not connected
        except BaseException:
            self._due = True
            raise

    async def _tell(self, changes: Changes) -> None:
        sessions = {session_id for message in changes.sessions for session_id in message.session_ids}
        users = {user.user_id: user for user in changes.users}
        for message in changes.sessions:
            if ended := [session_id for session_id in message.session_ids if session_id not in self._sessions]:
                revoked = SessionRevoked(message.user_id, ended, message.reason, message.until)
                await self._bus.publish(SESSION_REVOKED, msgspec.json.encode(revoked))
        for user_id, user in users.items():
            if self._users.get(user_id) != user:
                await self._bus.publish(USER_CHANGED, msgspec.json.encode(user))
        self._sessions, self._users = sessions, users

    def _gap(self) -> None:
        self._due = True
