"""The newest messages that match, a window at a time, and the cursor between two pages.

Messages have one order over all rooms: by time, then seq, then room. It is given with the message, so that an index made anew has it
too.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, text

from parlour.chat.adapters.fulltext.cursors import LARGEST, decode, fingerprint, of_another_search
from parlour.chat.adapters.fulltext.query import Term
from parlour.chat.adapters.postgresql_search.vectors import asked
from parlour.chat.ports import SearchQuery
from parlour.platform.ids import EventId, RoomId, is_uuid

WINDOW = 200
"""Candidates that are ranked together: the newest that match. The next page after them is made of the next newest."""

CHARACTERS = 400_000
"""Of texts in a window, about; the words of so many take up to some 50 ms of the interpreter."""

HAS = ("link", "mention", "reaction", "pin")
"""What `SearchQuery.has` may be."""

_NEWEST_FIRST = "ORDER BY at DESC, seq DESC, room_id DESC"
_CANDIDATES = """
SELECT CAST(room_id AS text) AS room, seq, CAST(message_id AS text) AS message, at, version, text, matched FROM (
    SELECT *, count(*) OVER () AS matched, sum(char_length(text)) OVER ({order}) - char_length(text) AS before FROM (
        SELECT room_id, seq, message_id, at, version, text FROM search_messages WHERE {conditions} {order} LIMIT :most
    ) newest
) counted WHERE before < :characters {order}
"""
# A plan made for these very words and rooms: with others it may be a thousand times worse.
_SETTINGS = """
SELECT set_config('statement_timeout', :milliseconds, true), set_config('plan_cache_mode', 'force_custom_plan', true)
"""
_UNRANKED = 1e9
"""A score above all: of the place before a window's first hit."""


class Place(msgspec.Struct, array_like=True, forbid_unknown_fields=True, frozen=True, order=True):
    """Where a message stands in the order of all; the greater the newer."""

    at: int
    seq: int
    room_id: str


class Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Where a page ended.

    The window [lower, upper], the last hit's score and place in it, the time that ages count from, and which query it is of. Where
    nothing of the next window was shown, that is the newest matches below `lower`.
    """

    upper: Place
    lower: Place
    score: float
    last: Place
    now: int
    query: int

    @property
    def fresh(self) -> bool:
        """Whether nothing of the window was shown."""
        return self.score >= _UNRANKED


class Candidate(NamedTuple):
    """A message as the index has it; `matched`: how many the window's query found, of which the last may be left out."""

    room_id: RoomId
    seq: int
    message_id: EventId
    at: int
    version: int
    text: str
    matched: int

    @property
    def place(self) -> Place:
        """Its place in the order of all."""
        return Place(self.at, self.seq, self.room_id)


def begun(terms: Sequence[Term], now: int) -> Cursor:
    """Return the cursor before the first page; ages count from `now`, in ms UTC."""
    return before(Place(LARGEST, LARGEST, ""), terms, now)


def before(place: Place, terms: Sequence[Term], now: int) -> Cursor:
    """Return the cursor of the newest matches below a place."""
    return Cursor(place, place, _UNRANKED, place, now, fingerprint(terms))


def opened(cursor: str, terms: Sequence[Term]) -> Cursor:
    """Return the cursor that a client sent for a query.

    Raises:
        InvalidRequest: it is none, or of another query.
    """
    sent = decode(cursor, Cursor)
    places = (sent.upper, sent.lower, sent.last)
    numbers = [sent.now, *(number for place in places for number in (place.at, place.seq))]
    bounded = all(0 <= each < LARGEST for each in numbers) and math.isfinite(sent.score)
    if not bounded or not all(is_uuid(each.room_id) for each in places) or sent.query != fingerprint(terms):
        raise of_another_search()
    return sent


def statement(query: SearchQuery, terms: Sequence[Term], window: Cursor) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a window and its parameters; what is in `query` was checked, but for its times."""
    conditions = ["words @@ CAST(CAST(:asked AS text) AS tsquery)", "room_id = ANY(CAST(:rooms AS uuid[]))"]
    values: dict[str, Any] = {"asked": asked(query, terms), "rooms": list(query.room_ids), "characters": CHARACTERS}
    if query.from_user is not None:
        conditions.append("sender_id = CAST(:sender AS uuid)")
        values["sender"] = query.from_user
    if query.after is not None:
        conditions.append("at > :after")
        values["after"] = _bounded(query.after)
    if query.before is not None:
        conditions.append("at < :before")
        values["before"] = _bounded(query.before)
    if query.has in HAS:
        conditions.append(f"has_{query.has}")
    if window.fresh:
        values["most"] = WINDOW
        if window.lower.room_id:
            conditions.append(_than("<", "lower", window.lower, values))
    else:
        # Twice as many: others may have been indexed late, in between.
        values["most"] = 2 * WINDOW
        conditions += [_than("<=", "upper", window.upper, values), _than(">=", "lower", window.lower, values)]
    return _CANDIDATES.format(order=_NEWEST_FIRST, conditions=" AND ".join(conditions)), values


def look(connection: Connection, sql: str, values: dict[str, Any], seconds: float) -> list[Candidate]:
    """Return the candidates of a window, the newest first; in a transaction, which has these settings from now on."""
    connection.execute(text(_SETTINGS), {"milliseconds": str(max(1, int(seconds * 1000)))})
    return [Candidate(*row) for row in connection.execute(text(sql), values)]


def _than(operator: str, name: str, place: Place, values: dict[str, Any]) -> str:
    values |= {f"{name}_at": place.at, f"{name}_seq": place.seq, f"{name}_room": place.room_id}
    return f"(at, seq, room_id) {operator} (:{name}_at, :{name}_seq, CAST(:{name}_room AS uuid))"


def _bounded(milliseconds: int) -> int:
    return min(max(milliseconds, -LARGEST), LARGEST)
