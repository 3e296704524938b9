"""Who a text mentions, as a reader would say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.chat.mentions import MAX_MENTIONS, parse_mentions


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@bob", ["bob"]),
        ("hi @Bob, and @ann.", ["bob", "ann"]),
        ("(@bob) '@ann' *@eve*", ["bob", "ann", "eve"]),
        ("@bob @bob @BOB", ["bob"]),
        ("@anna.lena-2 @x_y", ["anna.lena-2", "x_y"]),
        ("@бор @張", ["бор", "張"]),
        ("line\n@bob", ["bob"]),
        ("bob@example.org", []),
        ("@bob@example.org", []),
        ("https://example.org/@bob", []),
        (r"\@bob", []),
        ("@ bob", []),
        ("@@bob", []),
        ("`@bob` @ann", ["ann"]),
        ("``a ` @bob`` @ann", ["ann"]),
        ("an open ` tick @bob", ["bob"]),
        ("```\n@bob\n```\n@ann", ["ann"]),
        ("```py\n@bob\n", []),
        ("~~~\n@bob\n~~~\n@ann", ["ann"]),
        ("````\n```\n@bob\n```\n````\n@ann", ["ann"]),
        ("``` @bob ```\n@ann", ["ann"]),
        ("a ` b\n\n` @bob", ["bob"]),
    ],
)
def test_names_are_those_a_reader_sees_as_mentions(text: str, names: list[str]) -> None:
    mentions = parse_mentions(text)
    assert mentions.names == names
    assert not mentions.room


@pytest.mark.parametrize("text", ["@room", "@all!", "hey @Room", "@bob and @all"])
def test_everybody_is_meant(text: str) -> None:
    assert parse_mentions(text).room
    assert not {"room", "all"} & set(parse_mentions(text).names)


@pytest.mark.parametrize("text", ["`@room`", "mail@all", "@roomy", "@all-hands"])
def test_everybody_is_not_meant(text: str) -> None:
    assert not parse_mentions(text).room


def test_names_past_the_bound_are_plain_text() -> None:
    text = " ".join(f"@user{number}" for number in range(MAX_MENTIONS + 10))
    assert parse_mentions(text).names == [f"user{number}" for number in range(MAX_MENTIONS)]


markdown = st.text(st.sampled_from("@`~ \nabz.-\\/"), max_size=120)


@given(markdown | st.text(max_size=300))
def test_every_name_stands_in_the_text_behind_an_at_and_once(text: str) -> None:
    names, _ = parse_mentions(text)
    assert len(names) == len(set(names)) <= MAX_MENTIONS
    assert all(name and f"@{name}" in text.lower() for name in names)


@given(markdown)
def test_a_code_span_around_a_text_without_ticks_hides_all_of_it(text: str) -> None:
    hidden = text.replace("`", "").replace("\n", " ")
    assert parse_mentions(f"x `{hidden}`") == ([], False) or not hidden


@given(markdown)
def test_a_fence_around_any_text_hides_all_of_it(text: str) -> None:
    fence = "`" * (len(text) + 3)
    assert parse_mentions(f"{fence}\n{text}\n{fence}") == ([], False)


@given(markdown, st.sampled_from(["bob", "ann"]))
def test_a_mention_after_a_blank_line_and_outside_fences_counts(text: str, name: str) -> None:
    prose = text.replace("```", "").replace("~", "").replace("`", "")
    assert name in parse_mentions(f"{prose}\n\n@{name}").names


def test_the_worst_texts_are_parsed_in_a_moment() -> None:
    for text in ("`" * 8000, "` `` " * 1600, "@a" * 4000, "@" * 8000, "```\n" * 2000, "@a.-" * 2000):
        parse_mentions(text[:8000])
