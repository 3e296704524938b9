"""The auth service, put together from its ports."""

from parlour.auth.model import Lifetimes
from parlour.auth.ports import AccountStore, FailureStore, KeyStore, PasswordHasher, SessionStore
from parlour.auth.service.accounts import Accounts, change_of
from parlour.auth.service.administration import Administration, Seeded
from parlour.auth.service.directory import Directory
from parlour.auth.service.keys import KeyRing
from parlour.auth.service.logins import Logins
from parlour.auth.service.sessions import Grant, Origin, Sessions
from parlour.auth.service.throttle import LoginThrottle
from parlour.auth.service.watch import Watch
from parlour.platform.bus import Bus
from parlour.platform.clock import Clock
from parlour.platform.contracts import Changes
from parlour.platform.ended_sessions import EndedSessions, MemoryEndedSessions
from parlour.platform.looks import DAY
from parlour.platform.rates import LocalRates, RateLimits, SharedRates
from parlour.platform.tokens import TokenVerifier

__all__ = [
    "Accounts",
    "Administration",
    "Auth",
    "Directory",
    "Grant",
    "KeyRing",
    "LoginThrottle",
    "Logins",
    "Origin",
    "Seeded",
    "Sessions",
    "Watch",
]


class Auth:
    """Every use case of auth over one set of adapters, in one process.

    `await start()` before anything else; `run()` beside a server, until cancelled. `verifier` is what HTTP and sockets check access
    tokens with, `directory` is the users as other services ask for them.
    `shared_rates` counts what several processes must count together; without it this one counts alone.
    `ended` keeps ended sessions for other nodes; without it there are none.
    """

    def __init__(
        self,
        *,
        accounts: AccountStore,
        sessions: SessionStore,
        failures: FailureStore,
        keys: KeyStore,
        hasher: PasswordHasher,
        bus: Bus,
        clock: Clock,
        rates: RateLimits,
        shared_rates: SharedRates | None = None,
        ended: EndedSessions | None = None,
        lifetimes: Lifetimes | None = None,
        watch_interval: float = 0.5,
    ) -> None:
        self.lifetimes = lifetimes = lifetimes or Lifetimes()
        shared = shared_rates or LocalRates(rates)
        self._store = sessions
        self._clock = clock
        self.keys = KeyRing(keys, clock, lifetimes)
        self.verifier = TokenVerifier(self.keys, clock)
        self.sessions = Sessions(
            store=sessions,
            keys=self.keys,
            verifier=self.verifier,
            bus=bus,
            clock=clock,
            rates=shared,
            lifetimes=lifetimes,
            ended=ended or MemoryEndedSessions(clock),
        )
        throttle = LoginThrottle(failures, clock)
        self.logins = Logins(accounts, self.sessions, hasher, throttle, shared)
        self.accounts = Accounts(
            store=accounts,
            sessions=self.sessions,
            logins=self.logins,
            hasher=hasher,
            bus=bus,
            clock=clock,
            rates=shared,
        )
        self.directory = Directory(accounts, bus, clock, rates)
        self.administration = Administration(
            store=accounts,
            accounts=self.accounts,
            sessions=self.sessions,
            hasher=hasher,
            keys=self.keys,
            throttle=throttle,
            clock=clock,
        )
        self._watch = Watch(
            store=sessions,
            sessions=self.sessions,
            accounts=self.accounts,
            keys=self.keys,
            throttle=throttle,
            clock=clock,
            interval=watch_interval,
        )

    async def start(self) -> None:
        """Load the keys (the very first start makes one) and the sessions that ended within the last token's life."""
        await self.keys.load()
        await self.sessions.recall()

    async def changes(self, since: int) -> Changes:
        """Return what is told of the sessions that ended and the users who were changed at `since` or later, in ms since the epoch.

        What is older than two days is left out: it has nothing to do with any access token that is still valid.
        """
        found = await self._store.changes(max(since, self._clock.now() - 2 * DAY))
        return Changes(self.sessions.revocations(found.ended), [change_of(user) for user in found.users])

    async def run(self) -> None:
        """Notice within a second what other processes revoke, disable and rotate; until cancelled."""
        await self._watch.run()
