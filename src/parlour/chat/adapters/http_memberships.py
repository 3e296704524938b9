"""Memberships in a process without chat's tables: asked of the chat service over HTTP."""

from collections.abc import Iterable

from parlour.chat.model import Member, Membership, Room
from parlour.chat.questions import (
    MEMBERS_PATH,
    MEMBERSHIPS_PATH,
    MOST_MEMBERS,
    MOST_USERS,
    ROOM_PATH,
    MembershipsOf,
    MembershipsWanted,
    MembersOf,
    MembersWanted,
    RoomFound,
    RoomWanted,
)
from parlour.platform.errors import Unavailable
from parlour.platform.ids import RoomId, UserId, is_uuid
from parlour.platform.services import ServiceClient


class HttpMemberships:
    """`ports.MembershipSource` over the chat service. Nothing is remembered: `service.membership.Memberships` does that."""

    def __init__(self, chat: ServiceClient) -> None:
        self._chat = chat

    async def room(self, room_id: RoomId) -> Room | None:
        """See MembershipSource."""
        if not is_uuid(room_id):
            return None
        return (await self._chat.call(ROOM_PATH, RoomWanted(room_id), RoomFound, repeatable=True)).room

    async def memberships(self, user_ids: Iterable[UserId]) -> dict[UserId, list[Membership]]:
        """See MembershipSource."""
        found: dict[UserId, list[Membership]] = {user_id: [] for user_id in user_ids}
        waiting = [user_id for user_id in found if is_uuid(user_id)]
        after = 0
        while waiting:
            wanted = MembershipsWanted(waiting[:MOST_USERS], after)
            answer = await self._chat.call(MEMBERSHIPS_PATH, wanted, MembershipsOf, repeatable=True)
            if (
                not answer.users
                or len(answer.users) > len(wanted.user_ids)
                or not (answer.users[-1] or not answer.more)
            ):
                raise Unavailable(retry_after=1)  # asking again would never end
            for user_id, rooms in zip(wanted.user_ids, answer.users, strict=False):
                found[user_id] += rooms
            waiting = waiting[len(answer.users) - answer.more :]
            after = len(found[waiting[0]]) if answer.more else 0
        return found

    async def members(self, room_id: RoomId, *, after: str = "", limit: int = 100) -> list[Member]:
        """See MembershipSource."""
        found: list[Member] = []
        while is_uuid(room_id) and len(found) < limit:
            wanted = MembersWanted(room_id, min(limit - len(found), MOST_MEMBERS), after)
            page = (await self._chat.call(MEMBERS_PATH, wanted, MembersOf, repeatable=True)).members
            found += page
            if len(page) != wanted.limit:
                break
            after = page[-1].user_id
        return found
