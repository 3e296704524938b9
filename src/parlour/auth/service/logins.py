"""Logging in: by username or address and password, the same for accounts that exist and those that do not."""

from collections.abc import Mapping

from parlour.auth.errors import AccountDisabled, InvalidCredentials, LoginSlowed, WrongPassword
from parlour.auth.model import PER_ACCOUNT, BackOff, Credentials
from parlour.auth.names import login_key
from parlour.auth.passwords import normalized
from parlour.auth.ports import AccountStore, PasswordHasher
from parlour.auth.service.refresh_tokens import hash_of
from parlour.auth.service.sessions import Grant, Origin, Sessions
from parlour.auth.service.throttle import LoginThrottle, account_counters, device_counter, password_counter
from parlour.platform.errors import Unavailable
from parlour.platform.ids import UserId
from parlour.platform.metrics import LOGINS
from parlour.platform.rates import SharedRates


class Logins:
    """Checks passwords, and begins a session for the right one."""

    def __init__(
        self,
        accounts: AccountStore,
        sessions: Sessions,
        hasher: PasswordHasher,
        throttle: LoginThrottle,
        rates: SharedRates,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._hasher = hasher
        self._throttle = throttle
        self._rates = rates

    async def log_in(self, login: str, password: str, origin: Origin) -> Grant:
        """Begin a session.

        Raises:
            InvalidCredentials: no such account, or not its password; both take the same look-ups and one hashing.
            LoginSlowed: too many failures on this account or from this address; never by those of others on a known device.
            AccountDisabled: the password is right, and the account is switched off.
            RateLimited: too many from this address, or at once. PasswordsBusy: too many at once from everywhere.
        """
        try:
            grant = await self._log_in(login, password, origin)
        except (InvalidCredentials, LoginSlowed, AccountDisabled, Unavailable) as error:
            LOGINS.labels(error.code).inc()
            raise
        LOGINS.labels("ok").inc()
        return grant

    async def _log_in(self, login: str, password: str, origin: Origin) -> Grant:
        key = login_key(login)
        credentials = await self._accounts.credentials(key)
        device_users = await self._sessions.device_users(origin.device_token) if origin.device_token else set()
        device_hash = None
        if origin.device_token and credentials and credentials.user.id in device_users:
            device_hash = hash_of(origin.device_token)
        if device_hash is None:
            await self._rates.check_address("login", origin.address)
        else:  # which strangers behind the same address must not use up
            await self._rates.check("login", device_counter(device_hash))
        policies = self._throttle.policies(key, origin.address, device_hash)
        async with self._throttle.attempt(policies):
            stranger = origin.address if device_hash is None else None
            verified = await self._verified(credentials, password, policies, stranger)
        if verified.user.disabled:
            raise AccountDisabled
        settled: tuple[str, ...] = account_counters(verified.user.username, verified.user.email)
        if device_hash is not None:
            settled = (*settled, device_counter(device_hash))
        # A device token that we gave to another account of this device serves this one too.
        device_token = origin.device_token if device_users else None
        beginning = self._sessions.begin(verified.user.id, origin, device_token=device_token, settled=settled)
        grant = await self._sessions.open(beginning, verified.password_hash)
        if grant is None:
            raise InvalidCredentials
        if self._hasher.is_outdated(verified.password_hash):
            renewed = await self._hasher.hash(normalized(password))
            await self._accounts.replace_hash(verified.user.id, verified.password_hash, renewed)
        return grant

    async def _verified(
        self, credentials: Credentials | None, password: str, policies: Mapping[str, BackOff], stranger: str | None
    ) -> Credentials:
        encoded = credentials.password_hash if credentials else None
        matches = await self._hasher.verify(encoded, normalized(password), stranger=stranger)
        if not matches or credentials is None:
            await self._throttle.failed(policies)
            raise InvalidCredentials
        return credentials

    async def confirm(self, user_id: UserId, password: str) -> Credentials:
        """Have someone who is logged in prove that they know the password.

        Raises:
            WrongPassword: it is not the password.
            LoginSlowed: too many were wrong.
        """
        await self._rates.check("password", user_id)
        counter = password_counter(user_id)
        credentials = await self._accounts.credentials_of(user_id)
        async with self._throttle.attempt({counter: PER_ACCOUNT}):
            encoded = credentials.password_hash if credentials else None
            if not await self._hasher.verify(encoded, normalized(password)) or credentials is None:
                await self._throttle.failed({counter: PER_ACCOUNT})
                raise WrongPassword(details={"field": "current_password"})
        await self._throttle.settle((counter,))
        return credentials
