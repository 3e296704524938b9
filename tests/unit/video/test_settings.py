"""The settings of calls are checked when a process starts, and their secret is shown to nobody."""

import pytest

from parlour.config import ConfigurationError, load

TURN = "turn:turn.example.org:3478?transport=udp,turns:turn.example.org:5349"
SECRET = "north-lamp-harbour-quill"


def environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"PARLOUR_{name.upper()}", value)


def test_servers_and_secret_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, turn_urls=TURN, turn_secret=SECRET, stun_urls="stun:turn.example.org")
    settings = load()
    assert settings.turn_urls == TURN.split(",")
    assert settings.stun_urls == ["stun:turn.example.org"]
    assert settings.turn_secret.get_secret_value() == SECRET
    assert SECRET not in str(settings.redacted())
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"turn_urls": TURN}, "PARLOUR_TURN_SECRET: TURN servers need the secret"),
        ({"turn_urls": TURN, "turn_secret": "short"}, "at least 16 characters"),
        ({"turn_secret": SECRET}, "PARLOUR_TURN_SECRET is set without PARLOUR_TURN_URLS"),
        ({"turn_urls": "turn.example.org", "turn_secret": SECRET}, "PARLOUR_TURN_URLS"),
        ({"stun_urls": "http://turn.example.org"}, "PARLOUR_STUN_URLS"),
        ({"call_ring_seconds": "0"}, "PARLOUR_CALL_RING_SECONDS"),
        ({"turn_credential_seconds": "5"}, "PARLOUR_TURN_CREDENTIAL_SECONDS"),
    ],
)
def test_what_does_not_fit_is_refused_and_named(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], says: str
) -> None:
    environment(monkeypatch, **values)
    with pytest.raises(ConfigurationError) as refused:
        load()
    assert says in str(refused.value)
    assert SECRET not in str(refused.value)


def test_without_them_calls_have_no_ice_servers() -> None:
    settings = load()
    assert (settings.stun_urls, settings.turn_urls, settings.turn_secret.get_secret_value()) == ([], [], "")
