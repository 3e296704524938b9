"""Accounts in SQL."""

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from parlour.auth.adapters.sql.rows import USER, end_sessions, insert_opening, session_row, user_of, user_row
from parlour.auth.adapters.tables import sessions, users
from parlour.auth.errors import EmailTaken, LastOwner, UsernameTaken, UserNotFound
from parlour.auth.model import Credentials, Opening, RevocationReason, RevokedSession, Session, User, is_demotion
from parlour.auth.names import display_key, username_key
from parlour.auth.ports import Managed
from parlour.platform.ids import SessionId, UserId
from parlour.platform.permissions import Role
from parlour.platform.sql import Database

_AFTER_ALL = "\U0010ffff"
_ANY_USER = sa.select(users.c.id).limit(1)
_BY_ID = sa.select(*USER).where(users.c.id.in_(sa.bindparam("ids", expanding=True)))
_BY_NAME = sa.select(*USER).where(users.c.username_key.in_(sa.bindparam("names", expanding=True)))


class SqlAccountStore:
    """`ports.AccountStore` in the tables `users` and `sessions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, user: User, password_hash: str, opening: Opening | None = None) -> User:
        """Store an account, and the session that begins with it."""
        try:
            async with self._database.transaction() as connection:
                if (await connection.execute(_ANY_USER)).first() is None:
                    await self._database.alone(connection, "the first account")
                if (await connection.execute(_ANY_USER)).first() is None:
                    user = msgspec.structs.replace(user, role=Role.OWNER)
                await connection.execute(users.insert(), user_row(user, password_hash))
                if opening is not None:
                    await insert_opening(connection, opening)
        except IntegrityError:
            # Asking afterwards names the username first where both are taken, and needs no engine's wording of the error.
            if await self.users_by_name([username_key(user.username)]):
                raise UsernameTaken(details={"field": "username"}) from None
            raise EmailTaken(details={"field": "email"}) from None
        return user

    async def create_many(self, accounts: Sequence[tuple[User, Session]], password_hash: str) -> None:
        """Store many accounts of one password with a session each."""
        try:
            async with self._database.transaction() as connection:
                await connection.execute(users.insert(), [user_row(user, password_hash) for user, _ in accounts])
                await connection.execute(sessions.insert(), [session_row(session) for _, session in accounts])
        except IntegrityError:
            raise UsernameTaken("Some of these usernames or addresses are taken.") from None

    async def any(self) -> bool:
        """Tell whether there is any account."""
        return await self._database.row(_ANY_USER) is not None

    async def user(self, user_id: UserId) -> User | None:
        """Return an account."""
        found = await self.users([user_id])
        return found[0] if found else None

    async def credentials(self, login_key: str) -> Credentials | None:
        """Return the account of a username's or an address's key."""
        column = users.c.email_key if "@" in login_key else users.c.username_key
        return await self._credentials(column == login_key)

    async def credentials_of(self, user_id: UserId) -> Credentials | None:
        """Return an account with its password hash."""
        return await self._credentials(users.c.id == user_id)

    async def _credentials(self, condition: sa.ColumnElement[bool]) -> Credentials | None:
        row = await self._database.row(sa.select(*USER, users.c.password_hash).where(condition))
        return Credentials(user_of(row), row[-1]) if row else None

    async def users(self, user_ids: Iterable[UserId]) -> list[User]:
        """Return those accounts that exist."""
        return [user_of(row) for row in await self._database.rows(_BY_ID, ids=list(user_ids))]

    async def users_by_name(self, username_keys: Iterable[str]) -> list[User]:
        """Return those accounts that exist."""
        return [user_of(row) for row in await self._database.rows(_BY_NAME, names=list(username_keys))]

    async def search(self, prefix: str, *, after: str, limit: int, include_disabled: bool) -> list[User]:
        """Return accounts by prefix."""
        query = sa.select(*USER).where(users.c.username_key > after).order_by(users.c.username_key).limit(limit)
        if prefix:
            # Ranges, not LIKE: both columns are indexed by code point, and % and _ need no escape.
            query = query.where(
                users.c.username_key.between(prefix, prefix + _AFTER_ALL)
                | users.c.display_key.between(prefix, prefix + _AFTER_ALL)
            )
        if not include_disabled:
            query = query.where(users.c.disabled.is_(False))
        return [user_of(row) for row in await self._database.rows(query)]

    async def set_display_name(self, user_id: UserId, display_name: str, at: int) -> User | None:
        """Change the display name."""
        changed = (
            users.update()
            .where(users.c.id == user_id)
            .values(display_name=display_name, display_key=display_key(display_name), updated_at=at)
            .returning(*USER)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(changed)).first()
        return user_of(row) if row else None

    async def set_password(
        self, user_id: UserId, password_hash: str, at: int, *, keep: SessionId | None
    ) -> list[RevokedSession]:
        """Change the password and end the other sessions."""
        async with self._database.transaction() as connection:
            await connection.execute(
                users.update().where(users.c.id == user_id).values(password_hash=password_hash, updated_at=at)
            )
            others = [sessions.c.user_id == user_id]
            if keep is not None:
                others.append(sessions.c.id != keep)
            return await end_sessions(connection, at, RevocationReason.PASSWORD_CHANGED, *others)

    async def replace_hash(self, user_id: UserId, old: str, new: str) -> None:
        """Store another hash of the same password."""
        async with self._database.transaction() as connection:
            await connection.execute(
                users.update().where(users.c.id == user_id, users.c.password_hash == old).values(password_hash=new)
            )

    async def manage(self, user_id: UserId, at: int, *, role: Role | None, disabled: bool | None) -> Managed:
        """Change role and state."""
        async with self._database.transaction() as connection:
            # Owners are locked in one order, so that two who demote each other do not both succeed.
            rows = await connection.execute(
                sa.select(*USER)
                .where((users.c.id == user_id) | (users.c.role == Role.OWNER.value))
                .order_by(users.c.id)
                .with_for_update()
            )
            concerned = {user.id: user for user in map(user_of, rows)}
            before = concerned.get(user_id)
            if before is None:
                raise UserNotFound
            after = msgspec.structs.replace(
                before,
                role=before.role if role is None else role,
                disabled=before.disabled if disabled is None else disabled,
                updated_at=at,
            )
            concerned[user_id] = after
            if before.role is Role.OWNER and not any(
                user.role is Role.OWNER and not user.disabled for user in concerned.values()
            ):
                raise LastOwner
            await connection.execute(
                users.update()
                .where(users.c.id == user_id)
                .values(role=after.role.value, disabled=after.disabled, updated_at=at)
            )
            ended: list[RevokedSession] = []
            if after.disabled:
                ended = await end_sessions(
                    connection, at, RevocationReason.USER_DISABLED, sessions.c.user_id == user_id
                )
            elif is_demotion(before.role, after.role):
                ended = await end_sessions(connection, at, RevocationReason.ROLE_CHANGED, sessions.c.user_id == user_id)
            return Managed(after, ended)
