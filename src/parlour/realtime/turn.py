"""What is said within one turn of the event loop, written once to each connection.

Packets are queued as (target, frames) and flushed by one `call_soon`. A target is one connection or the members of a room.
Order is exact per connection: what two targets have for the same connection is merged in the order in which it was queued.
With a single target, or several rooms that share no member, the frames are joined once and one loop writes them (send_all.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from operator import attrgetter
from time import monotonic
from typing import Any, Protocol

from parlour.realtime.observer import Observer
from parlour.realtime.send_all import send_all

logger = logging.getLogger(__name__)

_descriptor = attrgetter("descriptor")

_FEW = 6
"""With fewer members than this, the call of the loop in C costs more than it saves."""


class Outlet(Protocol):
    """Where frames go: a connection. Hashed by identity."""

    def __hash__(self) -> int: ...

    write: Callable[[bytes | memoryview], object]
    """Writes frames; a view only where `descriptor` has taken a part of them."""

    descriptor: int
    """The socket that may be written to past `write`, as nothing waits before it; negative when there is none.

    Where the turn makes it so, the next `write` puts it back.
    """
    writable: bool
    pending: Any  # owned by the turn: None, a Run, or a tuple of Runs

    def write_failed(self, exc: Exception) -> None:
        """`write` raised; must not change the membership of any room before the next turn."""


class Run:
    """The frames of one target in one turn, each with its place in the turn."""

    __slots__ = ("_joined", "direct", "frames", "members", "volatile")

    def __init__(self, members: Collection[Outlet], volatile: bool, direct: bool) -> None:
        self.members = members
        self.direct = direct
        self.volatile = volatile
        self.frames: list[tuple[int, bytes]] = []
        self._joined: bytes | None = None

    def joined(self) -> bytes:
        """All frames as one buffer, made once."""
        if self._joined is None:
            self._joined = _join(self.frames)
        return self._joined


def _join(frames: list[tuple[int, bytes]]) -> bytes:
    return frames[0][1] if len(frames) == 1 else b"".join([frame for _, frame in frames])


def _merged(runs: tuple[Run, ...]) -> bytes:
    return _join(sorted(frame for run in runs for frame in run.frames))


class Turn:
    """The queue of the current turn. `call_soon` plans the flush on the running loop."""

    __slots__ = ("_call_soon", "_count", "_observer", "_runs", "_since")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object], observer: Observer) -> None:
        self._call_soon = call_soon
        self._observer = observer
        self._runs: dict[Hashable, Run] = {}
        self._since: list[float] = []
        self._count = 0

    def send(self, outlet: Outlet, frames: bytes) -> None:
        """Queues frames for one connection."""
        run = self._runs.get(outlet)
        if run is None:
            run = self._begin(outlet, (outlet,), volatile=False, direct=True)
        self._count += 1
        run.frames.append((self._count, frames))

    def send_many(
        self, key: Hashable, members: Collection[Outlet], frames: bytes, *, volatile: bool = False, since: float = 0.0
    ) -> None:
        """Queues frames for `members`, which must stay as they are until the flush. `key` stands for (members, volatile).

        `since`, a `time.monotonic()`, asks for the latency from then to the write.
        """
        run = self._runs.get(key)
        if run is None:
            run = self._begin(key, members, volatile, direct=False)
        self._count += 1
        run.frames.append((self._count, frames))
        if since:
            self._since.append(since)

    def _begin(self, key: Hashable, members: Collection[Outlet], volatile: bool, direct: bool) -> Run:
        if not self._runs:
            self._call_soon(self.flush)
        run = self._runs[key] = Run(members, volatile, direct)
        return run

    def flush(self) -> None:
        """Writes what is queued. Called by the loop, and before any change of a room's members."""
        runs = self._runs
        if not runs:
            return
        self._runs = {}
        self._count = 0
        if len(runs) == 1:
            (run,) = runs.values()
            members = self._ready(run)
            _write_all(members, run)
            self._observer.delivered(len(members) * len(run.frames), len(members) * len(run.joined()))
        else:
            direct: list[Run] = []
            many: list[Run] = []
            for run in runs.values():
                (direct if run.direct else many).append(run)
            if _apart(many):
                self._write_apart(direct, many)
            else:
                self._write_merged(runs.values())
        if self._since:
            now = monotonic()
            for since in self._since:
                self._observer.latency(now - since)
            self._since.clear()

    def _ready(self, run: Run) -> Collection[Outlet]:
        if not run.volatile:
            return run.members
        ready = [member for member in run.members if member.writable]
        if len(ready) < len(run.members):
            self._observer.dropped((len(run.members) - len(ready)) * len(run.frames))
        return ready

    def _write_apart(self, direct: Collection[Run], many: Collection[Run]) -> None:
        """Writes targets of which no two share a member, but for those that have something of their own as well."""
        for run in direct:
            for outlet in run.members:
                outlet.pending = run
                outlet.descriptor = -1
        packets = n_bytes = 0
        for run in many:
            packets += len(run.members) * len(run.frames)
            n_bytes += len(run.members) * len(run.joined())
            _write_all(run.members, run)
        for run in direct:
            packets += len(run.frames)
            n_bytes += len(run.joined())
            for outlet in run.members:
                if outlet.pending is not None:
                    outlet.pending = None
                    _write(outlet, run.joined())
        self._observer.delivered(packets, n_bytes)

    def _write_merged(self, runs: Iterable[Run]) -> None:
        touched: list[Outlet] = []
        packets = 0
        for run in runs:
            members = self._ready(run)
            packets += len(members) * len(run.frames)
            for member in members:
                pending = member.pending
                if pending is None:
                    member.pending = run
                    touched.append(member)
                elif type(pending) is tuple:
                    member.pending = (*pending, run)
                else:
                    member.pending = (pending, run)
        alike: dict[Run | tuple[Run, ...], list[Outlet]] = {}
        for member in touched:
            alike.setdefault(member.pending, []).append(member)
            member.pending = None
        n_bytes = 0
        for pending, members in alike.items():
            data = pending.joined() if isinstance(pending, Run) else _merged(pending)
            n_bytes += len(members) * len(data)
            for member, rest in _send(members, data):
                _write(member, rest)
        self._observer.delivered(packets, n_bytes)


