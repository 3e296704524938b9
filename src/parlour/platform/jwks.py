"""The public keys of access tokens in a process without the auth service: fetched from it, and looked at again all the time."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from joserfc.jwk import OKPKey

from parlour.platform.errors import Internal, Unavailable
from parlour.platform.services import ServiceClient
from parlour.platform.supervision import keep_looking

logger = logging.getLogger(__name__)

PATH: Final = "/.well-known/jwks.json"

INTERVAL: Final = 1.0
"""Seconds between two looks. A new key is published 5 s before it signs, but a process of auth may publish it up to 2.5 s after another
one, or `parlour admin`, made it (auth/service/watch.py): this leaves 1.5 s for answers that take their time."""


class JwksKeys:
    """The `tokens.KeySource` that is a copy of the auth service's JWK set (RFC 7517 section 5; RFC 8037 section 2).

    `await start()` before anything is verified; `run()` beside the server. While the auth service is away, or answers with what is
    no set of our keys or an empty one, the keys of before stay.
    """

    def __init__(self, auth: ServiceClient, *, interval: float = INTERVAL) -> None:
        """Look every `interval` seconds."""
        self._auth = auth
        self._interval = interval
        self._keys: dict[str, OKPKey] = {}

    def public_keys(self) -> Mapping[str, OKPKey]:
        """Return the keys that may have signed a token still valid, by `kid`."""
        return self._keys

    async def start(self) -> None:
        """Fetch the keys; return when they are there, however long the auth service lets wait."""
        waited = False
        while not self._keys:
            try:
                await self.look()
            except (Unavailable, Internal):
                if not waited:
                    logger.warning("waiting for the auth service: without its keys nobody can be let in")
                waited = True
                await asyncio.sleep(self._interval)

    async def run(self) -> None:
        """Look until cancelled, whatever happens."""
        await keep_looking(
            self.look,
            self._interval,
            away="the auth service does not tell its keys; those of before stay",
            failed="looking for keys failed",
        )

    async def look(self) -> None:
        """Take over the keys that the auth service has now.

        Raises:
            Unavailable, Internal: it does not tell them.
        """
        told = await self._auth.read(PATH, _KeySet)
        keys = {key.kid: OKPKey.import_key({"kty": key.kty, "crv": key.crv, "x": key.x}) for key in told.keys}
        if keys.keys() != self._keys.keys():
            logger.info("keys of access tokens", extra={"kids": sorted(keys)})
        self._keys = keys


class _Key(msgspec.Struct):
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]
    kid: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class _KeySet(msgspec.Struct):
    keys: Annotated[list[_Key], msgspec.Meta(min_length=1, max_length=1_000)]
