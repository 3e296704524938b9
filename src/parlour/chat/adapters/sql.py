"""Rooms and membership in SQL, by SQLAlchemy Core: SQLite and PostgreSQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from parlour.chat.adapters.outbox_rows import outbox_row, told
from parlour.chat.adapters.room_rows import (
    JOINED_MEMBERSHIP,
    MEMBERSHIP,
    ROOM,
    direct_key,
    membership_of,
    room_of,
    room_row,
    text_row,
)
from parlour.chat.adapters.tables import drafts, members, outbox, removals, rooms
from parlour.chat.errors import LastOwner, RemovedFromRoom, RoomNotFound
from parlour.chat.model import (
    Departure,
    EventType,
    Member,
    Membership,
    NotificationLevel,
    Room,
    RoomKind,
)
from parlour.chat.ports import OutboxRow
from parlour.platform.errors import Conflict
from parlour.platform.ids import RoomId, UserId
from parlour.platform.permissions import RoomRole
from parlour.platform.sql import Database

# PostgreSQL numbers the rows of the outbox when they are written, not when they are committed. So whoever changes a room locks its
# row first (SQLite has one writer anyway), and the order of one room's rows is the order of its changes.

_SUCCESSION = (RoomRole.MODERATOR.value, RoomRole.MEMBER.value)

_MEMBERSHIPS = (
    sa.select(members.c.user_id, *MEMBERSHIP)
    .select_from(JOINED_MEMBERSHIP)
    .where(members.c.user_id.in_(sa.bindparam("user_ids", expanding=True)))
    .order_by(members.c.user_id, members.c.joined_at, members.c.room_id)
)
"""Built once: every connecting user asks it."""


class SqlRoomStore:
    """`ports.RoomStore` in the tables `rooms`, `room_members`, `room_removals`, `drafts` and `room_outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Rooms

    async def create(self, room: Room, members_: Mapping[UserId, str]) -> tuple[Room, bool]:
        """Store a room with its members and roles; a direct room of the same members is returned as it is."""
        key = direct_key(members_) if room.kind is RoomKind.DIRECT else None
        try:
            async with self._database.transaction() as connection:
                existing = await _direct(connection, key)
                if existing is None:
                    await _insert_room(connection, room, key, members_)
        except IntegrityError as error:  # PostgreSQL: another transaction created it in between
            row = None if key is None else await self._database.row(_direct_query(key))
            existing = room_of(row) if row else None
            if existing is None:
                raise Conflict("There is a room of this id.") from error
        return (room, True) if existing is None else (existing, False)

    async def room(self, room_id: RoomId) -> Room | None:
        """Return a room."""
        row = await self._database.row(sa.select(*ROOM).where(rooms.c.id == room_id))
        return room_of(row) if row else None

    async def public_rooms(
        self, *, query: str = "", after: tuple[str, str] | None = None, limit: int = 50
    ) -> list[tuple[Room, int]]:
        """Return public rooms with their numbers of members, by name and id."""
        found = (
            sa.select(*ROOM, rooms.c.member_count)
            .where(rooms.c.kind == RoomKind.PUBLIC.value)
            .order_by(rooms.c.name_key, rooms.c.id)
            .limit(limit)
        )
        if after is not None:
            name_key = after[0].casefold()
            found = found.where(sa.tuple_(rooms.c.name_key, rooms.c.id) > sa.tuple_(name_key, after[1]))
        if query:
            words = query.casefold()
            found = found.where(
                rooms.c.name_key.contains(words, autoescape=True) | rooms.c.topic_key.contains(words, autoescape=True)
            )
        return [(room_of(row), row[-1]) for row in await self._database.rows(found)]

    async def update(self, room_id: RoomId, by: UserId, changes: Mapping[str, str]) -> Room | None:
        """Change name, topic or kind."""
        async with self._database.transaction() as connection:
            room = await _lock(connection, room_id)
            if room is None:
                return None
            real = {field: value for field, value in changes.items() if getattr(room, field) != value}
            if not real:
                return room
            changed = rooms.update().where(rooms.c.id == room_id).values(text_row(real)).returning(*ROOM)
            row = (await connection.execute(changed)).one()
            await connection.execute(outbox.insert(), [told(room_id, EventType.ROOM_UPDATED, by, real)])
            return room_of(row)

    # Members

    async def memberships(self, user_ids: Iterable[UserId]) -> dict[UserId, list[Membership]]:
        """Return the rooms of each user, the first joined first."""
        wanted = list(user_ids)
        found: dict[UserId, list[Membership]] = {user_id: [] for user_id in wanted}
        for row in await self._database.rows(_MEMBERSHIPS, user_ids=wanted):
            found[row[0]].append(membership_of(row[0], row[1:]))
        return found

    async def membership(self, room_id: RoomId, user_id: UserId) -> Membership | None:
        """Return a user's membership of a room."""
        row = await self._database.row(_membership_query(room_id, user_id))
        return membership_of(user_id, row) if row else None

    async def members(self, room_id: RoomId, *, after: str = "", limit: int = 100) -> list[Member]:
        """Return a room's members by user id."""
        query = (
            sa.select(members.c.user_id, members.c.role, members.c.joined_at)
            .where(members.c.room_id == room_id, members.c.user_id > after)
            .order_by(members.c.user_id)
            .limit(limit)
        )
        return [Member(*row) for row in await self._database.rows(query)]

    async def count_members(self, room_id: RoomId) -> int:
        """Return how many members a room has."""
        row = await self._database.row(_count_query(room_id))
        return row[0] if row else 0

    async def add_member(
        self, room_id: RoomId, user_id: UserId, role: str, by: UserId, *, at: int, read: int = 0, pardon: bool = False
    ) -> Membership | None:
        """Add a member; the first one of an empty room becomes its owner."""
        async with self._database.transaction() as connection:
            if await _lock(connection, room_id) is None:
                raise RoomNotFound
            if await _role(connection, room_id, user_id) is not None:
                return None
            await _end_removal(connection, room_id, user_id, pardon)
            if await _count(connection, room_id) == 0:
                role = RoomRole.OWNER.value
            await connection.execute(members.insert(), _member_row(room_id, user_id, role, at=at, read=read, by=by))
            await _count_one(connection, room_id, 1)
            joined = told(room_id, EventType.MEMBER_JOINED, by, {"user_id": user_id, "role": role})
            await connection.execute(outbox.insert(), [joined])
            return await _membership(connection, room_id, user_id)

    async def remove_member(self, room_id: RoomId, user_id: UserId, by: UserId) -> Departure | None:
        """Remove a member and their draft, and find the last owner a successor."""
        async with self._database.transaction() as connection:
            await _lock(connection, room_id)
            role = await _role(connection, room_id, user_id)
            if role is None:
                return None
            for table in (members, drafts):
                await connection.execute(table.delete().where(table.c.room_id == room_id, table.c.user_id == user_id))
            await _count_one(connection, room_id, -1)
            if by != user_id:
                removed = {"room_id": room_id, "user_id": user_id, "removed_by": by}
                await connection.execute(removals.insert(), removed)
            rows = [told(room_id, EventType.MEMBER_LEFT, by, {"user_id": user_id})]
            successor = None
            if role == RoomRole.OWNER.value and not await _owners(connection, room_id):
                successor = await _promote_successor(connection, room_id)
                if successor is not None:
                    rows.append(_role_told(room_id, by, successor, RoomRole.OWNER.value))
            await connection.execute(outbox.insert(), rows)
            return Departure(successor)

    async def set_role(self, room_id: RoomId, user_id: UserId, role: str, by: UserId) -> bool:
        """Change a member's role."""
        async with self._database.transaction() as connection:
            await _lock(connection, room_id)
            before = await _role(connection, room_id, user_id)
            if before is None:
                return False
            if before != role:
                if before == RoomRole.OWNER.value and await _owners(connection, room_id) == 1:
                    raise LastOwner
                await _set_role(connection, room_id, user_id, role)
                await connection.execute(outbox.insert(), [_role_told(room_id, by, user_id, role)])
            return True

    # What a member keeps of a room

    async def mark_read(self, marks: Sequence[tuple[UserId, RoomId, int, bool]]) -> None:
        """Move read markers to a seq: forward only, or with True back as well."""
        if not marks:
            return
        forward = (
            members.update()
            .where(
                members.c.room_id == sa.bindparam("of_room"),
                members.c.user_id == sa.bindparam("of_user"),
                sa.or_(members.c.read_seq < sa.bindparam("seq"), sa.bindparam("back", type_=sa.Boolean)),
            )
            .values(read_seq=sa.bindparam("seq"))
        )
        # Rows are locked in one order, so that two nodes which write the same ones do not wait for each other.
        values = [
            {"of_user": user, "of_room": room, "seq": seq, "back": back} for user, room, seq, back in sorted(marks)
        ]
        async with self._database.transaction() as connection:
            await connection.execute(forward, values)

    async def set_notify(self, user_id: UserId, room_id: RoomId, level: NotificationLevel) -> bool:
        """Set what a room notifies a member of."""
        changed = members.update().where(_is_member(room_id, user_id)).values(notify=level.value)
        async with self._database.transaction() as connection:
            return (await connection.execute(changed)).rowcount > 0

    async def drafts(self, user_id: UserId) -> dict[RoomId, tuple[str, int]]:
        """Return a user's drafts."""
        query = sa.select(drafts.c.room_id, drafts.c.text, drafts.c.at).where(
            drafts.c.user_id == user_id, drafts.c.text != ""
        )
        return {room_id: (text, at) for room_id, text, at in await self._database.rows(query)}

    async def save_draft(self, user_id: UserId, room_id: RoomId, text: str, at: int) -> None:
        """Keep a draft, unless a later one is there."""
        insert = self._database.insert(drafts).values(user_id=user_id, room_id=room_id, text=text, at=at)
        new = insert.excluded
        save = insert.on_conflict_do_update(
            index_elements=[drafts.c.user_id, drafts.c.room_id],
            set_={"text": new.text, "at": new.at},
            where=drafts.c.at <= new.at,
        )
        async with self._database.transaction() as connection:
            await connection.execute(save)

    # The outbox of the room log

    async def outbox(
        self, limit: int = 500, *, without: Collection[RoomId] = (), only: Collection[RoomId] | None = None
    ) -> list[OutboxRow]:
        """Return what the log has yet to be told."""
        query = sa.select(outbox).where(~outbox.c.set_aside).order_by(outbox.c.position).limit(limit)
        if without:
            query = query.where(outbox.c.room_id.not_in(without))
        if only is not None:
            query = query.where(outbox.c.room_id.in_(only))
        return [outbox_row(row) for row in await self._database.rows(query)]

    async def outbox_done(self, ids: Sequence[str]) -> None:
        """Forget outbox rows."""
        if ids:
            async with self._database.transaction() as connection:
                await connection.execute(outbox.delete().where(outbox.c.id.in_(ids)))

    async def outbox_set_aside(self, ids: Sequence[str]) -> None:
        """Keep outbox rows from being told."""
        async with self._database.transaction() as connection:
            await connection.execute(outbox.update().where(outbox.c.id.in_(ids)).values(set_aside=True))


async def _insert_room(connection: AsyncConnection, room: Room, key: str | None, roles: Mapping[UserId, str]) -> None:
    at, read = room.created_at, len(roles)
    joined = [
        told(room.id, EventType.MEMBER_JOINED, room.created_by, {"user_id": user_id, "role": role})
        for user_id, role in roles.items()
    ]
    await connection.execute(rooms.insert(), room_row(room, key, len(roles)))
    await connection.execute(
        members.insert(),
        [_member_row(room.id, user_id, role, at=at, read=read, by=room.created_by) for user_id, role in roles.items()],
    )
    await connection.execute(outbox.insert(), joined)


async def _room(connection: AsyncConnection, query: sa.Select[Any]) -> Room | None:
    row = (await connection.execute(query)).first()
    return room_of(row) if row else None


async def _direct(connection: AsyncConnection, key: str | None) -> Room | None:
    return None if key is None else await _room(connection, _direct_query(key))


def _direct_query(key: str) -> sa.Select[Any]:
    return sa.select(*ROOM).where(rooms.c.direct_key == key)


async def _lock(connection: AsyncConnection, room_id: RoomId) -> Room | None:
    """Return a room that nobody else changes until this transaction ends."""
    return await _room(connection, sa.select(*ROOM).where(rooms.c.id == room_id).with_for_update())


async def _membership(connection: AsyncConnection, room_id: RoomId, user_id: UserId) -> Membership | None:
    row = (await connection.execute(_membership_query(room_id, user_id))).first()
    return membership_of(user_id, row) if row else None


def _membership_query(room_id: RoomId, user_id: UserId) -> sa.Select[Any]:
    return sa.select(*MEMBERSHIP).select_from(JOINED_MEMBERSHIP).where(_is_member(room_id, user_id))


async def _role(connection: AsyncConnection, room_id: RoomId, user_id: UserId) -> str | None:
    role: str | None = await connection.scalar(sa.select(members.c.role).where(_is_member(room_id, user_id)))
    return role


async def _end_removal(connection: AsyncConnection, room_id: RoomId, user_id: UserId, pardon: bool) -> None:
    removal = sa.and_(removals.c.room_id == room_id, removals.c.user_id == user_id)
    if await connection.scalar(sa.select(removals.c.removed_by).where(removal)) is None:
        return
    if not pardon:
        raise RemovedFromRoom
    await connection.execute(removals.delete().where(removal))


async def _count(connection: AsyncConnection, room_id: RoomId) -> int:
    return await connection.scalar(_count_query(room_id)) or 0


def _count_query(room_id: RoomId) -> sa.Select[int]:
    return sa.select(rooms.c.member_count).where(rooms.c.id == room_id)


async def _count_one(connection: AsyncConnection, room_id: RoomId, change: int) -> None:
    counted = rooms.update().where(rooms.c.id == room_id).values(member_count=rooms.c.member_count + change)
    await connection.execute(counted)


async def _owners(connection: AsyncConnection, room_id: RoomId) -> int:
    owners = sa.select(sa.func.count()).where(members.c.room_id == room_id, members.c.role == RoomRole.OWNER.value)
    return await connection.scalar(owners) or 0


async def _promote_successor(connection: AsyncConnection, room_id: RoomId) -> UserId | None:
    rank = sa.case({role: place for place, role in enumerate(_SUCCESSION)}, value=members.c.role)
    heirs = (
        sa.select(members.c.user_id)
        .where(members.c.room_id == room_id, members.c.role.in_(_SUCCESSION))
        .order_by(rank, members.c.joined_at, members.c.user_id)
        .limit(1)
    )
    heir: UserId | None = await connection.scalar(heirs)
    if heir is not None:
        await _set_role(connection, room_id, heir, RoomRole.OWNER.value)
    return heir


async def _set_role(connection: AsyncConnection, room_id: RoomId, user_id: UserId, role: str) -> None:
    await connection.execute(members.update().where(_is_member(room_id, user_id)).values(role=role))


def _is_member(room_id: RoomId, user_id: UserId) -> sa.ColumnElement[bool]:
    return sa.and_(members.c.room_id == room_id, members.c.user_id == user_id)


def _member_row(room_id: RoomId, user_id: UserId, role: str, *, at: int, read: int, by: UserId) -> dict[str, Any]:
    return {
        "room_id": room_id,
        "user_id": user_id,
        "role": role,
        "joined_at": at,
        "read_seq": read,
        "notify": NotificationLevel.ALL.value,
        "invited": by != user_id,
    }


def _role_told(room_id: RoomId, by: UserId, user_id: UserId, role: str) -> dict[str, Any]:
    return told(room_id, EventType.ROOM_UPDATED, by, {"roles": {user_id: role}})
