"""Writing events of another log as they are."""

import sqlite3
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from parlour.chat.adapters.log_entries import packed
from parlour.chat.adapters.sqlite_log.append import Appender, Command, Draft, checked
from parlour.chat.adapters.sqlite_log.rows import SEQ_BITS
from parlour.chat.fold import ON_MESSAGES
from parlour.chat.model import RoomEvent
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import EventId

_TAKEN = "SELECT id FROM events WHERE place = ?"


class Restorer(Appender):
    """An `Appender` that takes events which have their place, too."""

    def restore(self, events: Sequence[RoomEvent]) -> None:
        """Write those that are not there, in one transaction; returns once it is durable.

        Raises:
            InvalidRequest: one cannot stand in its place, or cannot be stored; nothing was written.
            sqlite3.Error: nothing was written, or (when the error came from the commit itself) perhaps all of it.
        """
        for event in events:
            packed(event.id)
        commands = [(checked(event), replace(event)) for event in events]  # a copy: folding may take its text
        execute = self._connection.execute
        self._rooms.clear()  # another process may have written; from here on none does
        execute("BEGIN IMMEDIATE")
        try:
            self._resolve([command for command, _ in commands])
            missing = [each for each in commands if self._is_missing(*each)]
            for stretch in _stretches(missing):
                self._fold(stretch)
            execute("COMMIT")
        except BaseException as error:
            self._rooms.clear()
            if self._connection.in_transaction:
                execute("ROLLBACK")
            if isinstance(error, sqlite3.IntegrityError):
                raise InvalidRequest("an event repeats another one of its room") from error
            raise

    def _is_missing(self, command: Command, event: RoomEvent) -> bool:
        room = self._rooms[command.room]
        if event.seq > room.head:
            if event.seq != room.head + 1:
                raise InvalidRequest(f"event {event.seq} does not go on where its room ends, at {room.head}")
            room.head = event.seq
            return True
        there = self._connection.execute(_TAKEN, (room.pk << SEQ_BITS | event.seq,)).fetchone()
        if not there or there[0] != packed(event.id):  # none: one of this very batch is about to take the place
            raise InvalidRequest(f"the log has another event {event.seq}")
        return False

    def _fold(self, stretch: Sequence[tuple[Command, RoomEvent]]) -> None:
        draft = Draft(0, self._targets([command for command, _ in stretch]))
        for command, event in stretch:
            draft.add(command, event, (self._rooms[command.room].pk, command.sender, command.client))
        for sql, parameters in draft.statements():
            self._connection.execute(sql, parameters)


def _stretches(events: Sequence[tuple[Command, RoomEvent]]) -> Iterator[list[tuple[Command, RoomEvent]]]:
    """Cut events so that none changes a message of its own stretch: those that it changes are looked up beforehand."""
    stretch: list[tuple[Command, RoomEvent]] = []
    ids: set[EventId] = set()
    for command, event in events:
        if event.type in ON_MESSAGES and event.data.get("message_id") in ids:
            yield stretch
            stretch, ids = [], set()
        stretch.append((command, event))
        ids.add(event.id)
    if stretch:
        yield stretch
