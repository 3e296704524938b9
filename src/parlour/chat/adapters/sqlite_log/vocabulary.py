"""Which words there are, and about how many messages hold each: what a prefix stands for, and rarity for the ranking.

An exact count would rewrite a page of the table for nearly every word of every message. A magnitude (Morris' counter:
from m it goes to m + 1 by a chance of 2**-m, so m is about log2 of the count) is written for a new word and then ever more
rarely, a tenth of a time a message in a log of a million, and log2 is what the ranking wants.
"""

import json
import random
import sqlite3
from collections.abc import Callable, Iterable

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


_CHANCES = [2.0**-magnitude for magnitude in range(64)]


class Vocabulary:
    """The table `vocabulary`, for the indexer."""

    def __init__(self, connection: sqlite3.Connection, chance: Callable[[], float] = random.random) -> None:
        self._connection = connection
        self._chance = chance
        self._magnitudes: dict[str, int] = {}

    def add(self, messages: Iterable[Iterable[str]]) -> None:
        """Count the different words of each message."""
        magnitudes, chance = self._magnitudes, self._chance
        words = [word for message in messages for word in message]
        self._load({word for word in words if word not in magnitudes})
        grown = set()
        for word in words:
            magnitude = magnitudes[word]
            if magnitude == 0 or chance() < _CHANCES[magnitude]:
                magnitudes[word] = magnitude + 1
                grown.add(word)
        if grown:
            self._connection.executemany(_STORE, ((json.dumps({word: magnitudes[word] for word in grown}),),))

    def remove(self, words: Iterable[str]) -> None:
        """Forget those words which no message holds any more; the index has been told before."""
        wanted = set(words)
        self._load(wanted)
        for word in wanted:
            rare = self._magnitudes.get(word, 0) < _CERTAIN
            if rare and not self._connection.execute(_HELD, (f'words : "{word}"',)).fetchone()[0]:
                self._connection.execute(_DROP, (word,))
                self._magnitudes.pop(word, None)

    def _load(self, words: set[str]) -> None:
        if not words:
            return
        if len(self._magnitudes) > _CACHED_WORDS:
            self._magnitudes = {word: size for word, size in self._magnitudes.items() if size >= _CERTAIN}
        (found,) = self._connection.execute(_KNOWN, (json.dumps(list(words)),)).fetchone()
        known: dict[str, int] = json.loads(found)
        self._magnitudes.update((word, known.get(word, 0)) for word in words)
