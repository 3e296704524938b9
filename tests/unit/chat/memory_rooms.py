"""A room store in memory, for tests of the use cases: obedient to the port, countable and stoppable."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from parlour.chat.errors import LastOwner, RemovedFromRoom, RoomNotFound
from parlour.chat.model import Departure, EventType, Member, Membership, NewEvent, NotificationLevel, Room, RoomKind
from parlour.chat.ports import OutboxRow
from parlour.platform.errors import Unavailable
from parlour.platform.ids import ClientId, RoomId, UserId, uuid7


class MemoryRooms:
    """Answers with copies, as an engine does; `hold` stops the next read of memberships after its snapshot is taken."""

    def __init__(self) -> None:
        self.rooms: dict[RoomId, Room] = {}
        self.of: dict[RoomId, dict[UserId, Membership]] = {}
        self.rows: list[OutboxRow] = []
        self.removed: set[tuple[RoomId, UserId]] = set()
        self.set_aside: set[str] = set()
        self.pages = self.deletions = 0
        self.kept: dict[tuple[UserId, RoomId], tuple[str, int]] = {}
        self.loads: list[set[UserId]] = []
        self.marks: list[list[tuple[UserId, RoomId, int]]] = []
        self.hold: asyncio.Event | None = None
        self.held, self.marking = asyncio.Event(), asyncio.Event()
        self.down = False

    async def create(self, room: Room, members: Mapping[UserId, str]) -> tuple[Room, bool]:
        self._check()
        if room.kind is RoomKind.DIRECT:
            for other in self.rooms.values():
                if other.kind is RoomKind.DIRECT and self.of[other.id].keys() == members.keys():
                    return msgspec.structs.replace(other), False
        self.rooms[room.id] = msgspec.structs.replace(room)
        self.of[room.id] = {}
        for user_id, role in members.items():
            peer = next((each for each in members if each != user_id), None) if room.kind is RoomKind.DIRECT else None
            self.of[room.id][user_id] = Membership(
                room, role, room.created_at, len(members), NotificationLevel.ALL, peer, user_id != room.created_by
            )
            self._tell(room.id, EventType.MEMBER_JOINED, room.created_by, {"user_id": user_id, "role": role})
        return room, True

    async def room(self, room_id: RoomId) -> Room | None:
        self._check()
        room = self.rooms.get(room_id)
        return msgspec.structs.replace(room) if room else None

    async def public_rooms(
        self, *, query: str = "", after: tuple[str, str] | None = None, limit: int = 50
    ) -> list[tuple[Room, int]]:
        found = sorted(
            (
                (msgspec.structs.replace(room), len(self.of[room.id]))
                for room in self.rooms.values()
                if room.kind is RoomKind.PUBLIC and query.casefold() in room.name.casefold()
            ),
            key=lambda pair: (pair[0].name.casefold(), pair[0].id),
        )
        return [pair for pair in found if after is None or (pair[0].name.casefold(), pair[0].id) > after][:limit]

    async def update(self, room_id: RoomId, by: UserId, changes: Mapping[str, str]) -> Room | None:
        self._check()
        room = self.rooms.get(room_id)
        if room is None:
            return None
        for field, value in changes.items():
            setattr(room, field, RoomKind(value) if field == "kind" else value)
        self._tell(room_id, EventType.ROOM_UPDATED, by, dict(changes))
        return msgspec.structs.replace(room)

    async def memberships(self, user_ids: Iterable[UserId]) -> dict[UserId, list[Membership]]:
        self._check()
        wanted = set(user_ids)
        self.loads.append(wanted)
        found = {
            user_id: [self._copy(room_id, user_id) for room_id in self.of if user_id in self.of[room_id]]
            for user_id in wanted
        }
        await asyncio.sleep(0)
        if self.hold is not None:
            hold, self.hold = self.hold, None
            self.held.set()
            await hold.wait()
        return found

    async def membership(self, room_id: RoomId, user_id: UserId) -> Membership | None:
        self._check()
        return self._copy(room_id, user_id) if user_id in self.of.get(room_id, {}) else None

    async def members(self, room_id: RoomId, *, after: str = "", limit: int = 100) -> list[Member]:
        members = sorted(self.of.get(room_id, {}).items())
        return [Member(user, each.role, each.joined_at) for user, each in members if user > after][:limit]

    async def count_members(self, room_id: RoomId) -> int:
        self._check()
        return len(self.of.get(room_id, {}))

    async def add_member(
        self, room_id: RoomId, user_id: UserId, role: str, by: UserId, *, at: int, read: int = 0, pardon: bool = False
    ) -> Membership | None:
        self._check()
        if room_id not in self.rooms:
            raise RoomNotFound
        if user_id in self.of[room_id]:
            return None
        if (room_id, user_id) in self.removed and not pardon:
            raise RemovedFromRoom
        self.removed.discard((room_id, user_id))
        if not self.of[room_id]:
            role = "owner"
        self.of[room_id][user_id] = Membership(
            self.rooms[room_id], role, at, read, NotificationLevel.ALL, invited=by != user_id
        )
        self._tell(room_id, EventType.MEMBER_JOINED, by, {"user_id": user_id, "role": role})
        return self._copy(room_id, user_id)

    async def remove_member(self, room_id: RoomId, user_id: UserId, by: UserId) -> Departure | None:
        self._check()
        gone = self.of.get(room_id, {}).pop(user_id, None)
        if gone is None:
            return None
        if by != user_id:
            self.removed.add((room_id, user_id))
        self._tell(room_id, EventType.MEMBER_LEFT, by, {"user_id": user_id})
        left = self.of[room_id]
        if gone.role != "owner" or not left or any(each.role == "owner" for each in left.values()):
            return Departure()
        heir = min(left, key=lambda user: (left[user].role != "moderator", left[user].joined_at))
        left[heir].role = "owner"
        return Departure(heir)

    async def set_role(self, room_id: RoomId, user_id: UserId, role: str, by: UserId) -> bool:
        self._check()
        member = self.of.get(room_id, {}).get(user_id)
        if member is None:
            return False
        if member.role == "owner" != role and sum(each.role == "owner" for each in self.of[room_id].values()) == 1:
            raise LastOwner
        member.role = role
        self._tell(room_id, EventType.ROOM_UPDATED, by, {"roles": {user_id: role}})
        return True

    async def mark_read(self, marks: Sequence[tuple[UserId, RoomId, int, bool]]) -> None:
        self._check()
        self.marks.append(sorted(marks))
        self.marking.set()
        await asyncio.sleep(0)
        self._check()
        for user_id, room_id, seq, back in marks:
            member = self.of.get(room_id, {}).get(user_id)
            if member is not None:
                member.read = seq if back else max(member.read, seq)

    async def set_notify(self, user_id: UserId, room_id: RoomId, level: NotificationLevel) -> bool:
        member = self.of.get(room_id, {}).get(user_id)
        if member is not None:
            member.notify = level
        return member is not None

    async def drafts(self, user_id: UserId) -> dict[RoomId, tuple[str, int]]:
        return {room_id: kept for (user, room_id), kept in self.kept.items() if user == user_id and kept[0]}

    async def save_draft(self, user_id: UserId, room_id: RoomId, text: str, at: int) -> None:
        if at >= self.kept.get((user_id, room_id), ("", 0))[1]:
            self.kept[user_id, room_id] = (text, at)

    async def outbox(
        self, limit: int = 500, *, without: Collection[RoomId] = (), only: Collection[RoomId] | None = None
    ) -> list[OutboxRow]:
        self._check()
        self.pages += 1
        rows = [row for row in self.rows if row.event.room_id not in without and row.id not in self.set_aside]
        return [row for row in rows if only is None or row.event.room_id in only][:limit]

    async def outbox_done(self, ids: Sequence[str]) -> None:
        self._check()
        self.deletions += 1
        self.rows = [row for row in self.rows if row.id not in ids]

    async def outbox_set_aside(self, ids: Sequence[str]) -> None:
        self._check()
        self.set_aside.update(ids)

    def _copy(self, room_id: RoomId, user_id: UserId) -> Membership:
        member = self.of[room_id][user_id]
        return msgspec.structs.replace(member, room=msgspec.structs.replace(self.rooms[room_id]))

    def _tell(self, room_id: RoomId, kind: EventType, by: UserId, data: dict[str, object]) -> None:
        row_id = uuid7()
        self.rows.append(OutboxRow(row_id, NewEvent(room_id, kind, by, ClientId(row_id), data)))

    def _check(self) -> None:
        if self.down:
            raise Unavailable(retry_after=1)
