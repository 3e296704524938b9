"""TURN credentials, and what passes for the URL of a server."""

import base64
import hashlib
import hmac

import pytest

from parlour.platform.ids import UserId
from parlour.video.ice import IceServers, check_urls
from parlour.video.model import IceServer

from ..chat.doubles import ManualClock

SECRET = "north-lamp-harbour-quill"
TURN = ["turn:turn.example.org:3478?transport=udp", "turns:turn.example.org:5349"]


def test_credential_is_the_hmac_of_expiry_and_user() -> None:
    """draft-uberti-behave-turn-rest-00, section 2.2."""
    clock = ManualClock(1_764_018_000_999)
    servers = IceServers(clock, stun=["stun:turn.example.org"], turn=TURN, secret=SECRET, lifetime=900)
    stun, turn = servers.of(UserId("ann"))
    assert stun == IceServer(["stun:turn.example.org"])
    assert (turn.urls, turn.username) == (TURN, "1764018900:ann")
    digest = hmac.new(SECRET.encode(), b"1764018900:ann", hashlib.sha1).digest()
    assert turn.credential == base64.b64encode(digest).decode()
    clock.advance(10)
    assert servers.of(UserId("ann"))[1].username == "1764018910:ann"


def test_without_servers_there_are_none() -> None:
    assert IceServers(ManualClock()).of(UserId("ann")) == []


@pytest.mark.parametrize("secret", ["", "short", "x" * 15])
def test_turn_needs_a_secret_that_is_not_guessed(secret: str) -> None:
    with pytest.raises(ValueError, match="at least 16"):
        IceServers(ManualClock(), turn=TURN, secret=secret)


@pytest.mark.parametrize(
    "url", ["stun:a", "stun:a.example.org:3478", "stuns:192.0.2.1:5349", "stun:[2001:db8::1]", "stun:[::1]:3478"]
)
def test_stun_urls(url: str) -> None:
    """RFC 7064."""
    check_urls([url], [])
    with pytest.raises(ValueError, match="turn:host"):
        check_urls([], [url])


@pytest.mark.parametrize(
    "url", ["turn:a", "turn:a:3478?transport=tcp", "turns:[::1]:5349?transport=tcp", "turn:192.0.2.1"]
)
def test_turn_urls(url: str) -> None:
    """RFC 7065."""
    check_urls([], [url])
    with pytest.raises(ValueError, match="stun:host"):
        check_urls([url], [])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a",
        "turn:",
        "turn://a",
        "turn:a:port",
        "turn:a?transport=sctp",
        "turn:a b",
        "turn:a\n",
        "http://a",
        "turn:u@a",
    ],
)
def test_what_is_no_url_of_a_server(url: str) -> None:
    for stun, turn in (([url], []), ([], [url])):
        with pytest.raises(ValueError, match="is not like"):
            check_urls(stun, turn)
