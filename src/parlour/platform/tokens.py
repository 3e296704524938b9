"""Access tokens as every service checks them: EdDSA signatures by public key, and sessions that ended before their time."""

import warnings
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey
from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from parlour.platform.clock import Clock
from parlour.platform.errors import Unauthenticated
from parlour.platform.ids import SessionId, UserId
from parlour.platform.permissions import Role

ALGORITHM = "EdDSA"
# RFC 9864 renames it to Ed25519, which many verifiers do not know yet; the signatures are the same.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)
ISSUER = "parlour"

_REMEMBERED_HEADERS = 100


class TokenInvalid(Unauthenticated):
    """The access token is not valid.

    Refresh, or log in again.
    """

    code = "token_invalid"


class TokenExpired(Unauthenticated):
    """The access token has expired.

    Refresh and repeat.
    """

    code = "token_expired"


class SessionEnded(Unauthenticated):
    """The session was revoked.

    Log in again; refreshing cannot succeed.
    """

    code = "session_revoked"


class Principal(msgspec.Struct, frozen=True):
    """Who is asking: the claims of a verified access token. `expires_at` in seconds since the epoch."""

    user_id: UserId
    session_id: SessionId
    username: str
    role: Role
    expires_at: int


class Claims(msgspec.Struct):
    """The payload of an access token (RFC 7519)."""

    iss: str
    sub: UserId
    sid: SessionId
    name: str
    role: Role
    iat: int
    exp: int


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    """The header of an access token (RFC 7515 section 4); one with anything else, `crit` say, is none of ours."""

    alg: Literal["EdDSA"]
    kid: str
    typ: Literal["JWT"] = "JWT"


class KeySource(Protocol):
    """Where the public keys come from."""

    def public_keys(self) -> Mapping[str, OKPKey]:
        """Return the keys that may have signed a token still valid, by `kid`."""
        ...


class TokenVerifier:
    """Verifies access tokens; what was verified is remembered, so that a repeated token costs one look-up.

    A signature check costs about 75 µs, a look-up less than 1. Expiry and revocation are checked on every call. Every connecting
    socket pays it, hence libsodium, which takes half of OpenSSL's time, and no joserfc, which takes 30 µs for the compact form.
    """

    def __init__(self, keys: KeySource, clock: Clock, *, cache_size: int = 20_000) -> None:
        self._keys = keys
        self._clock = clock
        self._verified: OrderedDict[str, Principal] = OrderedDict()
        self._cache_size = cache_size
        self._ended: dict[SessionId, int] = {}
        self._decoder = msgspec.json.Decoder(Claims)
        self._kids: dict[str, str] = {}
        self._verify_keys: dict[str, VerifyKey] = {}

    def verify(self, token: str) -> Principal:
        """Return whom `token` names.

        Raises:
            TokenInvalid: it is malformed, or no key of ours signed it.
            TokenExpired: its time is over.
            SessionEnded: its session was revoked.
        """
        principal = self._verified.get(token)
        if principal is None:
            principal = self._check_signature(token)
            self._verified[token] = principal
            if len(self._verified) > self._cache_size:
                self._verified.popitem(last=False)
        if principal.expires_at * 1000 <= self._clock.now():
            self._verified.pop(token, None)
            raise TokenExpired
        self.check_session(principal)
        return principal

    def check_session(self, principal: Principal) -> None:
        """Refuse whose session ended since the token was verified: for who had to wait before acting on it.

        Raises:
            SessionEnded: it was revoked.
        """
        if principal.session_id in self._ended:
            raise SessionEnded

    def _check_signature(self, token: str) -> Principal:
        if len(token) > 2048:
            raise TokenInvalid
        header, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        try:
            # All tokens of one key share one header: it is parsed for the first of them.
            kid = self._kids.get(header) or msgspec.json.decode(_decoded(header), type=_Header).kid
            key = self._keys.public_keys().get(kid)
            if key is None:
                raise TokenInvalid
            verify_key = self._verify_keys.get(kid) or VerifyKey(_decoded(str(key.as_dict(private=False)["x"])))
            verify_key.verify(f"{header}.{payload}".encode("ascii"), _decoded(signature))
            claims = self._decoder.decode(_decoded(payload))
        except (CryptoError, ValueError, msgspec.MsgspecError) as error:
            raise TokenInvalid from error
        if claims.iss != ISSUER:
            raise TokenInvalid
        if len(self._kids) < _REMEMBERED_HEADERS:
            self._kids[header] = kid
            self._verify_keys[kid] = verify_key
        return Principal(claims.sub, claims.sid, claims.name, claims.role, claims.exp)

    def end_session(self, session_id: SessionId, until: int) -> None:
        """Refuse the session's tokens until `until` (ms since the epoch), when the last of them has expired by itself."""
        now = self._clock.now()
        if len(self._ended) > 10_000:
            self._ended = {session: end for session, end in self._ended.items() if end > now}
        self._ended[session_id] = until


def _decoded(part: str) -> bytes:
    """Return the bytes of base64url without padding (RFC 7515 section 2); raises ValueError for anything else."""
    return b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
