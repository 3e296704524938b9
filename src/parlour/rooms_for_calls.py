"""What the video service needs of chat: rooms, who may what in them, and a place in their log."""

from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec

from parlour.chat.model import EventType, NewEvent, RoomKind
from parlour.chat.ports import Broker, MembershipSource
from parlour.chat.service.membership import Memberships
from parlour.chat.service.membership_feed import MEMBERSHIP_CHANGED, MembershipsChanged
from parlour.platform.bus import Bus, Unsubscribe
from parlour.platform.errors import ParlourError
from parlour.platform.ids import ClientId, RoomId, UserId
from parlour.platform.permissions import Permission
from parlour.platform.tokens import Principal
from parlour.video.model import Call, CallRoom

_MOST_NAMED = 50
"""Users whom `call.ended` names as having taken part."""


class ChatRooms:
    """The `Rooms` of video over chat's memberships."""

    def __init__(self, memberships: Memberships, source: MembershipSource) -> None:
        self._memberships = memberships
        self._source = source

    async def require(self, principal: Principal, room_id: RoomId, permission: Permission) -> CallRoom:
        """Return a room where the caller's roles permit `permission`; without waiting where the membership is in memory."""
        membership = self._memberships.check(principal, room_id, permission)
        if membership is None:
            membership = await self._memberships.require(principal, room_id, permission)
        return CallRoom(room_id, membership.room.kind is RoomKind.DIRECT)

    def permits(self, principal: Principal, room_id: RoomId, permission: Permission) -> bool:
        """Tell, without waiting, whether the caller is a member whose roles permit `permission`, as far as is known."""
        try:
            return self._memberships.check(principal, room_id, permission) is not None
        except ParlourError:
            return False

    async def others(self, room_id: RoomId, user_id: UserId, limit: int) -> list[UserId]:
        """Return up to `limit` members besides `user_id`."""
        membership = (await self._memberships.load(user_id)).get(room_id)
        if membership is not None and membership.room.kind is RoomKind.DIRECT:
            return [] if membership.peer is None else [membership.peer]
        members = await self._source.members(room_id, limit=limit + 1)
        return [member.user_id for member in members if member.user_id != user_id][:limit]

    async def of_user(self, user_id: UserId) -> Sequence[RoomId]:
        """Return the rooms that a user is in."""
        return list(await self._memberships.load(user_id))


def on_members_changed(bus: Bus, listener: Callable[[Collection[UserId]], None]) -> Unsubscribe:
    """Call `listener(user_ids)` when another process, or this one, has changed something of the memberships of users.

    What is asked of `ChatRooms` then is the state after the change where chat subscribed before this.
    """

    def heard(payload: bytes) -> None:
        listener(msgspec.msgpack.decode(payload, type=MembershipsChanged).user_ids)

    return bus.subscribe(MEMBERSHIP_CHANGED, heard)


class ChatCallLog:
    """The `CallLog` of video over the room log: both events are the caller's, with ids that the call determines."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def started(self, call: Call) -> None:
        """Append `call.started`, whose `client_id` is the call's id."""
        await self._append(call, EventType.CALL_STARTED, ClientId(call.id), {})

    async def ended(self, call: Call) -> None:
        """Append `call.ended`, whose `client_id` is made of the call's id."""
        data = {
            "reason": call.end_reason,
            "duration_ms": call.duration_ms,
            "missed": call.missed,
            "user_ids": call.took_part[:_MOST_NAMED],
        }
        await self._append(call, EventType.CALL_ENDED, ClientId(str(uuid5(UUID(call.id), "call.ended"))), data)

    async def _append(self, call: Call, kind: EventType, client_id: ClientId, data: dict[str, Any]) -> None:
        data = {"call_id": call.id, "media": call.media, **data}
        await self._broker.submit(NewEvent(call.room_id, kind, call.started_by, client_id, data))
