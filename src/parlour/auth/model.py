"""The values of accounts: users, sessions, refresh tokens and keys, with the rules of their lifetimes. Pure."""

from enum import StrEnum

import msgspec

from parlour.platform.ids import SessionId, UserId
from parlour.platform.permissions import Role

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class User(msgspec.Struct, frozen=True):
    """An account as its owner sees it; times in ms."""

    id: UserId
    username: str
    display_name: str
    email: str
    role: Role
    created_at: int
    updated_at: int
    disabled: bool = False


class Credentials(msgspec.Struct, frozen=True):
    """An account and the encoded Argon2id hash of its password."""

    user: User
    password_hash: str


class RevocationReason(StrEnum):
    """Why a session ended before its time; the values travel in `session.revoked`."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a password
    TOKEN_REUSED = "token_reused"  # noqa: S105 - a reason, not a token
    USER_DISABLED = "user_disabled"
    ROLE_CHANGED = "role_changed"


class Session(msgspec.Struct, frozen=True):
    """One login on one device: the family of all refresh tokens that descend from it. Times in ms."""

    id: SessionId
    user_id: UserId
    device: str
    address: str
    created_at: int
    last_used_at: int
    expires_at: int
    access_until: int
    """When the last access token issued for it expires: until then a revocation must be remembered by every verifier."""
    family_key: bytes
    """Authenticates the refresh tokens of this family, so that a spent one is known for one without being kept."""
    revoked_at: int | None = None
    reason: RevocationReason | None = None


class RevokedSession(msgspec.Struct, frozen=True):
    """What has to be told about a session that ended before its time."""

    id: SessionId
    user_id: UserId
    reason: RevocationReason
    access_until: int


class NewDevice(msgspec.Struct, frozen=True):
    """A device from which an account was logged in to; only the SHA-256 of its token is kept."""

    token_hash: bytes
    user_id: UserId
    used_at: int


class Opening(msgspec.Struct, frozen=True):
    """What a login writes in one transaction."""

    session: Session
    refresh_hash: bytes
    device: NewDevice
    settled: tuple[str, ...] = ()
    """The failure counters that this success sets back to zero."""


class SigningKey(msgspec.Struct, frozen=True):
    """An Ed25519 key pair as a JWK (RFC 8037); times in ms."""

    kid: str
    private_jwk: str
    created_at: int
    signs_from: int
    """Every process has loaded the key by then, so that no verifier meets a kid which it does not know."""
    long_tokens_until: int = 0
    """When the last token of more than the usual lifetime that this key signed expires."""


class Lifetimes(msgspec.Struct, frozen=True):
    """How long what lives, in ms."""

    access: int = 10 * MINUTE
    session: int = 90 * DAY
    idle: int = 30 * DAY
    grace: int = 10 * SECOND
    """How long a spent refresh token still gets a sibling: two tabs that refresh at once both go on."""
    key_lead: int = 5 * SECOND
    """How long a new key is published before it signs."""


class RefreshOutcome(StrEnum):
    """What became of a refresh token that was presented."""

    ROTATED = "rotated"
    SIBLING = "sibling"
    REUSED = "reused"
    EXPIRED = "expired"
    REVOKED = "revoked"


MAX_LIVE_TOKENS = 50
"""Refresh tokens of one session that nobody has used yet: races of tabs leave one each, the oldest are forgotten past this."""


class StoredToken(msgspec.Struct, frozen=True):
    """What is known of a refresh token; times in ms."""

    issued_at: int
    spent_at: int | None


def judge_refresh(session: Session, token: StoredToken | None, now: int, lifetimes: Lifetimes) -> RefreshOutcome:
    """Decide about an authentic refresh token of `session`; `token` is None where it is no longer kept, that is: long spent."""
    if session.revoked_at is not None:
        return RefreshOutcome.REVOKED
    if now >= session.expires_at or now >= session.last_used_at + lifetimes.idle:
        return RefreshOutcome.EXPIRED
    if token is None:
        return RefreshOutcome.REUSED
    if now >= token.issued_at + lifetimes.idle:
        return RefreshOutcome.EXPIRED
    if token.spent_at is None:
        return RefreshOutcome.ROTATED
    return RefreshOutcome.SIBLING if now < token.spent_at + lifetimes.grace else RefreshOutcome.REUSED


class BackOff(msgspec.Struct, frozen=True):
    """How failed logins slow the next: from the `threshold`-th on, each waits a step longer. Steps and `forget` in ms."""

    threshold: int
    steps: tuple[int, ...] = (1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE)
    forget: int = DAY
    """Without a failure for so long, counting begins anew."""

    def wait(self, failures: int) -> int:
        """Return how long, in ms, to refuse attempts after so many failures."""
        step = failures - self.threshold
        return 0 if step < 0 else self.steps[min(step, len(self.steps) - 1)]

    def after(self, before: "Failures | None", now: int) -> "Failures":
        """Return the counter after one more failure."""
        count = 1 if before is None or now - before.last_at >= self.forget else before.count + 1
        wait = self.wait(count)
        return Failures(count, now, now + wait if wait else 0)


class Failures(msgspec.Struct, frozen=True):
    """Failed logins counted under one key; attempts are refused until `blocked_until` (ms)."""

    count: int
    last_at: int
    blocked_until: int


PER_ACCOUNT = BackOff(threshold=5)
PER_ADDRESS = BackOff(threshold=100)
"""Many people may stand behind one address, so it takes far more to slow it."""

_RANK = {role: rank for rank, role in enumerate(Role)}


def may_manage(actor: Role, target: Role, new: Role | None) -> bool:
    """Tell whether someone with MANAGE_USERS may change such a user, and to such a role: only owners touch or make owners."""
    return actor is Role.OWNER or (target is not Role.OWNER and new is not Role.OWNER)


def is_demotion(old: Role, new: Role) -> bool:
    """Tell whether `new` permits less than `old`."""
    return _RANK[new] > _RANK[old]
