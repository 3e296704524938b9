"""Which words there are, and about how often each: what a prefix stands for.

An exact count would rewrite a page of the table for nearly every word of every message. A magnitude (Morris' counter:
from m it goes to m + 1 by a chance of 2**-m, so m is about log2 of the count) is written for a new word and then ever more
rarely, a tenth of a time a message in a log of a million.
"""

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Set

_KNOWN = """
SELECT json_group_object(word, magnitude) FROM vocabulary WHERE word IN (SELECT value FROM json_each(?))
"""
_STORE = """
INSERT INTO vocabulary (word, magnitude) SELECT key, value FROM json_each(?) WHERE true ORDER BY key
ON CONFLICT (word) DO UPDATE SET magnitude = excluded.magnitude
"""
_HELD = "SELECT EXISTS (SELECT 1 FROM fulltext WHERE fulltext MATCH ?)"
_DROP = "DELETE FROM vocabulary WHERE word = ?"

_CACHED_WORDS = 200_000

_CERTAIN = 6
"""A word of this magnitude is in other messages too."""


class Vocabulary:
    """The table `vocabulary`, for the indexer."""

    def __init__(self, connection: sqlite3.Connection, chance: Callable[[], float] = random.random) -> None:
        self._connection = connection
        self._chance = chance
        self._magnitudes: dict[str, int] = {}

    def add(self, words: Iterable[str]) -> None:
        """Count some messages' words."""
        counts = Counter(words)
        self._load(counts.keys())
        magnitudes, chance = self._magnitudes, self._chance
        grown = {}
        for word, count in counts.items():
            magnitude = magnitudes[word]
            # A magnitude stands for 2**magnitude - 1 on average; what is beyond a power of two makes the next one by chance.
            total = (1 << magnitude) + count
            reached = total.bit_length() - 1
            if chance() * (1 << reached) < total - (1 << reached):
                reached += 1
            if reached != magnitude:
                magnitudes[word] = grown[word] = reached
        if grown:
            self._connection.executemany(_STORE, ((json.dumps(grown),),))

    def remove(self, words: Iterable[str]) -> None:
        """Forget those words which no message holds any more; the index has been told before."""
        wanted = set(words)
        self._load(wanted)
        for word in wanted:
            rare = self._magnitudes[word] < _CERTAIN
            if rare and not self._connection.execute(_HELD, (f'words : "{word}"',)).fetchone()[0]:
                self._connection.execute(_DROP, (word,))
                self._magnitudes.pop(word, None)

    def _load(self, wanted: Set[str]) -> None:
        if len(self._magnitudes) > _CACHED_WORDS:
            self._magnitudes = {word: size for word, size in self._magnitudes.items() if size >= _CERTAIN}
        words = wanted - self._magnitudes.keys()
        if not words:
            return
        (found,) = self._connection.execute(_KNOWN, (json.dumps(list(words)),)).fetchone()
        known: dict[str, int] = json.loads(found)
        self._magnitudes.update((word, known.get(word, 0)) for word in words)
