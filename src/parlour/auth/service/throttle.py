"""How failed logins slow the next ones: per account and per address, and per device for those that the account knows.

A device from which the account was logged in to keeps a secret (OWASP's device cookie). Its failures are counted by themselves, and
those of everybody else do not concern it: an attacker slows the attacker, not the owner.
"""

import asyncio
import hashlib
import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from parlour.auth.errors import LoginSlowed
from parlour.auth.model import PER_ACCOUNT, PER_ADDRESS, BackOff
from parlour.auth.names import email_key, username_key
from parlour.auth.ports import FailureStore
from parlour.platform.clock import Clock

MAX_COUNTERS = 100_000
"""Counters that are kept; about 10 MB."""


def account_counter(login_key: str) -> str:
    """Return the counter of a login, whether it exists or not, so that both behave alike."""
    return "account:" + hashlib.sha256(login_key.encode()).hexdigest()[:40]


def account_counters(username: str, email: str) -> tuple[str, str]:
    """Return the counters of an account: it can be logged in to by either."""
    return account_counter(username_key(username)), account_counter(email_key(email))


def device_counter(token_hash: bytes) -> str:
    """Return the counter of a known device."""
    return "device:" + token_hash.hex()


def password_counter(user_id: str) -> str:
    """Return the counter of those who are logged in and give a wrong present password."""
    return "password:" + user_id


def address_counter(address: str) -> str:
    """Return the counter of an address; of IPv6 of its /64, which is what one subscriber has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "address:" + address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return f"address:{parsed.ipv4_mapped}"
        return f"address:{ipaddress.ip_network((parsed, 64), strict=False)}"
    return f"address:{parsed}"


class LoginThrottle:
    """Counts failures in the store and refuses attempts whose counters say so."""

    def __init__(self, failures: FailureStore, clock: Clock) -> None:
        self._failures = failures
        self._clock = clock
        self._gates: dict[str, tuple[asyncio.Semaphore, int]] = {}

    def policies(self, login_key: str, address: str, device_hash: bytes | None) -> dict[str, BackOff]:
        """Return the counters of an attempt, the one that is its own first; `device_hash` only of a device that the account knows."""
        if device_hash is not None:
            return {device_counter(device_hash): PER_ACCOUNT}
        return {account_counter(login_key): PER_ACCOUNT, address_counter(address): PER_ADDRESS}

    @asynccontextmanager
    async def attempt(self, policies: Mapping[str, BackOff]) -> AsyncIterator[None]:
        """Let one attempt be checked; of those at once on one counter all but a few wait, so that they cannot outrun the counting.

        Raises:
            LoginSlowed: a counter says to wait; nothing is counted.
        """
        own, policy = next(iter(policies.items()))
        gate, users = self._gates.get(own) or (asyncio.Semaphore(policy.threshold - 1), 0)
        self._gates[own] = (gate, users + 1)
        try:
            async with gate:
                await self._refuse_blocked(policies)
                yield
        finally:
            gate, users = self._gates.pop(own)
            if users > 1:
                self._gates[own] = (gate, users - 1)

    async def _refuse_blocked(self, policies: Mapping[str, BackOff]) -> None:
        now = self._clock.now()
        counters = await self._failures.get(list(policies))
        wait = max((counter.blocked_until - now for counter in counters.values()), default=0)
        if wait > 0:
            raise LoginSlowed(retry_after=-(-wait // 1000))

    async def failed(self, policies: Mapping[str, BackOff]) -> None:
        """Count a failure; await it within `attempt`."""
        await self._failures.add(policies, self._clock.now())

    async def settle(self, counters: tuple[str, ...]) -> None:
        """Set counters back to zero."""
        await self._failures.forget(counters)

    async def purge(self) -> None:
        """Forget what is too old to count, and the oldest of too many."""
        await self._failures.purge(self._clock.now() - PER_ACCOUNT.forget, MAX_COUNTERS)
