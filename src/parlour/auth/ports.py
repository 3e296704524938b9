"""What the auth service needs from outside. Every adapter of a store passes the one suite in tests/contract/."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from parlour.auth.model import (
    BackOff,
    Credentials,
    Failures,
    Lifetimes,
    Opening,
    RefreshOutcome,
    RevocationReason,
    RevokedSession,
    Session,
    SigningKey,
    User,
)
from parlour.platform.ids import SessionId, UserId
from parlour.platform.permissions import Role


class Managed(NamedTuple):
    """A user as a change left it, and the sessions that the change ended."""

    user: User
    ended: list[RevokedSession]


class Rotated(NamedTuple):
    """What became of a refresh token, and of whom."""

    outcome: RefreshOutcome
    user: User
    session: Session


class Changes(NamedTuple):
    """What was changed, by whichever process."""

    ended: list[RevokedSession]
    users: list[User]


class AccountStore(Protocol):
    """Accounts and their password hashes.

    Atomicity: each method is one transaction, durable when it returns; the sessions that a change ends are ended in the same one.
    Uniqueness: `names.username_key` and `names.email_key` are unique over all accounts, under any concurrency. Failure: every method raises
    `Unavailable` (with retry_after) when the engine is away, and never a driver's error; what raised has changed nothing.
    """

    async def create(self, user: User, password_hash: str, opening: Opening | None = None) -> User:
        """Store an account, and the session that begins with it; the first account of the store is stored as its owner.

        Raises:
            UsernameTaken, EmailTaken: another account has it.
        """
        ...

    async def create_many(self, accounts: Sequence[tuple[User, Session]], password_hash: str) -> None:
        """Store many accounts of one password with a session each, all or nothing; roles are stored as they are.

        Raises:
            UsernameTaken: one of the names or addresses is taken.
        """
        ...

    async def any(self) -> bool:
        """Tell whether there is any account."""
        ...

    async def user(self, user_id: UserId) -> User | None:
        """Return an account."""
        ...

    async def credentials(self, login_key: str) -> Credentials | None:
        """Return the account of a username's or, where there is an `@`, of an address's key."""
        ...

    async def credentials_of(self, user_id: UserId) -> Credentials | None:
        """Return an account with its password hash."""
        ...

    async def users(self, user_ids: Iterable[UserId]) -> list[User]:
        """Return those accounts that exist, in any order: one query."""
        ...

    async def users_by_name(self, username_keys: Iterable[str]) -> list[User]:
        """Return those accounts that exist, in any order: one query."""
        ...

    async def search(self, prefix: str, *, after: str, limit: int, include_disabled: bool) -> list[User]:
        """Return up to `limit` accounts whose username or display name begins with the key `prefix`, by username key, past `after`."""
        ...

    async def set_display_name(self, user_id: UserId, display_name: str, at: int) -> User | None:
        """Change the display name."""
        ...

    async def set_password(
        self, user_id: UserId, password_hash: str, at: int, *, keep: SessionId | None
    ) -> list[RevokedSession]:
        """Change the password and end every live session but `keep`."""
        ...

    async def replace_hash(self, user_id: UserId, old: str, new: str) -> None:
        """Store another hash of the same password, unless it has changed meanwhile."""
        ...

    async def manage(self, user_id: UserId, at: int, *, role: Role | None, disabled: bool | None) -> Managed:
        """Change role and state. A demotion or a disabling ends all the user's sessions.

        Raises:
            UserNotFound: there is no such account.
            LastOwner: no enabled owner would be left.
        """
        ...


class SessionStore(Protocol):
    """Sessions, refresh tokens and known devices. Only hashes (SHA-256) of tokens are stored.

    Atomicity and failure: as `AccountStore`. Concurrency: two rotations of one session happen one after the other, so of two that
    present the same token the first is ROTATED and the second is judged by what the first left. A revoked session stays revoked.
    """

    async def open(self, opening: Opening, verified_hash: str) -> User | None:
        """Store a session, its first refresh token and its device, forget the failures that `opening.settled` names, and return the user.

        None, and nothing stored, where the account was disabled or its password hash is no longer `verified_hash`: a login that began
        before such a change must not outlive it.
        """
        ...

    async def session(self, session_id: SessionId) -> Session | None:
        """Return a session, ended ones too."""
        ...

    async def rotate(
        self, session_id: SessionId, presented: bytes, successor: bytes, *, now: int, address: str, lifetimes: Lifetimes
    ) -> Rotated | None:
        """Judge the token hash `presented` by `model.judge_refresh`. Where it passes, spend it, store `successor` and touch the session;
        where it is REUSED, end the session. None where there is no such session.
        """
        ...

    async def live(self, user_id: UserId, now: int, idle: int) -> list[Session]:
        """Return a user's sessions that are neither ended nor expired, the last used first."""
        ...

    async def revoke(
        self,
        user_id: UserId,
        at: int,
        reason: RevocationReason,
        *,
        only: SessionId | None = None,
        keep: SessionId | None = None,
    ) -> list[RevokedSession]:
        """End a user's live sessions: one, or all but one, or all; return those that this call has ended."""
        ...

    async def changes(self, since: int) -> Changes:
        """Return what was revoked, and which users were changed after their creation, at or after `since` (ms)."""
        ...

    async def remembered(self, now: int) -> list[RevokedSession]:
        """Return the revoked sessions of which an access token may be unexpired."""
        ...

    async def device_users(self, token_hash: bytes) -> set[UserId]:
        """Return the accounts that were logged in to from this device."""
        ...

    async def purge(self, now: int, lifetimes: Lifetimes) -> int:
        """Delete sessions that ended or expired more than a week ago and devices unused for a year; return how many."""
        ...


