"""A user's words as terms: what an index is asked for, and where a text holds them. Pure; any text is a query."""

import re
from collections.abc import Iterator, Sequence

from parlour.chat.adapters.fulltext.words import LONGEST, Word, fold, pairs, runs

MAX_TERMS = 16
"""Terms of one query that count."""

SHORTEST_PREFIX = 2
"""Characters before a `*`; with fewer it is a word like any other."""

_QUOTES = re.compile('["“”„«»]')


class Unit:
    """One searchable piece of a text at [start, end) of its folded form: a word, or two neighbours of a paired run."""

    __slots__ = ("end", "start", "text")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.start = start
        self.end = end


class Term:
    """Something that every hit holds: `units` in a row, a word that begins with `prefix`, or the one character `single`."""

    def __init__(self, units: Sequence[str] = (), prefix: str = "", single: str = "") -> None:
        self.units = tuple(units)
        self.prefix = prefix
        self.single = single

    def count(self, text: str, words: list[str]) -> int:
        """Return how often a text, whose words are `words`, holds the term."""
        if self.single:
            return fold(text).text.count(self.single)
        if self.prefix:
            return sum(word.startswith(self.prefix) for word in words)
        if len(self.units) == 1:
            return words.count(self.units[0])
        wanted, length = list(self.units), len(self.units)
        return sum(word == wanted[0] and words[index : index + length] == wanted for index, word in enumerate(words))

    def spans(self, folded: str, units: Sequence[Unit]) -> list[tuple[int, int]]:
        """Return where a folded text, with its units, holds the term."""
        if self.single:
            return [match.span() for match in re.finditer(re.escape(self.single), folded)]
        if self.prefix:
            return [(unit.start, unit.end) for unit in units if unit.text.startswith(self.prefix)]
        first, length = self.units[0], len(self.units)
        if length == 1:
            return [(unit.start, unit.end) for unit in units if unit.text == first]
        return [
            (unit.start, units[index + length - 1].end)
            for index, unit in enumerate(units[: len(units) - length + 1])
            if unit.text == first and all(units[index + step].text == self.units[step] for step in range(1, length))
        ]

    def _key(self) -> tuple[tuple[str, ...], str, str]:
        return self.units, self.prefix, self.single

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Term(units={self.units!r}, prefix={self.prefix!r}, single={self.single!r})"


def parse(text: str) -> list[Term]:
    """Return the terms of a query, each once: words, "phrases", prefix*; none where there is no searchable word.

    A quotation mark without its partner quotes the rest.
    """
    terms: dict[Term, None] = {}
    for index, part in enumerate(_QUOTES.split(text)):
        folded = fold(part).text
        found = _phrase(folded) if index % 2 else _words(folded)
        terms.update(dict.fromkeys(found))
    return list(terms)[:MAX_TERMS]


def units_of(folded: str) -> list[Unit]:
    """Return the searchable pieces of a folded text in their order."""
    units: list[Unit] = []
    for word in runs(folded):
        if word.paired and len(word.text) > 1:
            units += [
                Unit(word.text[at : at + 2], word.start + at, word.start + at + 2) for at in range(len(word.text) - 1)
            ]
        else:
            units.append(Unit(word.text[:LONGEST], word.start, word.end))
    return units


def _words(folded: str) -> Iterator[Term]:
    for word in runs(folded):
        if word.paired:
            yield _of_run(word)
        elif folded[word.end : word.end + 1] == "*" and len(word.text) >= SHORTEST_PREFIX:
            yield Term(prefix=word.text[:LONGEST])
        else:
            yield Term((word.text[:LONGEST],))


def _of_run(word: Word) -> Term:
    return Term(single=word.text) if len(word.text) == 1 else Term(pairs(word.text))


def _phrase(folded: str) -> Iterator[Term]:
    words = list(runs(folded))
    if len(words) == 1 and words[0].paired:
        yield _of_run(words[0])
    elif words:
        yield Term([unit.text for unit in units_of(folded)])
