"""What may be a username, an address and a display name."""

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.auth.errors import DisplayNameInvalid, EmailInvalid, UsernameInvalid
from parlour.auth.names import (
    MAX_DISPLAY_NAME,
    check_display_name,
    check_email,
    check_username,
    device_name,
    display_key,
    email_key,
    login_key,
    username_key,
)
from parlour.platform.errors import ParlourError


@pytest.mark.parametrize(
    "name", ["bo", "ann_lee", "ann.lee", "ann-lee", "42", "Zoë", "Ирина", "山田たろう", "김철수", "_x", "a" * 32]
)
def test_usernames_of_any_one_script_are_accepted(name: str) -> None:
    assert check_username(name) == unicodedata.normalize("NFKC", name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a", "length"),
        ("a" * 33, "length"),
        ("", "length"),
        ("ann lee", "characters"),
        ("ann@lee", "characters"),
        (".ann", "characters"),
        ("ann.", "characters"),
        ("ann..lee", "characters"),
        ("ann\u200blee", "characters"),
        ("ann\u202elee", "characters"),
        ("ann\x00", "characters"),
        ("ann\n", "characters"),
        ("room", "reserved"),
        ("ALL", "reserved"),
        ("аnn", "mixed_scripts"),  # a Cyrillic а before Latin letters
        ("annα", "mixed_scripts"),
        ("соре", "lookalike"),  # all Cyrillic, and looks Latin throughout
    ],
)
def test_other_usernames_are_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(UsernameInvalid) as refused:
        check_username(name)
    assert refused.value.details == {"field": "username", "reason": reason}


@pytest.mark.parametrize(
    ("one", "other"), [("Ann", "aNN"), ("ＡＮＮ", "ann"), ("Straße", "STRASSE"), ("Zoe\u0308", "ZOË")]
)
def test_usernames_that_people_confuse_have_one_key(one: str, other: str) -> None:
    assert username_key(one) == username_key(other)


@given(st.text(max_size=40))
def test_any_text_is_a_username_or_refused_with_an_error_of_ours(text: str) -> None:
    try:
        name = check_username(text)
    except UsernameInvalid:
        return
    assert check_username(name) == name
    assert username_key(name) == username_key(username_key(name))
    assert "@" not in name
    assert name.isprintable()


@pytest.mark.parametrize(
    "address", ["ann@example.org", "Ann.Lee+tag@EXAMPLE.org", "o'neil@example.org", "ann@localhost", "ænn@exämple.org"]
)
def test_addresses_are_accepted_and_trimmed(address: str) -> None:
    assert check_email(f" {address} ") == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "a@b@c",
        "an n@x.org",
        "ann@x..org",
        "ann@.org",
        "ann@x.org\x00",
        "a" * 65 + "@x.org",
        "a@" + "x" * 253,
    ],
)
def test_other_texts_are_no_addresses(address: str) -> None:
    with pytest.raises(EmailInvalid):
        check_email(address)


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_refused_with_an_error_of_ours(text: str) -> None:
    with suppress(EmailInvalid):
        assert len(email_key(check_email(text))) <= 512


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [("  Ann \t Lee ", "Ann Lee"), ("👩‍👩‍👧 family", "👩‍👩‍👧 family"), ("x" * 64, "x" * 64), ("नेहा", "नेहा")],
)
def test_display_names_may_be_nearly_anything(given_name: str, shown: str) -> None:
    assert check_display_name(given_name) == shown


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "ann\u202egpj.exe", "\u200b", "a\x07b", "\u200dann", "\ud800"])
def test_display_names_that_hide_or_spill_are_refused(name: str) -> None:
    with pytest.raises(DisplayNameInvalid):
        check_display_name(name)


@given(st.text(max_size=80))
def test_any_text_is_a_display_name_or_refused_with_an_error_of_ours(text: str) -> None:
    try:
        shown = check_display_name(text)
    except ParlourError:
        return
    assert 1 <= len(shown) <= MAX_DISPLAY_NAME
    assert len(display_key(shown)) <= 128


def test_a_login_with_an_at_sign_is_an_address() -> None:
    assert login_key(" Ann@Example.org ") == "ann@example.org"
    assert login_key(" Ann ") == "ann"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Safari/604.1",
            "Chrome on iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "unknown"),
        ("\x00\x07", "unknown"),
    ],
)
def test_a_device_is_called_by_browser_and_system(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
