"""Accounts: registering, one's own account, and what those with MANAGE_USERS do to others."""

import msgspec

from parlour.auth.errors import UserNotFound
from parlour.auth.model import User, may_manage
from parlour.auth.names import check_display_name, check_email, check_username
from parlour.auth.passwords import check_password
from parlour.auth.ports import AccountStore, PasswordHasher
from parlour.auth.service.logins import Logins
from parlour.auth.service.sessions import Grant, Origin, Sessions
from parlour.platform.bus import Bus
from parlour.platform.clock import Clock
from parlour.platform.contracts import USER_CHANGED, Profile, UserChanged
from parlour.platform.errors import Forbidden, InvalidRequest
from parlour.platform.ids import UserId, uuid7
from parlour.platform.permissions import Permission, Role, allowed
from parlour.platform.rates import SharedRates
from parlour.platform.tokens import Principal, SessionEnded


class Accounts:
    """The accounts of the server. Whatever changes a profile tells the bus."""

    def __init__(
        self,
        *,
        store: AccountStore,
        sessions: Sessions,
        logins: Logins,
        hasher: PasswordHasher,
        bus: Bus,
        clock: Clock,
        rates: SharedRates,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._logins = logins
        self._hasher = hasher
        self._bus = bus
        self._clock = clock
        self._rates = rates

    async def register(
        self, username: str, email: str, password: str, display_name: str | None, origin: Origin
    ) -> Grant:
        """Make an account, the server's first as its owner, and begin its first session.

        Raises:
            UsernameInvalid, EmailInvalid, DisplayNameInvalid: mend it.
            PasswordTooShort, PasswordTooLong, PasswordTooCommon, PasswordIsName: choose another.
            UsernameTaken, EmailTaken: another account has it.
            RateLimited: too many from this address, or at once. PasswordsBusy: too many at once from everywhere.
        """
        user = self.draft(username, email, display_name, Role.MEMBER)
        secret = check_password(password, username=user.username, email=user.email, display_name=user.display_name)
        # From here on the answer tells whether a name or an address is taken; what can be mended without asking costs nothing.
        await self._rates.check_address("register", origin.address)
        encoded = await self._hasher.hash(secret, stranger=origin.address)
        device_token = origin.device_token
        if device_token is not None and not await self._sessions.device_users(device_token):
            device_token = None
        beginning = self._sessions.begin(user.id, origin, device_token=device_token)
        user = await self._store.create(user, encoded, beginning.opening)
        return self._sessions.grant(user, beginning)

    def draft(self, username: str, email: str, display_name: str | None, role: Role) -> User:
        """Return an account that is not stored yet, its names checked."""
        name = check_username(username)
        now = self._clock.now()
        return User(
            id=UserId(uuid7()),
            username=name,
            display_name=check_display_name(name if display_name is None else display_name),
            email=check_email(email),
            role=role,
            created_at=now,
            updated_at=now,
        )

    async def me(self, principal: Principal) -> User:
        """Return the caller's account.

        Raises:
            SessionEnded: the account is gone.
        """
        user = await self._store.user(principal.user_id)
        if user is None:
            raise SessionEnded
        return user

    async def rename(self, principal: Principal, display_name: str) -> User:
        """Change the caller's display name.

        Raises:
            DisplayNameInvalid: it is not a permitted one.
        """
        shown = check_display_name(display_name)
        user = await self._store.set_display_name(principal.user_id, shown, self._clock.now())
        if user is None:
            raise SessionEnded
        await self.tell(user)
        return user

    async def change_password(self, principal: Principal, current: str, new: str) -> None:
        """Change the caller's password and end all their other sessions.

        Raises:
            WrongPassword: `current` is not the password.
            LoginSlowed: too many were wrong.
            PasswordTooShort, PasswordTooLong, PasswordTooCommon, PasswordIsName: choose another.
        """
        user = (await self._logins.confirm(principal.user_id, current)).user
        secret = check_password(new, username=user.username, email=user.email, display_name=user.display_name)
        encoded = await self._hasher.hash(secret)
        ended = await self._store.set_password(user.id, encoded, self._clock.now(), keep=principal.session_id)
        await self._sessions.tell(ended)

    async def manage(self, principal: Principal, user_id: UserId, role: Role | None, disabled: bool | None) -> User:
        """Change another's role, or switch the account off or on. A demotion or switching off ends all its sessions.

        Raises:
            Forbidden: the caller may not manage users, or not this one, or not give this role.
            UserNotFound: there is no such user.
            LastOwner: the server would be without an owner.
        """
        if not allowed(principal.role, Permission.MANAGE_USERS):
            raise Forbidden
        if role is None and disabled is None:
            raise InvalidRequest("Give a role, or whether the account is disabled.")
        target = await self._store.user(user_id)
        if target is None:
            raise UserNotFound
        if not may_manage(principal.role, target.role, role):
            raise Forbidden("Only an owner may change owners or make someone an owner.")
        return await self.apply(user_id, role=role, disabled=disabled)

    async def apply(self, user_id: UserId, *, role: Role | None = None, disabled: bool | None = None) -> User:
        """Change role and state without asking who wants it; see `manage`."""
        managed = await self._store.manage(user_id, self._clock.now(), role=role, disabled=disabled)
        await self._sessions.tell(managed.ended)
        await self.tell(managed.user)
        return managed.user

    async def tell(self, user: User) -> None:
        """Tell the bus what a user looks like now."""
        await self._bus.publish(USER_CHANGED, msgspec.json.encode(change_of(user)))


def change_of(user: User) -> UserChanged:
    """Return what is told of a user who was changed."""
    return UserChanged(user.id, user.username, user.display_name, user.role.value, user.disabled)


def profile_of(user: User) -> Profile:
    """Return what others may know of a user."""
    return Profile(user.id, user.username, user.display_name, user.role.value, user.disabled)
