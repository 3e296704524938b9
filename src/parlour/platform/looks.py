"""From when on changes must be looked for, so that none is left out however the wall clock is put."""

from typing import Final, NamedTuple

from parlour.platform.clock import Clock

DAY: Final = 86_400_000
"""Milliseconds before which nothing is looked for: no access token lives longer (`access_token_seconds`), nor what it let in."""

_STEP: Final = 1_000
"""Milliseconds by which a clock may be moved between two looks without being taken for one that was put: far below any overlap."""

_REMEMBERED: Final = 16


class Look(NamedTuple):
    """One look: at `at` (ms since the epoch) and `tick` (monotonic seconds) for what was changed at `since` (ms) or later."""

    since: int
    at: int
    tick: float
    lead: float
    """Milliseconds by which the wall clock was ahead of the monotonic one."""


class Looks:
    """Where each look for changes begins: `overlap` ms before the last one that was made with a clock to be believed.

    Changes carry the wall time of who made them. A clock that was put back had run ahead: what was looked at meanwhile began too late
    and is looked at again, as far back as before the clock was ahead. Time in which the monotonic clock stood still counts too.
    """

    def __init__(self, clock: Clock, overlap: int, *, back: int = 0) -> None:
        """Begin `back` ms before now."""
        self._clock = clock
        self._overlap = overlap
        at, tick = clock.now() - back, clock.monotonic() - back / 1_000
        self._first = Look(at, at, tick, at - 1_000 * tick)
        self._made: list[Look] = []

    def begin(self) -> Look:
        """Return the look that is due now."""
        at, tick = self._clock.now(), self._clock.monotonic()
        lead = at - 1_000 * tick
        while self._made and self._made[-1].lead > lead + _STEP:
            self._made.pop()
        last = self._made[-1] if self._made else self._first
        since = min(last.at, at - round(1_000 * (tick - last.tick))) - self._overlap
        return Look(max(since, at - DAY - self._overlap), at, tick, lead)

    def done(self, look: Look) -> None:
        """Take in that what `begin` returned last has succeeded."""
        if self._made and look.lead <= self._made[-1].lead + _STEP:
            # The lesser lead stays, so that many small steps are one large one.
            look = look._replace(lead=min(look.lead, self._made.pop().lead))
        self._made.append(look)
        del self._made[:-_REMEMBERED]  # then a clock that is put back makes the next look begin earlier, never later