def _apart(runs: Iterable[Run]) -> bool:
    """Whether no two runs share a member: found by sets, which costs a fifteenth of looking at each member in Python."""
    seen: set[Outlet] = set()
    for run in runs:
        if run.volatile or not seen.isdisjoint(run.members):
            return False
        seen.update(run.members)
    return True


def _write_all(members: Collection[Outlet], run: Run) -> None:
    """Writes the frames of `run` to each member, together with what else is pending for it."""
    for member, rest in _send(members, run.joined()):
        own = member.pending
        if own is None:
            _write(member, rest)
        else:
            member.pending = None
            _write(member, rest if own is run else _merged((run, own)))


def _send(members: Collection[Outlet], data: bytes) -> Iterator[tuple[Outlet, bytes | memoryview]]:
    """Sends `data` to the descriptors of `members`; yields who has not taken all of it, with the rest, to be written.

    Whoever asks must not raise in between, or who took a part would never get the rest. The rests are views of the same bytes: a
    thousand slow readers hold them once.
    """
    if len(members) < _FEW:
        for member in members:
            yield member, data
        return
    taken = send_all(map(_descriptor, members), data)
    if taken is not None:
        size = len(data)
        view = memoryview(data)
        for member, sent in zip(members, taken, strict=True):
            if sent != size:
                yield member, view[sent:] if sent else data


def _write(member: Outlet, data: bytes | memoryview) -> None:
    try:
        member.write(data)
    except Exception as exc:
        member.write_failed(exc)
