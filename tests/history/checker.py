"""What a history of clients and a room log must fulfil: nothing lost, doubled, reordered, folded otherwise or seen by who is out.

Pure; a test makes the history.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from parlour.chat import fold
from parlour.chat.model import EventType, Message, RoomEvent, RoomView
from parlour.platform.ids import ClientId, EventId, RoomId, UserId

_SENT = ("message.", "reaction.")
"""What the types of events begin with that clients ask for; the others are the server's own."""


class Sent(NamedTuple):
    """A client wants this in the room; it resends until it is acknowledged or, as may be for some, refused."""

    room_id: str
    client_id: str
    text: str | None
    type: str = "message.created"
    message_id: str | None = None
    refused: bool = False


class Acked(NamedTuple):
    """The server said that it is durable, with this place."""

    room_id: str
    client_id: str
    id: str
    seq: int


class Entry(NamedTuple):
    """An event, as it stands in the log or as a client has applied it.

    `text` is None where it has none, or its message was deleted since; `message_id` is the message that it concerns, `user_id` who
    joined or left.
    """

    room_id: str
    seq: int
    id: str
    sender_id: str
    client_id: str
    text: str | None
    type: str = "message.created"
    message_id: str | None = None
    emoji: str | None = None
    user_id: str | None = None


class Live(NamedTuple):
    """An event as it arrived unasked.

    `connection` counts the client's connections, `stay` its memberships of the room: the next begins when somebody asks for it.
    """

    connection: int
    room_id: str
    seq: int
    stay: int = 1


class Skipped(NamedTuple):
    """Events that a client did not apply: instead of them it took the messages as they were at `until`, or later."""

    room_id: str
    after: int
    until: int


class Held(NamedTuple):
    """The last event that a client had of a room when its next stay there was asked for."""

    room_id: str
    seq: int


class Shown(NamedTuple):
    """A message as a client shows it at the end; `version` is the seq of the last event that changed it, `reactions` are sorted."""

    room_id: str
    id: str
    version: int
    text: str
    edited: bool
    deleted: bool
    reactions: tuple[tuple[str, str], ...] = ()


class History(NamedTuple):
    """What one client did and saw, each in order."""

    user_id: str
    sent: Sequence[Sent] = ()
    acked: Sequence[Acked] = ()
    applied: Sequence[Entry] = ()
    live: Sequence[Live] = ()
    skipped: Sequence[Skipped] = ()
    returns: Sequence[Held] = ()
    shown: Sequence[Shown] = ()


def violations(
    log: Iterable[Entry], clients: Iterable[History], *, settled: bool = True, gaps: bool = False
) -> list[str]:
    """Return what is wrong, a sentence each; an empty list is the proof.

    Args:
        log: the stored events of all rooms, of each room by seq.
        clients: members of all these rooms, but where the log says that they were not.
        settled: whether every client has emptied its outbox and synced after the last event.
        gaps: whether what arrives live may leave something out, as over a bus that forgets; a client that sees it syncs.
    """
    rooms: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in log:
        rooms[entry.room_id].append(entry)
    # The text of a deleted message leaves the log for good: who saw it before has seen no other.
    gone = {
        entry.message_id for entries in rooms.values() for entry in entries if entry.type == EventType.MESSAGE_DELETED
    }
    histories = list(clients)
    found = [problem for room_id, entries in rooms.items() for problem in _of_log(room_id, entries)]
    for history in histories:
        found += _of_sender(rooms, history, settled, gone)
        found += _of_reader(rooms, history, settled, gone)
        found += _of_stream(history, gaps)
        found += _of_stays(rooms, history)
    found += _of_views(rooms, histories, gone)
    found += _of_authors(rooms, histories)
    return found


def _of_log(room_id: str, entries: list[Entry]) -> Iterable[str]:
    seqs = [entry.seq for entry in entries]
    if seqs != list(range(1, len(seqs) + 1)):
        wrong = next(place for place, seq in enumerate(seqs, 1) if place != seq)
        yield f"log of {room_id}: seq is not dense: {seqs[wrong - 1]} at place {wrong}"
    commands = Counter((entry.sender_id, entry.client_id) for entry in entries)
    for (sender, client_id), count in commands.items():
        if count > 1:
            yield f"log of {room_id}: {client_id} of {sender} is there {count} times"
    for event_id, count in Counter(entry.id for entry in entries).items():
        if count > 1:
            yield f"log of {room_id}: the id {event_id} is there {count} times"


