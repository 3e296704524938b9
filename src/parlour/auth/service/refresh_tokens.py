"""Refresh tokens: opaque to everybody else, and recognisable for us when they come back spent.

A token is 64 bytes in base64url: the session's id (16), a random secret (32) and a seal (16), the HMAC-SHA256 of both under the
session's own key. Access rests on the secret alone; the store keeps the SHA-256 of the whole. The seal tells a spent token of this family
from one that somebody made up, so that spent tokens need not be kept to notice their reuse, and nobody can end a session by
inventing one.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import uuid
from typing import NamedTuple

from parlour.platform.ids import SessionId

_ID, _SECRET, _SEAL = 16, 32, 16
_TOKEN = 86


class RefreshToken(NamedTuple):
    """A new token, for the client, and its hash, for the store."""

    token: str
    hash: bytes


def new_family_key() -> bytes:
    """Return the key that seals the tokens of one session."""
    return secrets.token_bytes(32)


def mint(session_id: SessionId, family_key: bytes) -> RefreshToken:
    """Make a token of a session."""
    body = uuid.UUID(session_id).bytes + secrets.token_bytes(_SECRET)
    token = base64.urlsafe_b64encode(body + _seal(body, family_key)).rstrip(b"=").decode()
    return RefreshToken(token, hash_of(token))


def session_named_by(token: str) -> SessionId | None:
    """Return the id of the session that a token claims to be of; None where it is no token at all."""
    raw = _bytes(token)
    return None if raw is None else SessionId(str(uuid.UUID(bytes=raw[:_ID])))


def is_authentic(token: str, family_key: bytes) -> bool:
    """Tell whether we made the token for the session of this key."""
    raw = _bytes(token)
    return raw is not None and hmac.compare_digest(_seal(raw[:-_SEAL], family_key), raw[-_SEAL:])


def hash_of(token: str) -> bytes:
    """Return what is stored of a token. The secret has 256 bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()


def _seal(body: bytes, family_key: bytes) -> bytes:
    return hmac.digest(family_key, body, "sha256")[:_SEAL]


def _bytes(token: str) -> bytes | None:
    if len(token) != _TOKEN or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == _ID + _SECRET + _SEAL else None
