"""A million messages that no one wrote: words by Zipf's law, lengths and rooms as uneven as real ones."""

import random
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

WORDS = 40_000
ROOMS = 200
SENDERS = 1_000
_ONSETS = ("", *"bcdfghjklmnprstvw", "br", "ch", "fl", "gr", "pl", "sh", "st", "tr")
_NUCLEI = (*"aeiou", "ai", "ea", "ou")
_CODAS = ("", "", "", *"nrstlm", "nd", "st", "ck")


class Corpus:
    """The same for one seed: every run, ours and the floor, reads and writes the same texts."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self.words = self._vocabulary()
        """The most frequent first."""
        self._word_sums = list(accumulate(1 / (rank + 2.7) ** 1.05 for rank in range(WORDS)))
        self._room_sums = list(accumulate(1 / (rank + 5) for rank in range(ROOMS)))

    def _vocabulary(self) -> list[str]:
        """Frequent words are short: one syllable for the first thousand, then two, then three."""
        pick, seen = self._random.choice, {""}
        words: list[str] = []
        while len(words) < WORDS:
            syllables = 1 if len(words) < 1_000 else 2 if len(words) < 15_000 else 3
            word = "".join(pick(_ONSETS) + pick(_NUCLEI) + pick(_CODAS) for _ in range(syllables))
            if word not in seen:
                seen.add(word)
                words.append(word)
        return words

    def room(self) -> int:
        """Draw a room's index: the busiest has about 30 times the share of the quietest."""
        return bisect_left(self._room_sums, self._random.random() * self._room_sums[-1])

    def text(self) -> str:
        """Draw a message: 8 words in the median, 60 at most."""
        length = min(60, max(1, round(self._random.lognormvariate(2.1, 0.8))))
        return " ".join(self._random.choices(self.words, cum_weights=self._word_sums, k=length))

    def messages(self, count: int) -> Iterator[tuple[int, int, str]]:
        """Draw messages: room, sender, text."""
        for _ in range(count):
            yield self.room(), self._random.randrange(SENDERS), self.text()


def queries(corpus: Corpus, rng: random.Random, sample: list[str], each: int) -> dict[str, list[str]]:
    """Return queries by kind, `each` of a kind; phrases stand in a message of `sample`."""
    common, middle, rare = corpus.words[:50], corpus.words[200:2_000], corpus.words[20_000:]
    long_texts = [words for words in (text.split() for text in sample) if len(words) > 3]

    def phrase() -> str:
        words = rng.choice(long_texts)
        start = rng.randrange(len(words) - 2)
        return f'"{" ".join(words[start : start + 2])}"'

    return {
        "common": [rng.choice(common) for _ in range(each)],
        "rare": [rng.choice(rare) for _ in range(each)],
        "two": [f"{rng.choice(common)} {rng.choice(middle)}" for _ in range(each)],
        "three": [" ".join(rng.sample(middle, 2)) + " " + rng.choice(common) for _ in range(each)],
        "prefix": [rng.choice(middle)[:4] + "*" for _ in range(each)],
        "phrase": [phrase() for _ in range(each)],
    }
