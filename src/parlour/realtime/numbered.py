"""Broadcasts that are numbered within their room: heard on every node in order, each once, and what was missed is fetched."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from parlour.realtime.cluster import Broadcast

logger = logging.getLogger(__name__)

MAX_MISSED = 500
"""Broadcasts of one room that are fetched; who misses more is told by the numbers and helps itself."""

MAX_HELD = 1_000
"""Broadcasts of one room that wait while what they follow is fetched; past it they go out without it."""

ROOMS_AT_ONCE = 500
"""Rooms whose last numbers are asked for together when everything is caught up."""

FETCHES_AT_ONCE = 20

RETRY = 1.0
"""Seconds after which what could not be fetched is looked for again."""


class Source(Protocol):
    """Where numbered broadcasts are kept: a log. Rooms are of one namespace. What it raises is logged, and costs that fetch alone."""

    async def last(self, rooms: list[str]) -> dict[str, int]:
        """Return the last number of each room, 0 where there is none."""
        ...

    async def broadcasts(self, room: str, after: int, upto: int) -> list[bytes]:
        """Return the frames of the broadcasts with after < number <= upto, in order and without a gap."""
        ...


class _Room:
    """What a node has heard of one room since its first local member joined."""

    __slots__ = ("delivered", "held", "known")

    def __init__(self) -> None:
        self.known: int | None = None  # the lowest number that somebody here began with
        self.delivered: int | None = None  # the last number that went to the members
        self.held: list[Broadcast] | None = None  # what waits while a fetch is under way

    @property
    def last(self) -> int | None:
        return self.known if self.delivered is None else self.delivered


class NumberedRooms:
    """Between what arrives from other nodes, or is emitted here, and the local members of one namespace.

    Numbers of a room count up by one. One that was delivered is not delivered again; one that leaves a gap is held until the gap is
    fetched; where that fails or is too wide, it goes out and the members see the gap. `catch_up` after the way between nodes was
    interrupted fetches what came last, which no later number tells of. Called on the event loop.
    """

    def __init__(self, deliver: Callable[[Broadcast], None], namespace: str, source: Source) -> None:
        self._deliver = deliver
        self._namespace = namespace
        self._source = source
        self._rooms: dict[str, _Room] = {}
        self._fetches: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(FETCHES_AT_ONCE)
        self._catching_up: asyncio.Task[None] | None = None
        self._again = False
        self._closed = False
        self._delivered: Callable[[Broadcast], None] = lambda _: None

    def on_delivered(self, listener: Callable[[Broadcast], None]) -> None:
        """Call `listener(broadcast)` after each that went to the members, before the next one of its room does: it may take some out."""
        self._delivered = listener

    def opened(self, room: str) -> None:
        """The first local member joined."""
        self._rooms[room] = _Room()

    def closed(self, room: str) -> None:
        """The last local member left."""
        self._rooms.pop(room, None)

    def known(self, room: str, number: int) -> None:
        """A member begins with everything up to `number`, which it got by other means."""
        state = self._rooms.get(room)
        if state is not None and state.delivered is None and (state.known is None or number < state.known):
            state.known = number

    def take(self, broadcast: Broadcast) -> None:
        """Deliver a broadcast in its place."""
        state = self._rooms.get(broadcast.rooms[0])
        if state is None:
            return
        if state.held is not None:
            state.held.append(broadcast)
            if len(state.held) > MAX_HELD:
                held, state.held = sorted(state.held, key=_number), None
                for each in held:
                    self._pass_on(state, each)
            return
        if state.delivered is not None and broadcast.number <= state.delivered:
            return
        last = state.last
        if last is not None and last + 1 < broadcast.number <= last + MAX_MISSED + 1:
            state.held = [broadcast]
            self._fetch(broadcast.rooms[0], state, last, broadcast.number - 1)
        else:
            self._pass_on(state, broadcast)

    def catch_up(self) -> None:
        """Look at the source for what the way between nodes may have lost, of every room with members here."""
        if self._catching_up is not None or self._closed:
            self._again = True
            return
        self._catching_up = asyncio.ensure_future(self._catch_up())

    async def close(self) -> None:
        """End what is under way."""
        self._closed = True
        tasks = [*self._fetches, *([self._catching_up] if self._catching_up else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _pass_on(self, state: _Room, broadcast: Broadcast) -> None:
        if state.delivered is None or broadcast.number > state.delivered:
            state.delivered = broadcast.number
            self._deliver(broadcast)
            try:
                self._delivered(broadcast)
            except Exception:  # it holds up no room
                logger.exception("what was delivered could not be looked at", extra={"room": broadcast.rooms[0]})

    def _fetch(self, room: str, state: _Room, after: int, upto: int) -> None:
        task = asyncio.ensure_future(self._fetched(room, state, after, upto))
        self._fetches.add(task)
        task.add_done_callback(self._fetches.discard)

    async def _fetched(self, room: str, state: _Room, after: int, upto: int) -> None:
        try:
            async with self._turns:
                frames = await self._source.broadcasts(room, after, upto)
        except Exception:
            logger.warning("what was missed of a room could not be fetched", exc_info=True, extra={"room": room})
            frames = []
            asyncio.get_running_loop().call_later(RETRY, self.catch_up)
        if self._rooms.get(room) is not state or state.held is None:
            return
        for number, frame in enumerate(frames, after + 1):
            self._pass_on(state, Broadcast(self._namespace, (room,), (), frame, number=number))
        held, state.held = sorted(state.held, key=_number), None
        for broadcast in held[:1]:  # it goes out even where what it follows could not be had
            self._pass_on(state, broadcast)
        for broadcast in held[1:]:
            self.take(broadcast)

    async def _catch_up(self) -> None:
        again = True
        while again:
            self._again = False
            rooms = list(self._rooms)
            for start in range(0, len(rooms), ROOMS_AT_ONCE):
                await self._look(rooms[start : start + ROOMS_AT_ONCE])
            again = self._again
        self._catching_up = None

    async def _look(self, rooms: list[str]) -> None:
        try:
            heads = await self._source.last(rooms)
        except Exception:
            logger.warning("rooms could not be caught up", exc_info=True, extra={"rooms": len(rooms)})
            await asyncio.sleep(RETRY)
            self._again = True
            return
        for room, head in heads.items():
            state = self._rooms.get(room)
            last = None if state is None else state.last
            if state is None or last is None or state.held is not None or head <= last:
                continue
            state.held = []
            self._fetch(room, state, last if head - last <= MAX_MISSED else head - 1, head)


def _number(broadcast: Broadcast) -> int:
    return broadcast.number
