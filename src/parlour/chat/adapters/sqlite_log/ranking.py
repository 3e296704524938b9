"""The candidates that FTS5 found as hits in order; what no longer matches (the index lags) is dropped."""

from collections.abc import Sequence
from typing import NamedTuple

from parlour.chat.adapters.fulltext.query import Term
from parlour.chat.adapters.fulltext.ranking import highlights, score
from parlour.chat.adapters.sqlite_log.rows import EventRow
from parlour.chat.model import SearchHit
from parlour.chat.ports import SearchQuery


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
    """Scores candidates."""

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
        points = score(text, row.at, self._terms, self._now)
        return None if points is None else Hit(points, row, text)

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
    return [SearchHit(hit.row.message(), hit.score, highlights(hit.text, terms)) for hit in found]


def _digits(identifier: str) -> str:
    return identifier.replace("-", "").upper()