def _of_sender(rooms: dict[str, list[Entry]], history: History, settled: bool, gone: set[str | None]) -> Iterable[str]:
    who = history.user_id
    places = {
        (room_id, entry.client_id): entry
        for room_id, entries in rooms.items()
        for entry in entries
        if entry.sender_id == who
    }
    for ack in history.acked:
        place = places.get((ack.room_id, ack.client_id))
        if place is None:
            yield f"{who}: {ack.client_id} was acknowledged and is lost"
        elif (place.seq, place.id) != (ack.seq, ack.id):
            yield f"{who}: {ack.client_id} was acknowledged as {ack.seq} {ack.id} and is {place.seq} {place.id}"
    acked = {(ack.room_id, ack.client_id) for ack in history.acked}
    last: dict[str, int] = {}
    for sent in history.sent:
        place = places.get((sent.room_id, sent.client_id))
        if settled and not sent.refused and (sent.room_id, sent.client_id) not in acked:
            yield f"{who}: {sent.client_id} was never acknowledged"
        if place is None:
            continue
        if (place.type, place.message_id) != (sent.type, sent.message_id):
            yield f"{who}: {sent.client_id} is {place.type} of {place.message_id} in the log"
        if place.text != sent.text and not {place.id, place.message_id} & gone:
            yield f"{who}: {sent.client_id} has another text in the log"
        if place.seq < last.get(sent.room_id, 0):
            yield f"{who}: {sent.client_id} stands before what was sent before it"
        last[sent.room_id] = place.seq


def _of_reader(rooms: dict[str, list[Entry]], history: History, settled: bool, gone: set[str | None]) -> Iterable[str]:
    who = history.user_id
    applied: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in history.applied:
        applied[entry.room_id].append(entry)
    for room_id in rooms.keys() | applied.keys():
        whole = rooms.get(room_id, [])
        skipped = [each for each in history.skipped if each.room_id == room_id]
        stored = [entry for entry in whole if not any(each.after < entry.seq <= each.until for each in skipped)]
        seen = applied[room_id]
        for mine, theirs in zip(seen, stored, strict=False):
            if _lasting(mine, gone) != _lasting(theirs, gone):
                yield f"{who}: saw {mine.seq} {mine.id} in {room_id} where the log has {theirs.seq} {theirs.id}"
                break
        if len(seen) > len(stored):
            yield f"{who}: saw {len(seen)} events in {room_id}, the log has {len(stored)}"
        elif settled and len(seen) < len(stored) and _stays(whole, who)[-1].left is None:
            yield f"{who}: missed {len(stored) - len(seen)} events at the end of {room_id}"


def _lasting(entry: Entry, gone: set[str | None]) -> Entry:
    """An event without what a deletion takes from it."""
    return entry._replace(text=None) if {entry.id, entry.message_id} & gone else entry


def _of_stream(history: History, gaps: bool) -> Iterable[str]:
    last: dict[tuple[int, str], Live] = {}
    for live in history.live:
        before = last.get((live.connection, live.room_id))
        if before is not None and live.seq == before.seq:
            yield f"{history.user_id}: {live.seq} of {live.room_id} arrived twice on connection {live.connection}"
        elif before is not None and (
            live.seq < before.seq or (not gaps and live.stay == before.stay and live.seq != before.seq + 1)
        ):
            yield f"{history.user_id}: {live.seq} of {live.room_id} followed {before.seq} on connection {live.connection}"
        last[live.connection, live.room_id] = live


class _Stay(NamedTuple):
    """A membership by the log: from the event of joining, or the room's beginning, to that of leaving."""

    joined: int
    left: int | None


def _stays(entries: Iterable[Entry], user_id: str) -> list[_Stay]:
    """Whom no event concerns is a member all the time."""
    stays: list[_Stay] = []
    for entry in entries:
        if entry.user_id != user_id:
            continue
        if entry.type == EventType.MEMBER_JOINED:
            stays.append(_Stay(entry.seq, None))
        elif entry.type == EventType.MEMBER_LEFT:
            stays[-1:] = [_Stay(stays[-1].joined if stays else 0, entry.seq)]
    return stays or [_Stay(0, None)]