class FailureStore(Protocol):
    """Counters of failed logins by key, which outlive a restart; failure as `AccountStore`.

    Concurrency: `add` is atomic, so that of n concurrent failures n are counted. Bounded: `purge` keeps no more than it is told.
    """

    async def get(self, keys: Sequence[str]) -> dict[str, Failures]:
        """Return those counters that exist."""
        ...

    async def add(self, policies: Mapping[str, BackOff], now: int) -> dict[str, Failures]:
        """Count one more failure under each key by its policy, and return the counters."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Set counters back to zero."""
        ...

    async def purge(self, before: int, keep: int) -> int:
        """Delete counters without a failure since `before` (ms), and the oldest beyond `keep`; return how many."""
        ...


class KeyStore(Protocol):
    """The signing keys; failure as `AccountStore`."""

    async def keys(self) -> list[SigningKey]:
        """Return all keys, the oldest first."""
        ...

    async def add(self, key: SigningKey, *, only_first: bool = False) -> bool:
        """Store a key; with `only_first` only where there is none yet. Tell whether it was stored."""
        ...

    async def note_long_tokens(self, kid: str, until: int) -> None:
        """Remember that the key signed tokens which expire at `until` (ms); an earlier `until` changes nothing."""
        ...

    async def remove(self, kids: Sequence[str]) -> None:
        """Delete keys."""
        ...


class PasswordHasher(Protocol):
    """Hashes passwords, off the event loop.

    Bounded: past its queue every method raises `PasswordsBusy` (with retry_after) at once. For a caller who is cancelled while
    waiting nothing is hashed. Fair: where `stranger` is given, the address of someone we do not know yet, the caller waits behind those
    whom we know (logged in, or on a known device), part of the queue is kept for these, and past a few of one address at once
    every method raises `RateLimited` (with retry_after). The machine itself is no stranger to be bounded so.
    """

    async def hash(self, password: str, *, stranger: str | None = None) -> str:
        """Return the encoded hash (PHC string) of a password."""
        ...

    async def verify(self, encoded: str | None, password: str, *, stranger: str | None = None) -> bool:
        """Tell whether it is the password of `encoded`; None, for an account that does not exist, takes as long and is never it."""
        ...

    def is_outdated(self, encoded: str) -> bool:
        """Tell whether `encoded` was made with other parameters than today's."""
        ...
