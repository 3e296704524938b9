"""Appending to the room log: repeats, places, the overlay of what changed, all in one transaction a batch.

A batch of new messages is one statement, which is a transaction by itself; each further kind of change adds one. Every
statement lets go of the interpreter lock some three times, and a busy loop gives it back late each time.

The statement fails where the batch holds a repeat (a trigger finds it) or builds on something old: whoever wrote to one
of the rooms in between took the place that this batch was about to take. Then it is done again with a closer look.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from parlour.chat.adapters.log_entries import data_json, mentioned, packed, unhex
from parlour.chat.adapters.sqlite_log.rows import (
    BARE_JSON,
    CODES,
    CREATED,
    EVENT_JSON,
    SEQ_BITS,
    SEQ_MASK,
    decode_rows,
    joined_ids,
    overlay_of,
    repeat_hash,
    with_rows,
)
from parlour.chat.fold import ON_MESSAGES, apply_to_message, created
from parlour.chat.model import Appended, EventType, Message, NewEvent, RoomEvent
from parlour.platform.clock import Clock
from parlour.platform.ids import EventId, UserId, is_uuid, uuid7

CHUNK = 128
"""Rows of one INSERT; there is a cached statement for each number of rows up to it."""

_ATTEMPTS = 10
"""Other processes may win a room's next place that often in a row before the batch is given up."""

_CACHED_ROOMS = 100_000

_Statement = tuple[str, Sequence[Any]]
_Key = tuple[int, bytes, bytes]
_Reaction = tuple[int, str, bytes]
_REACTIONS = frozenset({EventType.REACTION_ADDED, EventType.REACTION_REMOVED})

_REPEATS = f"""
SELECT group_concat({EVENT_JSON} || ']') FROM events e JOIN rooms r ON r.pk = e.place >> {SEQ_BITS}
WHERE e.repeat IN (SELECT value FROM json_each(?)) GROUP BY NULL
"""
_TARGETS = f"""
SELECT group_concat({BARE_JSON}) FROM events e JOIN rooms r ON r.pk = e.place >> {SEQ_BITS}
LEFT JOIN overlay o ON o.pk = e.pk
WHERE e.id IN (SELECT substr(?1, 1 + 16 * key, 16) FROM json_each(?2)) AND e.type = {CREATED} GROUP BY NULL
"""
_REACTED = """
SELECT json_group_array(json_array(x.message, x.emoji, hex(x.user))) FROM json_each(?2) w CROSS JOIN reactions x
ON x.message = json_extract(w.value, '$[0]') AND x.emoji = json_extract(w.value, '$[1]')
    AND x.user = substr(?1, 1 + 16 * w.key, 16)
"""
_UNREACT = """
DELETE FROM reactions WHERE (message, emoji, user) IN (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), substr(?1, 1 + 16 * key, 16) FROM json_each(?2)
)
"""
_ROOMS = f"""
SELECT group_concat('["' || hex(r.id) || '",' || r.pk || ',' || coalesce((
    SELECT place & {SEQ_MASK} FROM events
    WHERE place BETWEEN r.pk << {SEQ_BITS} AND r.pk << {SEQ_BITS} | {SEQ_MASK} ORDER BY place DESC LIMIT 1
), 0) || ']')
FROM rooms r WHERE r.id IN (SELECT substr(?1, 1 + 16 * key, 16) FROM json_each(?2)) GROUP BY NULL
"""
_REDACT = """
UPDATE events SET data = json_remove(data, '$.text', '$.mentions', '$.mentions_room')
WHERE pk = ?1 OR place IN (SELECT place FROM edits WHERE message = ?1)
"""


class Command(NamedTuple):
    """What is to be written, checked, with its ids as they are stored."""

    event: NewEvent | RoomEvent
    room: bytes
    sender: bytes
    client: bytes
    data: str


class _Room:
    __slots__ = ("head", "pk")

    def __init__(self, pk: int, head: int) -> None:
        self.pk = pk
        self.head = head


class _Target:
    """A message that the batch may change: as it was before the batch, and as it is after the last event so far."""

    __slots__ = ("before", "now", "pk", "place")

    def __init__(self, pk: int, place: int, message: Message) -> None:
        self.pk = pk
        self.place = place
        self.before = self.now = message


