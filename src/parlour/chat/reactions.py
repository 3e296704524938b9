"""What counts as a reaction: one emoji as people see it, or a `:shortcode:`. Pure."""

import re

MAX_EMOJI_BYTES = 64
MAX_REACTIONS = 50
"""Different reactions of one message."""

# Unicode TR51 ED-17 (emoji sequences) over the blocks that hold emoji, so that an emoji newer than this Python's
# character tables is one too.
_BASE = (
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf"
    r"\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
)
_ELEMENT = rf"{_BASE}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?\u20e3?"
_TAGS = r"(?:[\U000e0020-\U000e007e]+\U000e007f)?"
_EMOJI = re.compile(
    rf"{_ELEMENT}{_TAGS}(?:\u200d{_ELEMENT})*"  # one, or several joined: families, professions
    r"|[\U0001f1e6-\U0001f1ff]{2}"  # flags
    r"|[0-9#*]\ufe0f?\u20e3"  # keycaps
    r"|:[a-z0-9_+\-]{1,62}:"
).fullmatch


def is_reaction(emoji: str) -> bool:
    """Tell whether `emoji` is one emoji or a shortcode of at most 64 bytes."""
    return len(emoji) <= MAX_EMOJI_BYTES and _EMOJI(emoji) is not None and len(emoji.encode()) <= MAX_EMOJI_BYTES
