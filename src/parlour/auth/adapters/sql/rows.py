"""Values to rows and back, and the statements that both the account and the session store use."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from parlour.auth.adapters.tables import devices, login_failures, refresh_tokens, sessions, users
from parlour.auth.model import Opening, RevocationReason, RevokedSession, Session, User
from parlour.auth.names import display_key, email_key, username_key
from parlour.platform.ids import SessionId, UserId
from parlour.platform.permissions import Role

USER = (
    users.c.id,
    users.c.username,
    users.c.display_name,
    users.c.email,
    users.c.role,
    users.c.created_at,
    users.c.updated_at,
    users.c.disabled,
)
SESSION = tuple(sessions.c)
ENDED = (sessions.c.id, sessions.c.user_id, sessions.c.reason, sessions.c.access_until)

MAX_DEVICES = 20
"""Known devices of one account; the longest unused is forgotten past this."""


def user_of(row: Sequence[Any]) -> User:
    """Build a user from the columns `USER`."""
    return User(UserId(row[0]), row[1], row[2], row[3], Role(row[4]), row[5], row[6], bool(row[7]))


def user_row(user: User, password_hash: str) -> dict[str, Any]:
    """Return the row of an account."""
    return {
        "id": user.id,
        "username": user.username,
        "username_key": username_key(user.username),
        "display_name": user.display_name,
        "display_key": display_key(user.display_name),
        "email": user.email,
        "email_key": email_key(user.email),
        "role": user.role.value,
        "disabled": user.disabled,
        "password_hash": password_hash,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def session_of(row: Sequence[Any]) -> Session:
    """Build a session from the columns `SESSION`."""
    reason = RevocationReason(row[10]) if row[10] else None
    return Session(
        SessionId(row[0]), UserId(row[1]), row[2], row[3], row[4], row[5], row[6], row[7], bytes(row[8]), row[9], reason
    )


def session_row(session: Session) -> dict[str, Any]:
    """Return the row of a session."""
    return msgspec.structs.asdict(session)


def ended_of(row: Sequence[Any]) -> RevokedSession:
    """Build a revoked session from the columns `ENDED`."""
    return RevokedSession(SessionId(row[0]), UserId(row[1]), RevocationReason(row[2]), row[3])


async def insert_opening(connection: AsyncConnection, opening: Opening) -> None:
    """Write what a login begins."""
    session, device = opening.session, opening.device
    await connection.execute(sessions.insert(), session_row(session))
    await connection.execute(
        refresh_tokens.insert(),
        {"token_hash": opening.refresh_hash, "session_id": session.id, "issued_at": session.created_at},
    )
    known = await connection.execute(
        devices.update()
        .where(devices.c.token_hash == device.token_hash, devices.c.user_id == device.user_id)
        .values(used_at=device.used_at)
    )
    if known.rowcount == 0:
        await connection.execute(devices.insert(), msgspec.structs.asdict(device))
        kept = (
            sa.select(devices.c.token_hash)
            .where(devices.c.user_id == device.user_id)
            .order_by(devices.c.used_at.desc(), devices.c.token_hash)
            .limit(MAX_DEVICES)
        )
        await connection.execute(
            devices.delete().where(devices.c.user_id == device.user_id, devices.c.token_hash.not_in(kept))
        )
    if opening.settled:
        await connection.execute(login_failures.delete().where(login_failures.c.key.in_(opening.settled)))


async def end_sessions(
    connection: AsyncConnection, at: int, reason: RevocationReason, *conditions: sa.ColumnElement[bool]
) -> list[RevokedSession]:
    """Revoke the live sessions that fulfil the conditions; an expired one is live here, because its access token may be."""
    ended = await connection.execute(
        sessions.update()
        .where(sessions.c.revoked_at.is_(None), *conditions)
        .values(revoked_at=at, reason=reason.value)
        .returning(*ENDED)
    )
    return [ended_of(row) for row in ended]
