"""Words as PostgreSQL holds and asks for them: the text forms of a tsvector and of a tsquery. Pure.

No dictionary of PostgreSQL's is asked: the words are those of fulltext/words.py, with their positions, beside them as marks without
a position the room, the sender and the characters that a paired run has. No word holds a quotation mark or a backslash.
"""

from collections import Counter
from collections.abc import Sequence

from parlour.chat.adapters.fulltext.query import Term
from parlour.chat.adapters.fulltext.words import document, room_mark, sender_mark
from parlour.chat.ports import SearchQuery

MARKED_ROOMS = 128
"""With more rooms the index is not asked for each of them: what it finds is filtered by room instead."""

MOST_UNITS = 32
"""Words of a phrase that the index is asked for; whoever ranks what it finds looks at the whole."""

_MOST_PLACES = 256
_LAST_PLACE = 16_383
"""PostgreSQL keeps no more positions of a word, and none past this one."""

_CUT = "\ue000cut"
"""Marks a message whose words do not all have their places: there a phrase is a matter of its words alone."""


def vector(text: str, room_id: str, sender_id: str) -> str:
    """Return the tsvector of a message, empty where it has no words."""
    joined, marks = document(text, room_id, sender_id)
    if not joined:
        return ""
    words = joined.split(" ")
    counts: Counter[str] = Counter()
    parts = []
    for place, word in enumerate(words, start=1):
        counts[word] += 1
        if place <= _LAST_PLACE and counts[word] <= _MOST_PLACES:
            parts.append(f"'{word}':{place}")
        elif counts[word] == 1:
            parts.append(f"'{word}'")
    if len(words) > _LAST_PLACE or max(counts.values()) > _MOST_PLACES:
        parts.append(f"'{_CUT}'")
    parts += (f"'{mark}'" for mark in marks.split(" "))
    return " ".join(parts)


def asked(query: SearchQuery, terms: Sequence[Term]) -> str:
    """Return the tsquery of a search: a superset of what matches, without other senders, and other rooms where those are few."""
    parts = [_asked(term) for term in terms]
    if query.from_user is not None:
        parts.append(f"'{sender_mark(query.from_user)}'")
    if len(query.room_ids) <= MARKED_ROOMS:
        parts.append("(" + " | ".join(f"'{room_mark(room_id)}'" for room_id in query.room_ids) + ")")
    return " & ".join(parts)


def _asked(term: Term) -> str:
    if term.prefix:
        return f"'{term.prefix}':*"
    units = [f"'{unit}'" for unit in (term.units or (term.single,))][:MOST_UNITS]
    if len(units) == 1:
        return units[0]
    return f"({' <-> '.join(units)} | '{_CUT}' & {' & '.join(units)})"
