"""What a text is searched by: its words, folded, in any script. Pure.

A word is a run of letters, digits and the marks upon them, without case and accents. Scripts that are written without
spaces between words (Chinese, Japanese, Thai and their neighbours), and Korean, whose words carry endings, count every
two neighbouring characters as a word, so that a part of a run is found as the phrase of its pairs; docs/adr/0004 has
the measurements. Whatever changes what this module returns raises `sqlite_log.index_file.VERSION`, so that the index is
made anew; one on PostgreSQL is made anew by `parlour admin reindex`.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONGEST = 64
"""Characters of a word that count."""


def _ranges(points: list[int]) -> str:
    spans: list[list[int]] = []
    for point in points:
        if spans and spans[-1][1] == point - 1:
            spans[-1][1] = point
        else:
            spans.append([point, point])
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in spans)


# `\w` leaves out the marks that Indic and Thai vowels and composed accents are written with. Planes 0 and 1 have them
# all, but for the variation selectors of plane 14, which no word needs.
_MARKS = _ranges([point for point in range(0x300, 0x20000) if unicodedata.category(chr(point))[0] == "M"])
_WORD = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_CLUSTER = re.compile(rf".[{_MARKS}]*", re.DOTALL)
_PAIRED = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7a3"  # Hangul syllables
    "]+"
)
_LINK = re.compile(r"https?://\S", re.IGNORECASE)

_MARK = "\ue000"
"""Begins every mark: a character of private use, which no word holds."""
_PRIME = (1 << 40) - 87


class Folded(NamedTuple):
    """A text without case and accents; `origins[i]` is where in the original the i-th character comes from (None: at i)."""

    text: str
    origins: list[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the [start, end) in the original text of a stretch of the folded one."""
        if self.origins is None:
            return start, end
        return self.origins[start], self.origins[end]


class Word(NamedTuple):
    """A word at [start, end) of the folded text; `paired` where it is of a run that counts by pairs."""

    text: str
    start: int
    end: int
    paired: bool


def fold(text: str) -> Folded:
    """Take case, accents and compatibility forms from a text."""
    if text.isascii():
        return Folded(text.lower(), None)
    pieces: list[str] = []
    origins: list[int] = []
    for match in _CLUSTER.finditer(text):
        folded = _fold_cluster(match[0])
        pieces.append(folded)
        origins.extend([match.start()] * len(folded))
    origins.append(len(text))
    return Folded("".join(pieces), origins)


@functools.lru_cache(16_384)
def _fold_cluster(cluster: str) -> str:
    decomposed = unicodedata.normalize("NFKD", cluster)
    return unicodedata.normalize("NFC", "".join(each for each in decomposed if not _is_accent(each))).casefold()


def _is_accent(character: str) -> bool:
    # Combining classes: 10 to 35 are Hebrew points and Arabic vowels, from 200 on what stands above, below and across.
    # Those between and 0 are parts of the letters of Indic scripts, Thai and kana.
    placed = unicodedata.combining(character)
    return placed >= 200 or 10 <= placed <= 35


def runs(folded: str) -> Iterator[Word]:
    """Yield the words of a folded text, those of paired scripts as whole runs."""
    for match in _WORD.finditer(folded):
        run, offset = match[0], match.start()
        if run.isascii():
            yield Word(run, offset, match.end(), paired=False)
            continue
        position = 0
        for paired in _PAIRED.finditer(run):
            if paired.start() > position:
                yield Word(run[position : paired.start()], offset + position, offset + paired.start(), paired=False)
            yield Word(paired[0], offset + paired.start(), offset + paired.end(), paired=True)
            position = paired.end()
        if position < len(run):
            yield Word(run[position:], offset + position, match.end(), paired=False)


def pairs(run: str) -> list[str]:
    """Return the words of a run that counts by pairs: each two neighbours, or the one character that it is."""
    return [run[index : index + 2] for index in range(len(run) - 1)] or [run]


def document(text: str, room: str, sender: str, has: Iterable[str] = ()) -> tuple[str, str]:
    """Return what the index holds of a message: its words in order, and its marks; two empty texts where it has no words.

    `room` and `sender` are ids, in any writing of their hexadecimal digits; `has` is what it has besides links.
    """
    words, single = _words(text)
    if not words:
        return "", ""
    marks = [room_mark(room), sender_mark(sender), *map(has_mark, has)]
    if has_link(text):
        marks.append(has_mark("link"))
    return " ".join(words), " ".join([*marks, *sorted(single)])


def has_link(text: str) -> bool:
    """Tell whether a text has an address in it."""
    return "://" in text and _LINK.search(text) is not None


def words_in(text: str) -> list[str]:
    """Return the words of a text in their order, as the index holds them."""
    return _words(text)[0]


def _words(text: str) -> tuple[list[str], set[str]]:
    """Return the words of a text, and the characters of its paired runs one by one."""
    if text.isascii():
        return [word[:LONGEST] for word in _ASCII_WORD.findall(text.lower())], set()
    words: list[str] = []
    single: set[str] = set()
    for word in runs(fold(text).text):
        if word.paired:
            words += pairs(word.text)
            single.update(word.text)
        else:
            words.append(word.text[:LONGEST])
    return words, single


def room_mark(room_id: str) -> str:
    """Return the mark of the messages of a room, and of one in 2**40 others: whoever asks looks at the room itself too."""
    return _MARK + "r" + _short(room_id)


def sender_mark(user_id: str) -> str:
    """Return the mark of the messages of a user, and of one in 2**40 others."""
    return _MARK + "u" + _short(user_id)


def has_mark(what: str) -> str:
    """Return the mark of the messages with a `link`, `mention`, `reaction` or `pin`."""
    return _MARK + "h" + what


@functools.lru_cache(65_536)
def _short(identifier: str) -> str:
    """Return 10 digits of all of an id's; with all 32 a message would take 50 bytes more."""
    return f"{int(identifier.replace('-', ''), 16) % _PRIME:010x}"
