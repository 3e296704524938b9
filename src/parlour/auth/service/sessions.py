"""Sessions: begun by a login, kept alive by refreshing, ended by their owner or against their will."""

import logging
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from parlour.auth.errors import (
    AccountDisabled,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenReused,
    SessionNotFound,
)
from parlour.auth.model import (
    Lifetimes,
    NewDevice,
    Opening,
    RefreshOutcome,
    RevocationReason,
    RevokedSession,
    Session,
    User,
)
from parlour.auth.names import device_name
from parlour.auth.ports import SessionStore
from parlour.auth.service.keys import KeyRing
from parlour.auth.service.refresh_tokens import hash_of, is_authentic, mint, new_family_key, session_named_by
from parlour.platform.bus import Bus
from parlour.platform.clock import Clock
from parlour.platform.contracts import SESSION_REVOKED, SESSIONS_RECALLED, SessionRevoked
from parlour.platform.ended_sessions import EndedSessions
from parlour.platform.errors import Unavailable
from parlour.platform.ids import SessionId, UserId, uuid7
from parlour.platform.metrics import SESSIONS_REVOKED
from parlour.platform.rates import SharedRates
from parlour.platform.tokens import Principal, SessionEnded, TokenVerifier

logger = logging.getLogger(__name__)


class Origin(msgspec.Struct, frozen=True):
    """Where a request comes from; `device_token` is what an earlier login from there was given."""

    address: str
    user_agent: str = ""
    device_token: str | None = None


class Grant(msgspec.Struct, frozen=True):
    """What lets a client act for a user; `expires_in` in seconds. A refresh gives no new device token."""

    user: User
    access_token: str
    expires_in: int
    refresh_token: str
    device_token: str | None = None


class Beginning(msgspec.Struct, frozen=True):
    """A session that is about to be stored, with the secrets that only the client will have."""

    opening: Opening
    refresh_token: str
    device_token: str


