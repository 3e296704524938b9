"""The caller's list of rooms, answered from memory: what is asked for most often over HTTP."""

from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from parlour.chat.model import Membership
from parlour.chat.service.heads import Heads
from parlour.chat.service.membership import Memberships
from parlour.chat.service.ready import RoomSummary, Summaries
from parlour.platform.bus import Bus, Unsubscribe
from parlour.platform.contracts import USER_CHANGED, UserChanged
from parlour.platform.errors import Unavailable
from parlour.platform.ids import RoomId, UserId
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

_Rooms = dict[RoomId, RoomSummary]


class RoomList:
    """Summaries of a user's rooms, remembered for as long as they hold.

    A summary holds while membership, room and head are what it was made of: mentions can only change with the head or
    the marker, since an edit or a deletion is an event too; of a peer's profile the bus tells. So a list that nothing
    happened to costs neither SQL nor the log.
    """

    def __init__(
        self,
        summaries: Summaries,
        memberships: Memberships,
        heads: Heads,
        rates: RateLimits,
        *,
        capacity: int = 20_000,
    ) -> None:
        """Remember the lists of at most `capacity` users, those used last."""
        self._summaries = summaries
        self._memberships = memberships
        self._heads = heads
        self._rates = rates
        self._capacity = capacity
        self._lists: OrderedDict[UserId, _Rooms] = OrderedDict()
        self._changes = 0  # of profiles

    async def of(self, principal: Principal) -> list[RoomSummary]:
        """Return the caller's rooms, the first joined first.

        Raises:
            RateLimited, Unavailable: something has to be read, and that later.
        """
        memberships = self._memberships.get(principal.user_id)
        if memberships is None:
            memberships = await self._memberships.load(principal.user_id)
        known = self._lists.get(principal.user_id, {})
        if len(known) > len(memberships):
            for left in known.keys() - memberships.keys():
                del known[left]
        return await self._summarise(principal.user_id, list(memberships.values()), rate="list")

    async def one(self, user_id: UserId, membership: Membership) -> RoomSummary:
        """Return one of a user's rooms."""
        return (await self._summarise(user_id, [membership]))[0]

    def follow(self, bus: Bus) -> Unsubscribe:
        """Keep the profiles of peers as they are from now on, until the returned function is called."""
        return bus.subscribe(USER_CHANGED, self._user_changed)

    async def _user_changed(self, payload: bytes) -> None:
        self._changes += 1
        user_id = msgspec.json.decode(payload, type=UserChanged).user_id
        try:
            memberships = await self._memberships.load(user_id)
        except Unavailable:  # whose lists these are cannot be known: rather make all of them again
            self._lists.clear()
            return
        for room_id, membership in memberships.items():
            if membership.peer is not None:
                self._lists.get(membership.peer, {}).pop(room_id, None)

    async def _summarise(
        self, user_id: UserId, memberships: list[Membership], rate: str | None = None
    ) -> list[RoomSummary]:
        known = self._lists.get(user_id)
        if known is None:
            known = self._lists[user_id] = {}
            if len(self._lists) > self._capacity:
                self._lists.popitem(last=False)
        self._lists.move_to_end(user_id)
        fresh = self._fresh(known, memberships)
        stale = [each for each in memberships if each.room.id not in fresh]
        if stale:
            if rate is not None:
                self._rates.check(rate, user_id)
            changes = self._changes
            for summary in await self._summaries.rooms(user_id, stale):
                fresh[summary.id] = summary
                if summary.peer is None or changes == self._changes:  # else it may be the profile of before
                    known[summary.id] = summary
        return [fresh[each.room.id] for each in memberships]

    def _fresh(self, known: _Rooms, memberships: Iterable[Membership]) -> _Rooms:
        head_of = self._heads.get
        fresh: _Rooms = {}
        for membership in memberships:
            room = membership.room
            summary = known.get(room.id)
            if (
                summary is not None
                and summary.head == head_of(room.id)
                and summary.read == membership.read
                and summary.role == membership.role
                and summary.notify is membership.notify
                and summary.name == room.name
                and summary.topic == room.topic
                and summary.kind is room.kind
                and summary.joined_at == membership.joined_at
            ):
                fresh[room.id] = summary
        return fresh
