"""How good a match is, and where in its text it matches. Pure: nothing but the texts that the caller may read goes into a score."""

from collections.abc import Sequence

from parlour.chat.adapters.fulltext.query import Term, units_of
from parlour.chat.adapters.fulltext.words import fold, words_in

HALF_LIFE = 30 * 86_400_000
"""Milliseconds in which the age of a message costs it a quarter of its score."""

_LENGTH = 60.0
"""Characters of an ordinary message (BM25's average length)."""


def score(text: str, at: int, terms: Sequence[Term], now: int) -> float | None:
    """Return how well a text of the time `at` matches, by BM25 and recency (ms UTC); None where it lacks a term.

    All terms weigh the same. How rare each is would have to be counted over all rooms, and a score would then tell of rooms that the
    caller cannot read; over the candidates alone it says nothing, since each of them holds every term.
    """
    words = words_in(text)
    length = 1.2 * (0.25 + 0.75 * len(text) / _LENGTH)
    total = 0.0
    for term in terms:
        frequency = term.count(text, words)
        if not frequency:
            return None
        total += 2.2 * frequency / (frequency + length)
    youth: float = 2.0 ** (-max(0, now - at) / HALF_LIFE)
    return round(total * (0.5 + 0.5 * youth), 6)


def highlights(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Return where a text holds terms as [start, end) in characters, in order, joined where they touch."""
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
