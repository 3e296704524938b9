"""How good a match is, and where in its text it matches. Pure: nothing but the texts that the caller may read goes into a score."""

from collections.abc import Sequence
from typing import NamedTuple

from parlour.chat.adapters.sqlite_log.query import Term, units_of
from parlour.chat.adapters.sqlite_log.rows import EventRow
from parlour.chat.adapters.sqlite_log.words import fold, words_in
from parlour.chat.model import SearchHit
from parlour.chat.ports import SearchQuery

HALF_LIFE = 30 * 86_400_000
"""Milliseconds in which the age of a message costs it a quarter of its score."""

_LENGTH = 60.0
"""Characters of an ordinary message (BM25's average length)."""


class Hit(NamedTuple):
    """A message that matches."""

    score: float
    row: EventRow
    text: str

    @property
    def order(self) -> tuple[float, int]:
        """The best first, among equals the newest."""
        return -self.score, -self.row.pk


class Ranking:
    """Scores candidates by BM25 and recency; what no longer matches (the index lags) is dropped.

    All terms weigh the same. How rare each is would have to be counted over all rooms, and a score would then tell of rooms that the
    caller cannot read; over the candidates alone it says nothing, since each of them holds every term.
    """

    def __init__(self, query: SearchQuery, terms: Sequence[Term], now: int) -> None:
        """Count ages from `now`, in ms UTC."""
        self._query = query
        self._terms = terms
        self._now = now
        self._rooms = {_digits(room_id) for room_id in query.room_ids}
        self._sender = _digits(query.from_user) if query.from_user is not None else None

    def after(self, order: tuple[float, int], rows: Sequence[EventRow]) -> list[Hit]:
        """Return the hits that come after a place in the order, in order."""
        hits = [hit for hit in map(self._hit, rows) if hit is not None]
        hits.sort(key=lambda hit: hit.order)
        return [hit for hit in hits if hit.order > order]

    def _hit(self, row: EventRow) -> Hit | None:
        text = row.text
        if text is None or not self._admits(row):
            return None
        words = words_in(text)
        length = 1.2 * (0.25 + 0.75 * len(text) / _LENGTH)
        score = 0.0
        for term in self._terms:
            frequency = term.count(text, words)
            if not frequency:
                return None
            score += 2.2 * frequency / (frequency + length)
        age = max(0, self._now - row.at)
        return Hit(round(score * (0.5 + 0.5 * 2.0 ** (-age / HALF_LIFE)), 6), row, text)

    def _admits(self, row: EventRow) -> bool:
        query = self._query
        return (
            row.room in self._rooms
            and (self._sender is None or row.sender == self._sender)
            and (query.after is None or row.at > query.after)
            and (query.before is None or row.at < query.before)
        )


def as_hits(found: Sequence[Hit], terms: Sequence[Term]) -> list[SearchHit]:
    """Return hits as the port has them."""
    return [SearchHit(hit.row.message(), hit.score, _highlights(hit.text, terms)) for hit in found]


def _highlights(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Return where a text holds terms, in order, joined where they touch."""
    folded = fold(text)
    units = units_of(folded.text)
    spans = [folded.original(*span) for term in terms for span in term.spans(folded.text, units)]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _digits(identifier: str) -> str:
    return identifier.replace("-", "").upper()
