"""Access tokens: only what one of our keys signed, in its time, of a session that goes on."""

import base64
import json
import warnings
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from parlour.platform.errors import Unauthenticated
from parlour.platform.ids import SessionId, uuid7
from parlour.platform.permissions import Role
from parlour.platform.tokens import ALGORITHM, ISSUER, SessionEnded, TokenExpired, TokenInvalid, TokenVerifier

from ..auth.world import ManualClock

OURS = OKPKey.generate_key("Ed25519", private=True)
THEIRS = OKPKey.generate_key("Ed25519", private=True)
KID = "2026-11"


class Keys:
    """One public key; `asked` counts how often it was needed."""

    def __init__(self) -> None:
        self.keys = {KID: OKPKey.import_key(OURS.as_dict(private=False))}
        self.asked = 0

    def public_keys(self) -> dict[str, OKPKey]:
        self.asked += 1
        return self.keys


CLOCK = ManualClock()
SESSION = SessionId(uuid7())


def claims(**changes: Any) -> dict[str, Any]:
    now = CLOCK.now() // 1000
    whole = {
        "iss": ISSUER,
        "sub": uuid7(),
        "sid": SESSION,
        "name": "ann",
        "role": "member",
        "iat": now,
        "exp": now + 600,
    }
    return whole | changes


def token(payload: object = None, *, kid: str = KID, algorithm: str = ALGORITHM, key: Any = OURS) -> str:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload or claims()).encode()
    return jws.serialize_compact({"alg": algorithm, "kid": kid}, raw, key, algorithms=[algorithm])


def unsigned(header: dict[str, Any], payload: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload)]
    return ".".join([*parts, ""])


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(Keys(), CLOCK)


def test_good_token_names_its_user(verifier: TokenVerifier) -> None:
    payload = claims(role="admin")
    principal = verifier.verify(token(payload))
    assert (principal.user_id, principal.session_id, principal.role) == (payload["sub"], SESSION, Role.ADMIN)
    assert principal.expires_at == payload["exp"]


def bad_tokens() -> dict[str, str]:
    good = token()
    head, body, signature = good.split(".")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shared = token(algorithm="HS256", key=OctKey.import_key(json.dumps(OURS.as_dict(private=False))))
    return {
        "another key's signature": token(key=THEIRS),
        "a changed payload": ".".join([head, token(claims(role="owner")).split(".")[1], signature]),
        "a changed signature": f"{head}.{body}.{'A' * len(signature)}",
        "no signature": f"{head}.{body}.",
        "alg none": unsigned({"alg": "none", "kid": KID}, claims()),
        "alg none, capitals": unsigned({"alg": "NoNe", "kid": KID}, claims()),
        "our public key as a shared secret": shared,
        "an unknown kid": token(kid="other"),
        "no kid": jws.serialize_compact(
            {"alg": ALGORITHM}, json.dumps(claims()).encode(), OURS, algorithms=[ALGORITHM]
        ),
        "a kid that is no text": unsigned({"alg": ALGORITHM, "kid": ["a", {}]}, claims()),
        "another issuer": token(claims(iss="elsewhere")),
        "an unknown role": token(claims(role="emperor")),
        "missing claims": token({"iss": ISSUER}),
        "claims of other types": token(claims(exp="never")),
        "claims that are a list": token([1]),
        "claims that are not JSON": token(b"\xff\xfe"),
        "a critical header that nobody knows": unsigned({"alg": ALGORITHM, "kid": KID, "crit": ["x"]}, claims()),
        "over 2,048 characters": token(claims(name="x" * 2000)),
        "nothing": "",
        "dots": "..",
        "no ASCII": "é.é.é",
        "a lone surrogate": "\ud800",
    }


@pytest.mark.parametrize(("name", "bad"), bad_tokens().items(), ids=bad_tokens())
def test_is_invalid(verifier: TokenVerifier, name: str, bad: str) -> None:
    with pytest.raises(TokenInvalid):
        verifier.verify(bad)


@given(st.text(max_size=300) | st.lists(st.text("abcXYZ019-_=", max_size=60), min_size=2, max_size=5).map(".".join))
def test_any_text_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(Unauthenticated):
        TokenVerifier(Keys(), CLOCK).verify(text)


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk"]), st.none() | st.integers() | st.text())
)
def test_any_header_is_refused_and_nothing_else(header: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        TokenVerifier(Keys(), CLOCK).verify(unsigned(header, claims()) + "AAAA")


def test_expires_to_the_millisecond_also_when_remembered() -> None:
    clock = ManualClock()
    verifier = TokenVerifier(Keys(), clock)
    good = token(claims(exp=clock.now() // 1000 + 10))
    clock.advance(9.999)
    verifier.verify(good)
    clock.advance(0.001)
    for _ in range(2):
        with pytest.raises(TokenExpired):
            verifier.verify(good)


def test_ended_session_is_refused_also_when_remembered(verifier: TokenVerifier) -> None:
    mine, other = token(), token(claims(sid=uuid7()))
    verifier.verify(mine)
    verifier.end_session(SESSION, CLOCK.now() + 600_000)
    with pytest.raises(SessionEnded):
        verifier.verify(mine)
    with pytest.raises(SessionEnded):
        verifier.verify(token())
    verifier.verify(other)


def test_repeated_token_is_checked_once() -> None:
    keys = Keys()
    verifier = TokenVerifier(keys, CLOCK)
    good = token()
    assert {verifier.verify(good) for _ in range(5)} == {verifier.verify(good)}
    assert keys.asked == 1


def test_what_is_remembered_is_bounded() -> None:
    keys = Keys()
    verifier = TokenVerifier(keys, CLOCK, cache_size=2)
    first, *others = (token(claims(sid=uuid7())) for _ in range(3))
    for each in (first, *others, first):
        verifier.verify(each)
    assert keys.asked == 4


def test_ended_sessions_are_forgotten_once_their_tokens_have_expired() -> None:
    clock = ManualClock()
    verifier = TokenVerifier(Keys(), clock)
    for number in range(10_001):
        verifier.end_session(SessionId(str(number)), clock.now() + 1)
    clock.advance(1)
    verifier.end_session(SESSION, clock.now() + 600_000)
    assert len(verifier._ended) == 1
    with pytest.raises(SessionEnded):
        verifier.verify(token(msgspec.to_builtins(claims())))
