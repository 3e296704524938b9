"""What a history of clients and a room log must fulfil: nothing lost, doubled or reordered. Pure; a test makes the history."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Sent(NamedTuple):
    """A client wants this in the room; it resends until it is acknowledged."""

    room_id: str
    client_id: str
    text: str


class Acked(NamedTuple):
    """The server said that it is durable, with this place."""

    room_id: str
    client_id: str
    id: str
    seq: int


class Entry(NamedTuple):
    """An event, as it stands in the log or as a client has applied it; `text` is None where it is no message."""

    room_id: str
    seq: int
    id: str
    sender_id: str
    client_id: str
    text: str | None


class Live(NamedTuple):
    """An event as it arrived unasked; `connection` counts the client's connections."""

    connection: int
    room_id: str
    seq: int


class History(NamedTuple):
    """What one client did and saw, each in order."""

    user_id: str
    sent: Sequence[Sent] = ()
    acked: Sequence[Acked] = ()
    applied: Sequence[Entry] = ()
    live: Sequence[Live] = ()


def violations(log: Iterable[Entry], clients: Iterable[History], *, settled: bool = True) -> list[str]:
    """Return what is wrong, a sentence each; an empty list is the proof.

    Args:
        log: the stored events of all rooms, of each room by seq.
        clients: members of all these rooms.
        settled: whether every client has emptied its outbox and synced after the last event.
    """
    rooms: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in log:
        rooms[entry.room_id].append(entry)
    histories = list(clients)
    found = [problem for room_id, entries in rooms.items() for problem in _of_log(room_id, entries)]
    for history in histories:
        found += _of_sender(rooms, history, settled)
        found += _of_reader(rooms, history, settled)
        found += _of_stream(history)
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


def _of_sender(rooms: dict[str, list[Entry]], history: History, settled: bool) -> Iterable[str]:
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
        if settled and (sent.room_id, sent.client_id) not in acked:
            yield f"{who}: {sent.client_id} was never acknowledged"
        if place is None:
            continue
        if place.text != sent.text:
            yield f"{who}: {sent.client_id} has another text in the log"
        if place.seq < last.get(sent.room_id, 0):
            yield f"{who}: {sent.client_id} stands before what was sent before it"
        last[sent.room_id] = place.seq


def _of_reader(rooms: dict[str, list[Entry]], history: History, settled: bool) -> Iterable[str]:
    who = history.user_id
    applied: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in history.applied:
        applied[entry.room_id].append(entry)
    for room_id in rooms.keys() | applied.keys():
        seen, stored = applied[room_id], rooms.get(room_id, [])
        for mine, theirs in zip(seen, stored, strict=False):
            if mine != theirs:
                yield f"{who}: saw {mine.seq} {mine.id} in {room_id} where the log has {theirs.seq} {theirs.id}"
                break
        if len(seen) > len(stored):
            yield f"{who}: saw {len(seen)} events in {room_id}, the log has {len(stored)}"
        elif settled and len(seen) < len(stored):
            yield f"{who}: missed {len(stored) - len(seen)} events at the end of {room_id}"


def _of_stream(history: History) -> Iterable[str]:
    last: dict[tuple[int, str], int] = {}
    for live in history.live:
        key = live.connection, live.room_id
        before = last.get(key)
        if before is not None and live.seq == before:
            yield f"{history.user_id}: {live.seq} of {live.room_id} arrived twice on connection {live.connection}"
        elif before is not None and live.seq != before + 1:
            yield f"{history.user_id}: {live.seq} of {live.room_id} followed {before} on connection {live.connection}"
        last[key] = live.seq


def _of_authors(rooms: dict[str, list[Entry]], histories: list[History]) -> Iterable[str]:
    wanted = {(history.user_id, sent.room_id, sent.client_id) for history in histories for sent in history.sent}
    for room_id, entries in rooms.items():
        for entry in entries:
            if entry.text is not None and (entry.sender_id, room_id, entry.client_id) not in wanted:
                yield f"log of {room_id}: {entry.client_id} was sent by nobody"
