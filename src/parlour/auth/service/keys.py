"""The keys that sign access tokens: kept in the store, rotated with an overlap, published as a JWK set."""

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import msgspec
from joserfc import jws
from joserfc.jwk import OKPKey

from parlour.auth.model import SECOND, Lifetimes, Session, SigningKey, User
from parlour.auth.ports import KeyStore
from parlour.platform.clock import Clock
from parlour.platform.tokens import ALGORITHM, ISSUER, Claims

_SLACK = 30 * SECOND
"""A key verifies this much longer than its last token lives: clocks of machines differ."""


class KeyRing:
    """Signs access tokens, and is the `platform.tokens.KeySource` of its process.

    A new key is published for `lifetimes.key_lead` before it signs. Every process loads the keys more often than that, so all of them can
    verify its first token. The key before it verifies until its last token has expired, and is deleted then.
    """

    def __init__(self, store: KeyStore, clock: Clock, lifetimes: Lifetimes) -> None:
        self._store = store
        self._clock = clock
        self._lifetimes = lifetimes
        self._keys: list[SigningKey] = []
        self._pairs: dict[str, OKPKey] = {}
        self._public: dict[str, OKPKey] = {}
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        """Take over the keys of the store; make the first, and delete those that have outlived their tokens."""
        async with self._loading:
            keys = await self._store.keys()
            if not keys:
                await self._store.add(self._new_key(self._clock.now()), only_first=True)
                keys = await self._store.keys()
            outlived = self._outlived(keys)
            if outlived:
                await self._store.remove(sorted(outlived))
            self._keys = [key for key in keys if key.kid not in outlived]
            self._pairs = {key.kid: self._pairs.get(key.kid) or _imported(key) for key in self._keys}
            self._public = {kid: OKPKey.import_key(pair.as_dict(private=False)) for kid, pair in self._pairs.items()}

    async def rotate(self) -> str:
        """Make a new key and return its kid; it signs from `key_lead` on."""
        key = self._new_key(self._clock.now() + self._lifetimes.key_lead)
        await self._store.add(key)
        await self.load()
        return key.kid

    def public_keys(self) -> Mapping[str, OKPKey]:
        """Return the keys that may have signed a token still valid, by `kid`."""
        return self._public

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the public keys as a JWK set (RFC 7517 section 5)."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
                for kid, key in self._public.items()
            ]
        }

    def sign(self, user: User, session: Session, *, lifetime: int | None = None) -> str:
        """Return an access token of `lifetime` ms (the usual) from now, in whole seconds."""
        now = self._clock.now()
        claims = Claims(
            iss=ISSUER,
            sub=user.id,
            sid=session.id,
            name=user.username,
            role=user.role,
            iat=now // 1000,
            exp=(now + (lifetime or self._lifetimes.access)) // 1000,
        )
        kid = self.signing_kid(now)
        header = {"alg": ALGORITHM, "kid": kid, "typ": "JWT"}
        return jws.serialize_compact(header, msgspec.json.encode(claims), self._pairs[kid], algorithms=[ALGORITHM])

    async def note_long_tokens(self, until: int) -> None:
        """Keep the present key until `until` (ms), for tokens of more than the usual lifetime."""
        await self._store.note_long_tokens(self.signing_kid(self._clock.now()), until)

    def signing_kid(self, now: int) -> str:
        """Return the kid of the key that signs at `now`: the newest whose time has come."""
        due = [key.kid for key in self._keys if key.signs_from <= now]
        return due[-1] if due else self._keys[0].kid

    def _outlived(self, keys: list[SigningKey]) -> set[str]:
        now = self._clock.now()
        return {
            key.kid
            for key, successor in pairwise(keys)
            if max(key.long_tokens_until, successor.signs_from + self._lifetimes.access) + _SLACK < now
        }

    def _new_key(self, signs_from: int) -> SigningKey:
        pair = OKPKey.generate_key("Ed25519", private=True)
        kid = pair.thumbprint()
        return SigningKey(kid, msgspec.json.encode(pair.as_dict(private=True)).decode(), self._clock.now(), signs_from)


def _imported(key: SigningKey) -> OKPKey:
    return OKPKey.import_key(msgspec.json.decode(key.private_jwk, type=dict[str, str | list[str]]))
