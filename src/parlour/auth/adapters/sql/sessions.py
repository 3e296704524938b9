"""Sessions, refresh tokens and known devices in SQL."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from parlour.auth.adapters.sql.rows import (
    ENDED,
    SESSION,
    USER,
    end_sessions,
    ended_of,
    insert_opening,
    session_of,
    user_of,
)
from parlour.auth.adapters.tables import devices, refresh_tokens, sessions, users
from parlour.auth.model import (
    DAY,
    MAX_LIVE_TOKENS,
    Lifetimes,
    Opening,
    RefreshOutcome,
    RevocationReason,
    RevokedSession,
    Session,
    StoredToken,
    User,
    judge_refresh,
)
from parlour.auth.ports import Changes, Rotated
from parlour.platform.ids import SessionId, UserId
from parlour.platform.sql import Database

KEEP_ENDED = 7 * DAY
KEEP_DEVICES = 365 * DAY


class SqlSessionStore:
    """`ports.SessionStore` in the tables `sessions`, `refresh_tokens` and `devices`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, opening: Opening, verified_hash: str) -> User | None:
        """Store a session, unless the account has changed since its password was verified."""
        still = (
            users.c.id == opening.session.user_id,
            users.c.password_hash == verified_hash,
            users.c.disabled.is_(False),
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(sa.select(*USER).where(*still).with_for_update())).first()
            if row is None:
                return None
            await insert_opening(connection, opening)
            return user_of(row)

    async def session(self, session_id: SessionId) -> Session | None:
        """Return a session."""
        row = await self._database.row(sa.select(*SESSION).where(sessions.c.id == session_id))
        return session_of(row) if row else None

    async def rotate(
        self, session_id: SessionId, presented: bytes, successor: bytes, *, now: int, address: str, lifetimes: Lifetimes
    ) -> Rotated | None:
        """Spend one refresh token for the next."""
        async with self._database.transaction() as connection:
            # The row's lock puts concurrent rotations of one session in order (SQLite has one writer anyway).
            row = (
                await connection.execute(sa.select(*SESSION).where(sessions.c.id == session_id).with_for_update())
            ).first()
            if row is None:
                return None
            session = session_of(row)
            owner = (await connection.execute(sa.select(*USER).where(users.c.id == session.user_id))).one()
            outcome = judge_refresh(session, await _token(connection, session_id, presented), now, lifetimes)
            if outcome in {RefreshOutcome.ROTATED, RefreshOutcome.SIBLING}:
                await _spend(connection, session_id, presented, successor, now=now, grace=lifetimes.grace)
                await connection.execute(
                    sessions.update()
                    .where(sessions.c.id == session_id)
                    .values(
                        last_used_at=now,
                        address=address,
                        access_until=max(session.access_until, now + lifetimes.access),
                    )
                )
            elif outcome is RefreshOutcome.REUSED:
                await end_sessions(connection, now, RevocationReason.TOKEN_REUSED, sessions.c.id == session_id)
            return Rotated(outcome, user_of(owner), session)

    async def live(self, user_id: UserId, now: int, idle: int) -> list[Session]:
        """Return a user's live sessions."""
        query = (
            sa.select(*SESSION)
            .where(
                sessions.c.user_id == user_id,
                sessions.c.revoked_at.is_(None),
                sessions.c.expires_at > now,
                sessions.c.last_used_at > now - idle,
            )
            .order_by(sessions.c.last_used_at.desc(), sessions.c.id.desc())
        )
        return [session_of(row) for row in await self._database.rows(query)]

    async def revoke(
        self,
        user_id: UserId,
        at: int,
        reason: RevocationReason,
        *,
        only: SessionId | None = None,
        keep: SessionId | None = None,
    ) -> list[RevokedSession]:
        """End sessions of a user."""
        which = [sessions.c.user_id == user_id]
        if only is not None:
            which.append(sessions.c.id == only)
        if keep is not None:
            which.append(sessions.c.id != keep)
        async with self._database.transaction() as connection:
            return await end_sessions(connection, at, reason, *which)

    async def changes(self, since: int) -> Changes:
        """Return what was revoked and who was changed."""
        ended = sa.select(*ENDED).where(sessions.c.revoked_at >= since)
        changed = sa.select(*USER).where(users.c.updated_at >= since, users.c.updated_at > users.c.created_at)

        def look(connection: sa.Connection) -> Changes:
            return Changes(
                [ended_of(row) for row in connection.execute(ended)],
                [user_of(row) for row in connection.execute(changed)],
            )

        return await self._database.snapshot(look)

    async def remembered(self, now: int) -> list[RevokedSession]:
        """Return the revoked sessions that verifiers must know."""
        query = sa.select(*ENDED).where(sessions.c.revoked_at.is_not(None), sessions.c.access_until > now)
        return [ended_of(row) for row in await self._database.rows(query)]

    async def device_users(self, token_hash: bytes) -> set[UserId]:
        """Return the accounts that were logged in to from this device."""
        query = sa.select(devices.c.user_id).where(devices.c.token_hash == token_hash)
        return {UserId(row[0]) for row in await self._database.rows(query)}

    async def purge(self, now: int, lifetimes: Lifetimes) -> int:
        """Delete what is of no use any more."""
        long_ago = now - KEEP_ENDED
        over = (
            (sessions.c.revoked_at < long_ago)
            | (sessions.c.expires_at < long_ago)
            | (sessions.c.last_used_at < long_ago - lifetimes.idle)
        )
        async with self._database.transaction() as connection:
            gone = await connection.execute(sessions.delete().where(over, sessions.c.access_until < now))
            unused = await connection.execute(devices.delete().where(devices.c.used_at < now - KEEP_DEVICES))
            return gone.rowcount + unused.rowcount


async def _token(connection: AsyncConnection, session_id: SessionId, token_hash: bytes) -> StoredToken | None:
    query = sa.select(refresh_tokens.c.issued_at, refresh_tokens.c.spent_at).where(
        refresh_tokens.c.token_hash == token_hash, refresh_tokens.c.session_id == session_id
    )
    row = (await connection.execute(query)).first()
    return StoredToken(row[0], row[1]) if row else None


async def _spend(
    connection: AsyncConnection, session_id: SessionId, presented: bytes, successor: bytes, *, now: int, grace: int
) -> None:
    tokens = refresh_tokens.c
    await connection.execute(
        refresh_tokens.update().where(tokens.token_hash == presented, tokens.spent_at.is_(None)).values(spent_at=now)
    )
    await connection.execute(
        refresh_tokens.insert(), {"token_hash": successor, "session_id": session_id, "issued_at": now}
    )
    # Past the grace a spent token is known for one by its seal, not by its row; so a session keeps a handful of rows.
    live = (
        sa.select(tokens.token_hash)
        .where(tokens.session_id == session_id, tokens.spent_at.is_(None))
        .order_by(tokens.issued_at.desc(), tokens.token_hash)
        .limit(MAX_LIVE_TOKENS)
    )
    superfluous = (tokens.spent_at < now - grace) | (tokens.spent_at.is_(None) & tokens.token_hash.not_in(live))
    await connection.execute(refresh_tokens.delete().where(tokens.session_id == session_id, superfluous))
