"""Who a text mentions: `@name`, and `@room` or `@all` for everybody. Pure and linear in the text."""

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_MENTIONS = 50
"""Different names of one message that count; further ones are plain text."""

_EVERYBODY = frozenset({"room", "all"})

# What stands before the @ of an address (`ann@example.org`), of a path (`example.org/@ann`) or of an escape is no place
# for a mention; `@ann@example.org` is an address too, hence the possessive quantifier: it must not give back letters.
_NAME = re.compile(r"(?<![\w.+\-/@\\])@(\w[\w.\-]*+)(?!@)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TICKS = re.compile(r"`+")


class Mentions(NamedTuple):
    """Lower-cased names in order of appearance, each once and at most `MAX_MENTIONS`; `room` where everybody is meant."""

    names: list[str]
    room: bool


def parse_mentions(text: str) -> Mentions:
    """Return whom `text` mentions, outside code spans, code blocks (CommonMark 4.5 and 6.1) and addresses."""
    names: dict[str, None] = {}
    room = False
    if "@" not in text:
        return Mentions([], room)
    for prose in _outside_code(text):
        for match in _NAME.finditer(prose):
            name = match[1].rstrip(".-").lower()
            if name in _EVERYBODY:
                room = True
            elif len(names) < MAX_MENTIONS:
                names[name] = None
    return Mentions(list(names), room)


def _outside_code(text: str) -> Iterator[str]:
    if "`" not in text and "~~~" not in text:
        yield text
        return
    for paragraph in _outside_blocks(text):
        yield from _outside_spans(paragraph)


def _outside_blocks(text: str) -> Iterator[str]:
    """Yield the paragraphs that are in no fenced block; a block without an end reaches to the end of the text."""
    fence = ""
    paragraph: list[str] = []
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if fence:
            # The closing fence is at least as long as the opening one and nothing follows it.
            if match and match[1].startswith(fence) and not line[match.end() :].strip():
                fence = ""
        elif match and not (match[1][0] == "`" and "`" in line[match.end() :]):
            fence = match[1]
            yield "\n".join(paragraph)
            paragraph = []
        elif line.strip():
            paragraph.append(line)
        else:
            yield "\n".join(paragraph)
            paragraph = []
    yield "\n".join(paragraph)


def _outside_spans(paragraph: str) -> Iterator[str]:
    """Yield what stands between code spans: a span runs from a run of backticks to the next run of the same length."""
    runs = [match.span() for match in _TICKS.finditer(paragraph)]
    closing: list[int | None] = [None] * len(runs)
    latest: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1] - runs[index][0]
        closing[index] = latest.get(length)
        latest[length] = index
    position = index = 0
    while index < len(runs):
        end = closing[index]
        if end is None:
            index += 1
            continue
        yield paragraph[position : runs[index][0]]
        position = runs[end][1]
        index = end + 1
    yield paragraph[position:]
