"""The people of a run: stock clients in one process of Node, and how far they are."""

import json
import os
import time
from typing import Any, NamedTuple, NoReturn

import pytest

from ..e2e.parlour_server import NodeScript
from ..e2e.test_no_loss import told_in
from .cluster import Cluster
from .diagnosis import diagnosis
from .office import ROUND, Office

STILL = 90.0
"""Seconds in which nothing moves, of somebody who is waited for: then it never will."""
PATIENCE = 240.0
"""Seconds after which somebody who is not served again counts as lost, whatever else moves."""
EXPLAINED = 20.0
"""Seconds that the clients have to say what they wait for."""


class Progress(NamedTuple):
    """How far the people are; `…_after` are seconds from the mark until all were back, or served, None where they are not yet."""

    marks: int = -1
    back: int = 0
    served: int = 0
    acked: int = 0
    back_after: float | None = None
    served_after: float | None = None


class Recovery(NamedTuple):
    """Seconds from a fault's end until all had a socket again, until all who waited had an acknowledgement, until the office went on."""

    back: float
    served: float
    office: float


class Clients:
    """They send, until they are told to stop."""

    def __init__(self, script: NodeScript, cluster: Cluster, office: Office, users: int) -> None:
        """Take the script as it was started, with so many `users`."""
        self._script = script
        self._office = office
        self._cluster = cluster
        self._users = users
        self._marks = 0

    def progress(self) -> Progress:
        """Return what the clients said last of themselves."""
        with self._script.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4_000))
            lines = log.read().splitlines()[:-1]
        for line in reversed(lines):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if said.pop("event", None) == "progress":
                return Progress(**said)
        return Progress()

    def until_served(self, acked: int) -> Recovery:
        """Wait until everybody is, until so many messages were acknowledged in all, and until the office went once through all it does.

        Engines that ended are started again; the time counts from then on, for it is their own. What never comes fails the test, with
        what is known of who waits for what.
        """
        began = moved = marked = self._mark()
        office: float | None = None
        steps = self._office.steps
        before: tuple[Progress, list[int]] = Progress(), []
        while True:
            assert self._script.process.poll() is None, self._script.log.read_text()[-3000:]
            if self._cluster.supervisor.look():
                marked, steps, office = self._mark(), self._office.steps, None
            now, at = self.progress(), time.monotonic()
            done = self._office.steps
            if office is None and all(after >= at_mark + ROUND for at_mark, after in zip(steps, done, strict=True)):
                office = at - marked
            marks, _, _, all_acked, back, served = now
            if marks == self._marks and back is not None and served is not None and office is not None:
                if all_acked >= acked:
                    return Recovery(round(back, 2), round(served, 2), round(office, 2))
            elif at - began > PATIENCE:
                self._fail(f"not all are served after {PATIENCE:.0f} s: {now}")
            if self._office.wrong:
                self._fail("somebody was told what cannot be")
            if (now, done) != before:
                before, moved = (now, done), at
            if at - moved > STILL:
                self._fail(f"nothing moves for {STILL:.0f} s, {acked} are to be acknowledged: {now}")
            time.sleep(0.05)

    def histories(self) -> list[dict[str, Any]]:
        """Have them empty their outboxes, catch up, and tell what they did and saw."""
        self._script.tell("stop")
        deadline = time.monotonic() + PATIENCE
        while self._script.process.poll() is None:
            if time.monotonic() > deadline:
                self._fail(f"the clients do not end within {PATIENCE:.0f} s: {self.progress()}")
            self._cluster.supervisor.look()
            time.sleep(0.1)
        assert self._script.process.returncode == 0, self._script.log.read_text()[-3000:]
        with self._script.log.open() as said:
            return told_in(json.loads(line) for line in said)

    def _mark(self) -> float:
        self._script.tell("mark")
        self._marks += 1
        return time.monotonic()

    def _fail(self, why: str) -> NoReturn:
        waiting = self._unsettled()
        office = [*self._office.doing, *self._office.wrong]
        told = diagnosis(self._cluster, why, waiting, office)
        first = "\n".join([*office, *(json.dumps(each) for each in waiting[:3])])
        pytest.fail(f"{why}\n{len(waiting)} of {self._users} wait; all of it is in {told}. The first:\n{first}")

    def _unsettled(self) -> list[dict[str, Any]]:
        """What those wait for who wait."""
        place = self._script.log.stat().st_size
        self._script.tell("explain")
        deadline = time.monotonic() + EXPLAINED
        said: list[dict[str, Any]] = []
        while time.monotonic() < deadline and not any(each.get("event") == "explained" for each in said):
            time.sleep(0.1)
            with self._script.log.open("rb") as log:
                log.seek(place)
                said = [told for line in log.read().splitlines() if (told := _read(line)) is not None]
        return [each for each in said if each.get("event") == "unsettled"]


def _read(line: bytes) -> dict[str, Any] | None:
    """What a line says; None of one that is cut."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