class Sessions:
    """The sessions of all users. Whatever ends one tells the verifier of this process and the bus."""

    def __init__(
        self,
        *,
        store: SessionStore,
        keys: KeyRing,
        verifier: TokenVerifier,
        bus: Bus,
        clock: Clock,
        rates: SharedRates,
        lifetimes: Lifetimes,
        ended: EndedSessions,
    ) -> None:
        self._store = store
        self._ended = ended
        self._recall = False
        self._keys = keys
        self._verifier = verifier
        self._bus = bus
        self._clock = clock
        self._rates = rates
        self._lifetimes = lifetimes
        self._told: dict[SessionId, int] = {}
        bus.on_gap(self._missing)

    def begin(
        self, user_id: UserId, origin: Origin, *, device_token: str | None = None, settled: tuple[str, ...] = ()
    ) -> Beginning:
        """Make a session, not stored yet.

        Args:
            user_id: whose.
            origin: where the login comes from.
            device_token: one that we issued to this device; without, it is given a new one.
            settled: the failure counters that this success sets back.
        """
        now = self._clock.now()
        session = Session(
            id=SessionId(uuid7()),
            user_id=user_id,
            device=device_name(origin.user_agent),
            address=origin.address[:64],
            created_at=now,
            last_used_at=now,
            expires_at=now + self._lifetimes.session,
            access_until=now + self._lifetimes.access,
            family_key=new_family_key(),
        )
        refresh = mint(session.id, session.family_key)
        device_token = device_token or secrets.token_urlsafe(32)
        device = NewDevice(hash_of(device_token), user_id, now)
        return Beginning(Opening(session, refresh.hash, device, settled), refresh.token, device_token)

    def grant(self, user: User, beginning: Beginning) -> Grant:
        """Return what the client gets once the session is stored."""
        return Grant(
            user,
            self._keys.sign(user, beginning.opening.session),
            self._lifetimes.access // 1000,
            beginning.refresh_token,
            beginning.device_token,
        )

    async def open(self, beginning: Beginning, verified_hash: str) -> Grant | None:
        """Store a session and return what the client gets; None where the account has changed since `verified_hash` was verified."""
        user = await self._store.open(beginning.opening, verified_hash)
        return self.grant(user, beginning) if user else None

    async def device_users(self, device_token: str) -> set[UserId]:
        """Return the accounts that were logged in to from the device that keeps this token."""
        return await self._store.device_users(hash_of(device_token))

    async def refresh(self, token: str, origin: Origin) -> Grant:
        """Spend a refresh token for the next pair.

        Raises:
            RefreshTokenInvalid: we did not make it, or its session is long over.
            RefreshTokenExpired: the session's time is over.
            RefreshTokenReused: it was spent before, and the session is ended now.
            SessionEnded: the session was ended.
            AccountDisabled: the account is switched off.
            RateLimited: too many from this address.
        """
        await self._rates.check_address("refresh", origin.address)
        session = await self._authentic(token)
        successor = mint(session.id, session.family_key)
        rotated = await self._store.rotate(
            session.id,
            hash_of(token),
            successor.hash,
            now=self._clock.now(),
            address=origin.address[:64],
            lifetimes=self._lifetimes,
        )
        if rotated is None:
            raise RefreshTokenInvalid
        if rotated.outcome is RefreshOutcome.REVOKED:
            raise AccountDisabled if rotated.user.disabled else SessionEnded
        if rotated.outcome is RefreshOutcome.EXPIRED:
            raise RefreshTokenExpired
        if rotated.outcome is RefreshOutcome.REUSED:
            session = rotated.session
            logger.warning(
                "refresh token reused, session ended",
                extra={"user_id": session.user_id, "session_id": session.id, "address": origin.address},
            )
            await self.tell(
                [RevokedSession(session.id, session.user_id, RevocationReason.TOKEN_REUSED, session.access_until)]
            )
            raise RefreshTokenReused
        access = self._keys.sign(rotated.user, rotated.session)
        return Grant(rotated.user, access, self._lifetimes.access // 1000, successor.token)

    async def _authentic(self, token: str) -> Session:
        session_id = session_named_by(token)
        session = await self._store.session(session_id) if session_id else None
        if session is None or not is_authentic(token, session.family_key):
            raise RefreshTokenInvalid
        return session

    async def live(self, user_id: UserId) -> list[Session]:
        """Return a user's live sessions, the last used first."""
        return await self._store.live(user_id, self._clock.now(), self._lifetimes.idle)

    async def log_out(self, principal: Principal) -> None:
        """End the caller's session; one that has ended already is no error."""
        await self.revoke_all(principal.user_id, RevocationReason.LOGOUT, only=principal.session_id)

    async def log_out_with(self, refresh_token: str) -> None:
        """End the session that a refresh token is of, spent or not; one that has ended already is no error.

        Raises:
            RefreshTokenInvalid: we did not make it, or its session is long over.
        """
        session = await self._authentic(refresh_token)
        await self.revoke_all(session.user_id, RevocationReason.LOGOUT, only=session.id)

    async def revoke(self, user_id: UserId, session_id: SessionId) -> None:
        """End one session of a user.

        Raises:
            SessionNotFound: there is no such live session of this user.
        """
        if not await self.revoke_all(user_id, RevocationReason.REVOKED, only=session_id):
            raise SessionNotFound

    async def revoke_all(
        self,
        user_id: UserId,
        reason: RevocationReason = RevocationReason.REVOKED,
        *,
        only: SessionId | None = None,
        keep: SessionId | None = None,
    ) -> int:
        """End one, all but one or all of a user's sessions, and return how many."""
        ended = await self._store.revoke(user_id, self._clock.now(), reason, only=only, keep=keep)
        await self.tell(ended)
        return len(ended)

    async def tell(self, ended: Iterable[RevokedSession]) -> None:
        """Refuse the access tokens of ended sessions from now on, and have their sockets closed; each session is told of once."""
        news: list[RevokedSession] = []
        now = self._clock.now()
        for session in ended:
            if session.id not in self._told:
                self._told[session.id] = now
                self._verifier.end_session(session.id, max(session.access_until, now + self._lifetimes.access))
                news.append(session)
        messages = self.revocations(news)
        await self._keep([session.id for session in news], max((each.until for each in messages), default=now))
        for message in messages:
            SESSIONS_REVOKED.labels(message.reason).inc(len(message.session_ids))
            await self._bus.publish(SESSION_REVOKED, msgspec.json.encode(message))

    def revocations(self, ended: Iterable[RevokedSession]) -> list[SessionRevoked]:
        """Return what is told of ended sessions, a message a user and reason, all until the last of their tokens has expired."""
        by_user: defaultdict[tuple[UserId, RevocationReason], list[SessionId]] = defaultdict(list)
        until = self._clock.now() + self._lifetimes.access
        for session in ended:
            until = max(until, session.access_until)
            by_user[session.user_id, session.reason].append(session.id)
        return [
            SessionRevoked(user_id, session_ids, reason.value, until)
            for (user_id, reason), session_ids in by_user.items()
        ]

    async def recall(self) -> None:
        """Refuse, after a start, the access tokens of sessions that were ended before it, and have every node refuse them."""
        now = self._clock.now()
        self._recall = False
        remembered = await self._store.remembered(now)
        for session in remembered:
            self._told[session.id] = now
            self._verifier.end_session(session.id, session.access_until)
        until = max((session.access_until for session in remembered), default=now)
        await self._keep([session.id for session in remembered], until)
        await self._bus.publish(SESSIONS_RECALLED, b"")

    async def recall_missing(self) -> None:
        """Do so again where other nodes may have missed some: after a gap of the bus, or what could not be kept for them."""
        if self._recall:
            try:
                await self.recall()
            except BaseException:
                self._recall = True
                raise

    def _missing(self) -> None:
        self._recall = True

    async def _keep(self, session_ids: Sequence[SessionId], until: int) -> None:
        """Keep ended sessions for nodes that miss the bus; an engine that is away delays no revocation."""
        if session_ids:
            try:
                await self._ended.add(session_ids, until)
            except Unavailable:
                self._recall = True

    async def purge(self, told_before: int) -> None:
        """Delete sessions and devices that are long over, and forget what was told before `told_before` (ms)."""
        self._told = {session_id: at for session_id, at in self._told.items() if at >= told_before}
        await self._store.purge(self._clock.now(), self._lifetimes)