class Appender:
    """Writes batches on one connection, from one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._rooms: dict[bytes, _Room] = {}

    def append(self, batch: Sequence[NewEvent]) -> list[Appended]:
        """Append a batch; returns once it is durable.

        Raises:
            InvalidRequest: an id is no UUID, or `data` is no JSON; nothing was written.
            sqlite3.Error: nothing was written, or (when the error came from the commit itself) perhaps all of it.
        """
        commands = [checked(event) for event in batch]
        known: dict[_Key, RoomEvent] | None = None
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._attempt(commands, known or {})
            except sqlite3.IntegrityError as error:
                if attempt == _ATTEMPTS:
                    raise
                if error.sqlite_errorname == "SQLITE_CONSTRAINT_TRIGGER":
                    known = self._repeats(commands)
                else:  # another process has appended to one of the rooms
                    self._rooms.clear()
            except BaseException:
                self._rooms.clear()
                raise
        raise AssertionError("unreachable")

    def _attempt(self, commands: Sequence[Command], repeats: dict[_Key, RoomEvent]) -> list[Appended]:
        rooms = self._resolve(commands)
        known = dict(repeats)
        draft = Draft(self._clock.now(), self._targets(commands))
        heads: dict[bytes, int] = {}
        answers: list[Appended] = []
        for command, event_id in zip(commands, uuid7.many(len(commands)), strict=True):
            key = (rooms[command.room].pk, command.sender, command.client)
            earlier = known.get(key)
            if earlier is not None:
                answers.append(Appended(earlier, repeated=True))
                continue
            seq = heads.get(command.room, rooms[command.room].head) + 1
            heads[command.room] = seq
            event = draft.place(command, event_id, key, seq)
            known[key] = event
            answers.append(Appended(event))
        self._write(draft.statements())
        for room, head in heads.items():
            rooms[room].head = head
        return answers

    def _resolve(self, commands: Sequence[Command]) -> dict[bytes, _Room]:
        unknown = {each.room: each.event.room_id for each in commands if each.room not in self._rooms}
        if unknown:
            if len(self._rooms) > _CACHED_ROOMS:
                self._rooms.clear()
                unknown = {each.room: each.event.room_id for each in commands}
            parameters = joined_ids(unknown.values())
            found = self._one(_ROOMS, parameters)
            if found.count("[") < len(unknown):
                self._connection.execute(
                    "INSERT OR IGNORE INTO rooms (id) SELECT substr(?1, 1 + 16 * key, 16) FROM json_each(?2)",
                    parameters,
                )
                found = self._one(_ROOMS, parameters)
            for digits, pk, head in json.loads("[" + found + "]"):
                self._rooms[bytes.fromhex(digits)] = _Room(pk, head)
        return self._rooms

    def _repeats(self, commands: Sequence[Command]) -> dict[_Key, RoomEvent]:
        rooms = self._resolve(commands)
        hashes = [repeat_hash(*(rooms[each.room].pk, each.sender, each.client)) for each in commands]
        found = self._one(_REPEATS, ("[" + ",".join(map(str, hashes)) + "]",))
        known: dict[_Key, RoomEvent] = {}
        for row in sorted(decode_rows(found), key=lambda each: each.pk, reverse=True):
            room = self._rooms.get(bytes.fromhex(row.room))
            if room is not None:  # else the hash is all that it has in common
                known[(room.pk, bytes.fromhex(row.sender), bytes.fromhex(row.client))] = row.event()
        return known

    def _targets(self, commands: Sequence[Command]) -> dict[EventId, _Target]:
        wanted = {each.event.data.get("message_id") for each in commands if each.event.type in ON_MESSAGES}
        ids = [each for each in wanted if isinstance(each, str) and is_uuid(each)]
        if not ids:
            return {}
        targets: dict[EventId, _Target] = {}
        for row in decode_rows(self._one(_TARGETS, joined_ids(ids))):
            message = row.message()
            room = self._rooms.get(bytes.fromhex(row.room))
            if room is not None:  # else it is of another room than the event that names it
                targets[message.id] = _Target(row.pk, room.pk << SEQ_BITS | row.seq, message)
        self._load_reactions(commands, targets)
        return targets

    def _load_reactions(self, commands: Sequence[Command], targets: dict[EventId, _Target]) -> None:
        """Give the targets those reactions that the batch is about, and no others: what is decided by them is the same."""
        asked = [
            (target, each.event.data["emoji"], each.sender)
            for each in commands
            if each.event.type in _REACTIONS and (target := targets.get(each.event.data.get("message_id", "")))
        ]
        if not asked:
            return
        found = json.loads(self._one(_REACTED, _as_parameters((each.pk, emoji, user) for each, emoji, user in asked)))
        there = {(pk, emoji, bytes.fromhex(user)) for pk, emoji, user in found}
        for target, emoji, user in asked:
            if (target.pk, emoji, user) in there:
                there.remove((target.pk, emoji, user))
                target.before.reactions.setdefault(emoji, []).append(UserId(unhex(user.hex())))

    def _one(self, sql: str, parameters: Sequence[Any]) -> str:
        rows = self._connection.execute(sql, parameters).fetchall()
        return rows[0][0] if rows else ""

    def _write(self, statements: Sequence[_Statement]) -> None:
        execute = self._connection.execute
        if len(statements) <= 1:  # is a transaction by itself
            for sql, parameters in statements:
                self._connection.executemany(sql, (parameters,))  # `execute` asks for the last rowid, another release
            return
        execute("BEGIN IMMEDIATE")
        try:
            for sql, parameters in statements:
                execute(sql, parameters)
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise


class Draft:
    """What a batch is going to write; `now` is when it happens."""

    def __init__(self, now: int, targets: dict[EventId, _Target]) -> None:
        self._now = now
        self._targets = targets
        self._events: list[Any] = []
        self._mentions: list[Any] = []
        self._edits: list[Any] = []
        self._reactions: dict[_Reaction, int | None] = {}
        self._deleted: list[int] = []

    def place(self, command: Command, event_id: str, key: _Key, seq: int) -> RoomEvent:
        """Give a command its place and fold it into the message that it names."""
        new = command.event
        event = RoomEvent(
            new.room_id, seq, EventId(event_id), new.type, new.sender_id, new.client_id, self._now, new.data
        )
        self.add(command, event, key)
        return event

    def add(self, command: Command, event: RoomEvent, key: _Key) -> None:
        """Fold an event into the message that it names."""
        place = key[0] << SEQ_BITS | event.seq
        data = command.data
        if event.type == EventType.MESSAGE_CREATED:
            if "mentions" in event.data or "mentions_room" in event.data:
                for user in mentioned(created(event)):
                    self._mentions += (user, place, command.sender)
        elif event.type in ON_MESSAGES:
            target = self._targets.get(event.data.get("message_id", ""))
            if target is not None and self._change(target, event, command.sender, place):
                event.data = {"message_id": target.now.id}
                data = msgspec.json.encode(event.data).decode()
        self._events += (
            place,
            packed(event.id),
            CODES[event.type],
            event.at,
            command.sender,
            command.client,
            repeat_hash(*key),
            data,
        )

    def _change(self, target: _Target, event: RoomEvent, sender: bytes, place: int) -> bool:
        """Fold an event; tell whether it carries a text that must not be written, because its message is deleted."""
        before = target.now
        after = apply_to_message(before, event)
        if after is not None:
            target.now = after
        if event.type == EventType.MESSAGE_EDITED:
            if before.deleted_at is not None and before.room_id == event.room_id:
                return True
            self._edits += (target.pk, place)
        elif event.type in _REACTIONS and after is not before:
            added = event.type == EventType.REACTION_ADDED
            self._reactions[target.pk, event.data["emoji"], sender] = place if added else None
        elif event.type == EventType.MESSAGE_DELETED and after is not before:
            self._deleted.append(target.pk)
        return False

    def statements(self) -> list[_Statement]:
        """Return the statements; the events come first, so that a lost race for a place costs nothing."""
        statements = _inserts("INSERT INTO events (place, id, type, at, sender, client, repeat, data)", 8, self._events)
        if self._edits:
            statements += _inserts("INSERT INTO edits (message, place)", 2, self._edits)
        changed = [each for each in self._targets.values() if each.now is not each.before]
        if changed:
            statements += self._changes(changed)
        if self._mentions:
            statements += _inserts("INSERT OR REPLACE INTO mentions (user, place, sender)", 3, self._mentions)
        statements += self._reacted()
        for pk in self._deleted:
            statements += [(_REDACT, (pk,)), ("DELETE FROM reactions WHERE message = ?", (pk,))]
        return statements

    def _reacted(self) -> list[_Statement]:
        removed = [reaction for reaction, place in self._reactions.items() if place is None]
        added = [value for each, place in self._reactions.items() if place is not None for value in (*each, place)]
        statements = [(_UNREACT, _as_parameters(removed))] if removed else []
        return statements + _inserts("INSERT OR REPLACE INTO reactions (message, emoji, user, place)", 4, added)

    def _changes(self, changed: Sequence[_Target]) -> list[_Statement]:
        overlay: list[Any] = []
        statements: list[_Statement] = []
        for target in changed:
            overlay += (target.pk, target.place, int(target.now.pinned_at is not None), overlay_of(target.now))
            now, before = mentioned(target.now), mentioned(target.before)
            no_more = before - now
            statements += [
                ("DELETE FROM mentions WHERE user = ? AND place = ?", (user, target.place)) for user in no_more
            ]
            for user in now - before:
                self._mentions += (user, target.place, packed(target.now.sender_id))
        statements += _inserts("INSERT OR REPLACE INTO overlay (pk, place, pinned, view)", 4, overlay)
        return statements


def checked(event: NewEvent | RoomEvent) -> Command:
    """Return an event as a command.

    Raises:
        InvalidRequest: an id is no UUID, or `data` is no JSON.
    """
    data = data_json(event.data)
    return Command(event, packed(event.room_id), packed(event.sender_id), packed(event.client_id), data)


def _as_parameters(reactions: Iterable[_Reaction]) -> tuple[bytes, str]:
    """Return reactions as two parameters: JSON has no blobs."""
    listed = list(reactions)
    return b"".join(user for _, _, user in listed), json.dumps([(pk, emoji) for pk, emoji, _ in listed])


def _inserts(sql: str, columns: int, values: list[Any]) -> list[_Statement]:
    size = CHUNK * columns
    chunks = [values[start : start + size] for start in range(0, len(values), size)]
    return [(with_rows(sql, columns, len(chunk) // columns), chunk) for chunk in chunks]
