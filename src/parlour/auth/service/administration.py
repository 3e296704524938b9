"""What `parlour admin` does to accounts. Nobody is asked for permission: whoever runs it has the database."""

import secrets
from typing import NamedTuple

import msgspec

from parlour.auth.errors import UserNotFound
from parlour.auth.model import MINUTE, RevocationReason, Session, User
from parlour.auth.names import login_key, username_key
from parlour.auth.passwords import check_password, normalized
from parlour.auth.ports import AccountStore, PasswordHasher
from parlour.auth.service.accounts import Accounts
from parlour.auth.service.keys import KeyRing
from parlour.auth.service.sessions import Origin, Sessions
from parlour.auth.service.throttle import LoginThrottle, account_counters
from parlour.platform.clock import Clock
from parlour.platform.ids import SessionId, UserId
from parlour.platform.permissions import Role


class Seeded(NamedTuple):
    """A user made by `seed`."""

    user_id: UserId
    username: str
    session_id: SessionId
    access_token: str


class Administration:
    """Accounts from the command line, while the server runs or not: it notices within a second (`watch.Watch`)."""

    def __init__(
        self,
        *,
        store: AccountStore,
        accounts: Accounts,
        sessions: Sessions,
        hasher: PasswordHasher,
        keys: KeyRing,
        throttle: LoginThrottle,
        clock: Clock,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._sessions = sessions
        self._hasher = hasher
        self._keys = keys
        self._throttle = throttle
        self._clock = clock

    async def find(self, login: str) -> User:
        """Return the account of a username or an address.

        Raises:
            UserNotFound: there is none.
        """
        credentials = await self._store.credentials(login_key(login))
        if credentials is None:
            raise UserNotFound(f"There is no user {login}.")
        return credentials.user

    async def create_user(
        self, username: str, email: str, password: str, *, display_name: str | None = None, role: Role = Role.MEMBER
    ) -> User:
        """Make an account of any role; the server's first is its owner all the same.

        Raises:
            InvalidRequest, Conflict: as `Accounts.register`.
        """
        user = self._accounts.draft(username, email, display_name, role)
        secret = check_password(password, username=user.username, email=user.email, display_name=user.display_name)
        return await self._store.create(user, await self._hasher.hash(secret))

    async def reset_password(self, login: str, password: str) -> int:
        """Give an account a new password, end all its sessions and return how many; its failed logins are forgotten.

        Raises:
            UserNotFound, PasswordTooShort, PasswordTooLong, PasswordTooCommon, PasswordIsName: mend it.
        """
        user = await self.find(login)
        secret = check_password(password, username=user.username, email=user.email, display_name=user.display_name)
        ended = await self._store.set_password(user.id, await self._hasher.hash(secret), self._clock.now(), keep=None)
        await self._throttle.settle(account_counters(user.username, user.email))
        await self._sessions.tell(ended)
        return len(ended)

    async def rotate_keys(self) -> str:
        """Make a new signing key and return its kid; the present one verifies until its last token has expired."""
        return await self._keys.rotate()

    async def list_sessions(self, login: str) -> list[Session]:
        """Return a user's live sessions, the last used first."""
        return await self._sessions.live((await self.find(login)).id)

    async def revoke_sessions(self, login: str, session_id: SessionId | None = None) -> int:
        """End one or all sessions of a user and return how many."""
        user = await self.find(login)
        return await self._sessions.revoke_all(user.id, RevocationReason.REVOKED, only=session_id)

    async def set_role(self, login: str, role: Role) -> User:
        """Change a user's role; a demotion ends the sessions.

        Raises:
            UserNotFound, LastOwner: it cannot be done.
        """
        return await self._accounts.apply((await self.find(login)).id, role=role)

    async def set_disabled(self, login: str, disabled: bool = True) -> User:
        """Switch an account off, which ends its sessions, or on again.

        Raises:
            UserNotFound, LastOwner: it cannot be done.
        """
        return await self._accounts.apply((await self.find(login)).id, disabled=disabled)

    async def seed(
        self, count: int, *, prefix: str = "user", password: str | None = None, lifetime: int | None = None
    ) -> list[Seeded]:
        """Make `count` users of one password (a random one that nobody knows) with a session each, for demonstrations and load.

        They are called `prefix` with a number, the first numbers that are free; their tokens live `lifetime` ms (the usual).
        """
        names = await self._free_names(prefix, count)
        if not names:
            return []
        password_hash = await self._hasher.hash(normalized(password or secrets.token_urlsafe(16)))
        first = not await self._store.any()
        accounts: list[tuple[User, Session]] = []
        # Signing takes a moment after this, hence the minute.
        until = self._clock.now() + lifetime + MINUTE if lifetime else 0
        for name in names:
            role = Role.OWNER if first and not accounts else Role.MEMBER
            user = self._accounts.draft(name, f"{name}@seed.invalid", None, role)
            session = self._sessions.begin(user.id, Origin("", "seed")).opening.session
            session = msgspec.structs.replace(session, access_until=max(session.access_until, until))
            accounts.append((user, session))
        await self._store.create_many(accounts, password_hash)
        if until:
            await self._keys.note_long_tokens(until)
        return [
            Seeded(user.id, user.username, session.id, self._keys.sign(user, session, lifetime=lifetime))
            for user, session in accounts
        ]

    async def _free_names(self, prefix: str, count: int) -> list[str]:
        names: list[str] = []
        number = 0
        while len(names) < count:
            candidates = [f"{prefix}{number + offset + 1}" for offset in range(count - len(names))]
            taken = {user.username for user in await self._store.users_by_name(map(username_key, candidates))}
            names += [name for name in candidates if name not in taken]
            number += len(candidates)
        return names
