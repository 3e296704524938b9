"""What a client needs to begin: itself, and its rooms with their heads and counts."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from parlour.chat.model import Membership, NotificationLevel, RoomKind, Tail
from parlour.chat.ports import Directory, RoomLog
from parlour.chat.service.batching import BatchLoader
from parlour.chat.service.heads import Heads
from parlour.platform.clock import Clock
from parlour.platform.contracts import Profile
from parlour.platform.ids import RoomId, SessionId, UserId
from parlour.platform.tokens import Principal

_Mark = tuple[UserId, RoomId, int]


class RoomSummary(msgspec.Struct, omit_defaults=True):
    """A room as one member's client lists it.

    `head` is the seq of the last event, `read` the member's marker and `unread` what lies between; `mentions` counts
    the messages past the marker that mention the member or the whole room. `peer` is the other member of a direct
    room. `last_at` is when the last event happened. Times in ms UTC.
    """

    id: RoomId
    name: str
    kind: RoomKind
    topic: str
    role: str
    notify: NotificationLevel
    created_at: int
    joined_at: int
    head: int
    last_at: int
    read: int
    unread: int
    mentions: int
    peer: Profile | None = None


class ReadyState(msgspec.Struct):
    """The payload of `ready`; `server_time` in ms UTC.

    `epoch` names the history that the server tells. Another one than before means that a backup was put in its place: no
    seq and no marker that a client holds counts any more, whatever the heads are.
    """

    user: Profile
    session_id: SessionId
    server_time: int
    epoch: str
    rooms: list[RoomSummary]


class Summaries:
    """Makes `ready` and `room.added`.

    Profiles, heads and mentions of all who connect at the same time are loaded together. The head is read when this
    is called: who wants to miss no event has to be subscribed to the rooms before.
    """

    def __init__(self, log: RoomLog, directory: Directory, heads: Heads, clock: Clock, *, epoch: str) -> None:
        self._epoch = epoch
        self._heads = heads
        self._clock = clock
        self._profiles: BatchLoader[UserId, Profile] = BatchLoader(directory.profiles)
        self._mentions: BatchLoader[_Mark, int] = BatchLoader(_counts_of(log))

    async def ready(self, principal: Principal, memberships: dict[RoomId, Membership]) -> ReadyState:
        """Return what `principal` sees on connecting, with its rooms in the order of `memberships`."""
        mine = list(memberships.values())
        profiles = await self._profiles.load_many([principal.user_id, *_peers(mine)])
        rooms = await self._rooms(principal.user_id, mine, profiles)
        user = profiles.get(principal.user_id)
        if user is None:
            user = Profile(principal.user_id, principal.username, principal.username, principal.role)
        return ReadyState(user, principal.session_id, self._clock.now(), self._epoch, rooms)

    async def rooms(self, user_id: UserId, memberships: list[Membership]) -> list[RoomSummary]:
        """Return the summaries of some of a user's rooms."""
        return await self._rooms(user_id, memberships, await self._profiles.load_many(_peers(memberships)))

    async def _rooms(
        self, user_id: UserId, memberships: list[Membership], peers: dict[UserId, Profile]
    ) -> list[RoomSummary]:
        tails = await self._heads.tails([each.room.id for each in memberships])
        marks = [
            (user_id, each.room.id, each.read) for each in memberships if tails[each.room.id].seq > each.read
        ]  # who has read everything has no unread mention
        counts = await self._mentions.load_many(marks)
        mentions = {room_id: count for (_, room_id, _), count in counts.items()}
        return [self._summary(each, tails[each.room.id], mentions.get(each.room.id, 0), peers) for each in memberships]

    @staticmethod
    def _summary(membership: Membership, tail: Tail, mentions: int, peers: dict[UserId, Profile]) -> RoomSummary:
        room = membership.room
        return RoomSummary(
            id=room.id,
            name=room.name,
            kind=room.kind,
            topic=room.topic,
            role=membership.role,
            notify=membership.notify,
            created_at=room.created_at,
            joined_at=membership.joined_at,
            head=tail.seq,
            last_at=tail.at or room.created_at,
            read=membership.read,
            unread=max(0, tail.seq - membership.read),
            mentions=mentions,
            peer=peers.get(membership.peer) if membership.peer is not None else None,
        )


def _peers(memberships: list[Membership]) -> list[UserId]:
    return [each.peer for each in memberships if each.peer is not None]


def _counts_of(log: RoomLog) -> Callable[[Sequence[_Mark]], Awaitable[dict[_Mark, int]]]:
    async def fetch(marks: Sequence[_Mark]) -> dict[_Mark, int]:
        return dict(zip(marks, await log.mentions(marks), strict=True))

    return fetch
