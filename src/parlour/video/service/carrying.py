"""Which of several processes carries the calls: the one that holds the claim, for as long as it holds it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Final

import msgspec

from parlour.platform import metrics
from parlour.platform.errors import ParlourError
from parlour.video.model import Call, Participant
from parlour.video.ports import Claim, Claims
from parlour.video.service.calls import Calls
from parlour.video.service.journal import Journal
from parlour.video.service.live import LiveCalls

logger = logging.getLogger(__name__)

EVERY: Final = 1.0
"""Seconds between two attempts to get the claim, and between two looks whether it is held still."""


Sockets = Mapping[str, tuple[Call, Participant]]
"""Sockets, each with what it takes part in and as whom."""


class Term(msgspec.Struct):
    """What carries calls from the beginning to the end of a claim, or of a process that is alone."""

    live: LiveCalls
    calls: Calls
    journal: Journal


class Carrying:
    """Claims the calls for this process whenever nobody has them.

    Each term begins with what the store has and nothing of this process's memory. A claim that is lost ends the term at once and
    writes nothing more, for what another has written since would be overwritten; one that is given up is released when all is written.
    For up to `every` seconds after a loss, and some more where the database hangs, two may think that they carry: both tell sockets,
    but the log keeps one start and one end of each call.
    """

    def __init__(
        self,
        claim: Claims,
        term: Callable[[], Term],
        began: Callable[[Term, Sockets], None],
        ended: Callable[[], None],
        *,
        every: float = EVERY,
    ) -> None:
        """Make a `term()` for each claim. `began` hears of it, and of the sockets that participants had by what was kept."""
        self._claim = claim
        self._new_term = term
        self._began = began
        self._ended = ended
        self._every = every
        self._stopping = asyncio.Event()
        self.term: Term | None = None

    def stop(self) -> None:
        """Give up the claim soon, and make none any more; no deadline comes from now on."""
        self._stopping.set()
        if self.term is not None:
            self.term.live.pause()

    async def run(self) -> None:
        """Claim and carry until cancelled; what is left is written first."""
        complained = False
        while not self._stopping.is_set():
            try:
                claim = await self._claim()
                if claim is not None:
                    await self._hold(claim)
                complained = False
            except ParlourError:
                if not complained:  # once for each time that the engine is away
                    logger.warning("the calls cannot be claimed", exc_info=True)
                complained = True
            await self._pause()
        await asyncio.Event().wait()

    async def _hold(self, claim: Claim) -> None:
        try:
            term = self._new_term()
            kept = await term.journal.load()
        except BaseException:
            await claim.release()
            raise
        writing = asyncio.create_task(term.journal.run(), name="journal of calls")
        held = True
        try:
            self._begin(term, kept)
            while held and not self._stopping.is_set():
                await self._pause()
                held = await claim.held()
        finally:
            await _to_the_end(self._end(claim, term, writing, held=held))

    def _begin(self, term: Term, kept: Sequence[Call]) -> None:
        sockets = {
            participant.socket_id: (call, participant)
            for call in kept
            if call.ended_at is None
            for participant in call.participants.values()
            if participant.socket_id is not None
        }
        term.live.restore(kept)  # which forgets the sockets
        self.term = term
        logger.info("carrying calls", extra={"calls": len(term.live.registry)})
        self._began(term, sockets)
        term.live.ring_again()

    async def _end(self, claim: Claim, term: Term, writing: asyncio.Task[None], *, held: bool) -> None:
        self.term = None
        term.live.retire()
        self._ended()
        metrics.CALLS.set(0)
        if not held:
            logger.warning("calls are carried here no more: the claim is lost")
            term.journal.abandon()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await claim.release()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._every):
                await self._stopping.wait()


async def _to_the_end(work: Coroutine[object, object, None]) -> None:
    """Await `work`, which goes on when this is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
