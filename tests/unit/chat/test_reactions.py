"""What counts as one reaction (Unicode TR51)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.chat.reactions import MAX_EMOJI_BYTES, is_reaction

ONE = [
    "👍",
    "👍🏽",
    "👨‍👩‍👧‍👦",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "🇩🇪",
    "1️⃣",
    "❤️",
    "❤️‍🔥",
    "🏳️‍🌈",
    "🧑🏽‍💻",
    "☎",
    "‼️",
    "🫨",
    "㊗️",
    ":+1:",
    ":party_parrot:",
]
NOT_ONE = [
    "",
    "a",
    "ab",
    "1",
    "👍👍",
    "👍 ",
    " 👍",
    "\ud800",
    "\0",
    ":a b:",
    "::",
    "<b>",
    "🇩",
    "😀" * 20,
    ":" + "a" * 63 + ":",
]


@pytest.mark.parametrize("emoji", ONE)
def test_one_emoji_or_shortcode(emoji: str) -> None:
    assert is_reaction(emoji)


@pytest.mark.parametrize("emoji", NOT_ONE)
def test_anything_else(emoji: str) -> None:
    assert not is_reaction(emoji)


@given(st.text(max_size=80))
def test_what_is_accepted_is_short_and_no_text(emoji: str) -> None:
    if is_reaction(emoji):
        assert len(emoji.encode()) <= MAX_EMOJI_BYTES
        assert not emoji.isalnum()
