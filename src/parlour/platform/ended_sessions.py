"""Sessions that ended before their tokens: kept for nodes that could not hear of it when it happened."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import msgspec

from parlour.platform.bus import Bus, Unsubscribe
from parlour.platform.clock import Clock
from parlour.platform.contracts import SESSION_REVOKED, SESSIONS_RECALLED, SessionRevoked
from parlour.platform.errors import Unavailable
from parlour.platform.ids import SessionId
from parlour.platform.looks import DAY
from parlour.platform.tokens import TokenVerifier

logger = logging.getLogger(__name__)

_AGAIN: Final = 1.0


class EndedSessions(Protocol):
    """Which sessions ended while an access token of theirs may still be valid.

    What `add` returned from is in every later `all`, of any node, until its time; adding again is harmless, and the later time
    counts. Failure: `Unavailable`, never a driver's error; then it may or may not have been added. An engine that loses everything is
    filled again from the accounts database, which alone is certain.
    """

    async def add(self, session_ids: Iterable[SessionId], until: int) -> None:
        """Keep sessions until `until`, in ms since the epoch, when the last of their tokens has expired."""
        ...

    async def all(self) -> dict[SessionId, int]:
        """Return the sessions whose time is not over, and until when each is kept."""
        ...


class MemoryEndedSessions:
    """The `EndedSessions` of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[SessionId, int] = {}

    async def add(self, session_ids: Iterable[SessionId], until: int) -> None:
        """See EndedSessions."""
        self._until = await self.all()
        for session_id in session_ids:
            self._until[session_id] = max(until, self._until.get(session_id, 0))

    async def all(self) -> dict[SessionId, int]:
        """See EndedSessions."""
        now = self._clock.now()
        return {session_id: until for session_id, until in self._until.items() if until > now}


class EndedSessionsWatch:
    """Has a node refuse the sessions that end anywhere: at once by the bus, and by a look at all of them after a start or a gap.

    `end_sockets(session_ids, reason)` is called with those that were found by a look; closing twice is harmless. While the engine is
    away the node goes on with what it knows, and looks every second until it succeeds: a session that ended meanwhile is refused
    within a second or two of the engine's return, or when its access token expires.
    """

    def __init__(
        self,
        ended: EndedSessions,
        verifier: TokenVerifier,
        bus: Bus,
        clock: Clock,
        end_sockets: Callable[[Iterable[SessionId], str], None],
    ) -> None:
        self._ended = ended
        self._verifier = verifier
        self._bus = bus
        self._clock = clock
        self._end_sockets = end_sockets
        self._unsubscribe: list[Unsubscribe] = []
        self._due = asyncio.Event()
        bus.on_gap(self._due.set)

    async def run(self) -> None:
        """Look now and whenever it is due, until cancelled."""
        self._unsubscribe = [
            self._bus.subscribe(SESSION_REVOKED, self._revoked),
            self._bus.subscribe(SESSIONS_RECALLED, lambda _: self._due.set()),
        ]
        self._due.set()
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                try:
                    await self._bus.settled()
                    await self.look()
                except Unavailable:
                    self._due.set()
                    await asyncio.sleep(_AGAIN)
        finally:
            for unsubscribe in self._unsubscribe:
                unsubscribe()

    async def look(self) -> None:
        """Refuse every session that has ended, and close its sockets.

        Raises:
            Unavailable: they cannot be read now.
        """
        ended = await self._ended.all()
        for session_id, until in ended.items():
            self._verifier.end_session(session_id, until)
        self._end_sockets(ended, "revoked")

    def _revoked(self, payload: bytes) -> None:
        try:
            revoked = msgspec.json.decode(payload, type=SessionRevoked)
        except msgspec.MsgspecError:
            logger.warning("a malformed revocation was dropped")
            return
        until = revoked.until or self._clock.now() + DAY  # no access token lives longer
        for session_id in revoked.session_ids:
            self._verifier.end_session(session_id, until)
