"""Where the log of every room ends that somebody asked about, current without asking the log again."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from parlour.chat.model import Appended, NewEvent, RoomEvent, Tail
from parlour.chat.ports import RoomLog
from parlour.chat.service.batching import BatchLoader
from parlour.platform.errors import ParlourError
from parlour.platform.ids import RoomId

Work = Callable[[Sequence[NewEvent]], Awaitable[Sequence[Appended | ParlourError]]]


class SharedHeads(Protocol):
    """Where rooms end, remembered for a while for all processes that work their commands or read them.

    What `get` returns is not below any event whose commit was told of, by `committed`, before anybody heard of that event. It never goes
    back while it is remembered, whatever order raises come in. Where a raise is lost, heads may lag for seconds: nothing is lost by
    that, since whoever holds a later event asks the log (`Heads.sure`). Failure: nothing raises; what is not there is not returned.
    """

    async def get(self, room_ids: Sequence[RoomId]) -> dict[RoomId, Tail]:
        """Return where those rooms end that are remembered."""
        ...

    def begin(self) -> float:
        """Return what `put` takes, before the log is read."""
        ...

    async def put(self, tails: Mapping[RoomId, Tail], begun: float) -> None:
        """Remember what was read from the log since `begin` returned `begun`, where it is not lower than what is known."""
        ...

    def committed(self, tails: Mapping[RoomId, Tail]) -> None:
        """Raise the heads of rooms, before their events are told, at least to these: some may be of old events. Never waits."""
        ...


class Heads:
    """A bounded cache of heads, moved forward by every event that is committed.

    A head is never below that of an event which `committed` was told of before, since a head that was read from the log
    meanwhile only counts where it is higher. It holds for the rooms whose commands this process works: `follow`.

    Where others work commands of the same rooms, what this process remembers is only what it may not fall below: each time it is asked,
    it asks `shared`, which all raise, and the log for what is not there.
    """

    def __init__(self, log: RoomLog, *, capacity: int = 100_000, shared: SharedHeads | None = None) -> None:
        """Remember at most `capacity` rooms, about 300 bytes each."""
        self._log = log
        self._shared = shared
        self._capacity = capacity
        self._tails: OrderedDict[RoomId, Tail] = OrderedDict()
        self._forgotten = 0
        self._loader: BatchLoader[RoomId, Tail] = BatchLoader(self._fetch)

    def get(self, room_id: RoomId) -> int | None:
        """Return the head of a room, None where it is not in the cache, or may be another one by now."""
        tail = self._known(room_id)
        return None if tail is None else tail.seq

    async def of(self, room_ids: Iterable[RoomId]) -> dict[RoomId, int]:
        """Return the head of each room, 0 for one without events; what is not in the cache is loaded in one batch.

        Raises:
            Unavailable: the log is away.
        """
        return {room_id: tail.seq for room_id, tail in (await self.tails(room_ids)).items()}

    async def tails(self, room_ids: Iterable[RoomId]) -> dict[RoomId, Tail]:
        """Return the same with the times of those events.

        Raises:
            Unavailable: the log is away.
        """
        known = {room_id: self._known(room_id) for room_id in room_ids}
        missing = [room_id for room_id, tail in known.items() if tail is None]
        loaded = await self._loader.load_many(missing) if missing else {}
        return {room_id: loaded[room_id] if tail is None else tail for room_id, tail in known.items()}

    async def sure(self, room_ids: Sequence[RoomId]) -> dict[RoomId, int]:
        """Return the same as `of`, from the log where others work commands: for who holds an event past what `of` returned.

        Raises:
            Unavailable: the log is away.
        """
        if self._shared is None:
            return await self.of(room_ids)
        return {room_id: tail.seq for room_id, tail in (await self._read(room_ids)).items()}

    def committed(self, events: Sequence[RoomEvent]) -> None:
        """Move forward the heads of the rooms of `events`."""
        raised = {event.room_id: self._raise(event.room_id, Tail(event.seq, event.at)) for event in events}
        if self._shared is not None and raised:
            self._shared.committed(raised)

    def follow(self, work: Work) -> Work:
        """Return `work` for a `Broker`, which also moves the heads of its rooms, before anybody is answered.

        A repeat moves them too: its event may have been written by an attempt that seemed to fail. Where `work` raises, what
        it wrote is unknown, and so are the heads of its rooms.
        """

        async def followed(batch: Sequence[NewEvent]) -> Sequence[Appended | ParlourError]:
            try:
                answers = await work(batch)
            except BaseException:
                self._forget(command.room_id for command in batch)
                raise
            self._forget(
                command.room_id
                for command, answer in zip(batch, answers, strict=True)
                if not isinstance(answer, Appended)
            )
            self.committed([answer.event for answer in answers if isinstance(answer, Appended)])
            return answers

        return followed

    def _known(self, room_id: RoomId) -> Tail | None:
        return self._tails.get(room_id) if self._shared is None else None

    def _forget(self, room_ids: Iterable[RoomId]) -> None:
        for room_id in room_ids:
            self._forgotten += 1
            self._tails.pop(room_id, None)

    async def _fetch(self, room_ids: Sequence[RoomId]) -> dict[RoomId, Tail]:
        if self._shared is None:
            return await self._read(room_ids)
        found = await self._shared.get(room_ids)
        missing = [room_id for room_id in room_ids if room_id not in found]
        read = await self._read(missing) if missing else {}
        return {
            room_id: read[room_id] if room_id in read else self._floored(room_id, found[room_id])
            for room_id in room_ids
        }

    def _floored(self, room_id: RoomId, tail: Tail) -> Tail:
        known = self._tails.get(room_id)
        return known if known is not None and known.seq > tail.seq else tail

    async def _read(self, room_ids: Sequence[RoomId]) -> dict[RoomId, Tail]:
        while True:
            begun = self._shared.begin() if self._shared is not None else 0.0
            forgotten = self._forgotten
            found = await self._log.tails(room_ids)
            if self._forgotten == forgotten:
                break
        tails = {room_id: found.get(room_id, Tail()) for room_id in room_ids}
        if self._shared is None:
            return {room_id: self._raise(room_id, tail) for room_id, tail in tails.items()}
        tails = {room_id: self._floored(room_id, tail) for room_id, tail in tails.items()}
        await self._shared.put(tails, begun)
        return tails

    def _raise(self, room_id: RoomId, tail: Tail) -> Tail:
        known = self._tails.get(room_id)
        if known is not None and known.seq >= tail.seq:
            tail = known
        self._tails[room_id] = tail
        self._tails.move_to_end(room_id)
        if len(self._tails) > self._capacity:
            self._tails.popitem(last=False)
        return tail