def _of_stays(rooms: dict[str, list[Entry]], history: History) -> Iterable[str]:
    who = history.user_id
    for room_id, entries in rooms.items():
        stays = _stays(entries, who)
        for live in history.live:
            if live.room_id != room_id:
                continue
            if live.stay > len(stays):
                yield f"{who}: heard {live.seq} of {room_id} in stay {live.stay}, the log has {len(stays)}"
            elif (left := stays[live.stay - 1].left) is not None and live.seq > left:
                yield f"{who}: heard {live.seq} of {room_id}, removed at {left}"
        held = [each.seq for each in history.returns if each.room_id == room_id]
        held.append(_held(history, room_id))
        for stay, seq in zip(stays, held, strict=False):
            if stay.left is not None and seq > stay.left:
                yield f"{who}: has {seq} of {room_id}, removed at {stay.left}"


def _held(history: History, room_id: str) -> int:
    """The last event that a client has of a room."""
    applied = [entry.seq for entry in history.applied if entry.room_id == room_id]
    return max([*applied, *(each.until for each in history.skipped if each.room_id == room_id)], default=0)


def _of_views(rooms: dict[str, list[Entry]], histories: Iterable[History], gone: set[str | None]) -> Iterable[str]:
    """Compare what each shows with the log folded in order, up to what each has of it."""
    for room_id, entries in rooms.items():
        behind: defaultdict[int, list[History]] = defaultdict(list)
        for history in histories:
            behind[_held(history, room_id)].append(history)
        view = RoomView()
        for seq in sorted(behind):
            for entry in entries[view.head : seq]:
                view = RoomView(entry.seq, _folded(view.messages, entry))
            for history in behind[seq]:
                yield from _of_view(room_id, view, history, gone, len(entries))


def _of_view(room_id: str, view: RoomView, history: History, gone: set[str | None], end: int) -> Iterable[str]:
    who = history.user_id
    # What was taken from a page may be newer than the last event that its reader has.
    shown = {each.id: each for each in history.shown if each.room_id == room_id}
    newer = {each.id for each in shown.values() if view.head < each.version <= end}
    for message_id in (shown.keys() | set(view.messages)) - newer:
        mine, message = shown.get(message_id), view.messages.get(EventId(message_id))
        theirs = None if message is None else _shown(message)
        if message_id in gone:
            mine, theirs = mine and mine._replace(text=""), theirs and theirs._replace(text="")
        if mine != theirs:
            yield f"{who}: shows {message_id} of {room_id} as {mine}, the log at {view.head} makes it {theirs}"


def _folded(messages: dict[EventId, Message], entry: Entry) -> dict[EventId, Message]:
    """Fold one event in place; `fold.apply` would copy the room for each."""
    event = _event(entry)
    target = EventId(entry.message_id or entry.id)
    after = fold.apply_to_message(messages.get(target), event)
    if after is not None:
        messages[target] = after
    return messages


def _event(entry: Entry) -> RoomEvent:
    data = {"text": entry.text, "message_id": entry.message_id, "emoji": entry.emoji}
    return RoomEvent(
        RoomId(entry.room_id),
        entry.seq,
        EventId(entry.id),
        EventType(entry.type),
        UserId(entry.sender_id),
        ClientId(entry.client_id),
        entry.seq,  # any moment will do: shown is whether there is one
        {name: value for name, value in data.items() if value is not None},
    )


def _shown(message: Message) -> Shown:
    reactions = sorted((emoji, user_id) for emoji, users in message.reactions.items() for user_id in users)
    return Shown(
        message.room_id,
        message.id,
        message.version,
        message.text,
        message.edited_at is not None,
        message.deleted_at is not None,
        tuple(reactions),
    )


def _of_authors(rooms: dict[str, list[Entry]], histories: list[History]) -> Iterable[str]:
    wanted = {(history.user_id, sent.room_id, sent.client_id) for history in histories for sent in history.sent}
    for room_id, entries in rooms.items():
        for entry in entries:
            if entry.type.startswith(_SENT) and (entry.sender_id, room_id, entry.client_id) not in wanted:
                yield f"log of {room_id}: {entry.client_id} was sent by nobody"
