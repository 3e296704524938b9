"""Searching the messages that the caller may read."""

import asyncio

from parlour.chat.model import SearchHit
from parlour.chat.ports import Search, SearchQuery
from parlour.chat.service.membership import Memberships
from parlour.platform.errors import Conflict, InvalidRequest
from parlour.platform.ids import RoomId, UserId
from parlour.platform.metrics import SEARCH_SECONDS
from parlour.platform.permissions import Permission, RoomRole, allowed
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

MAX_QUERY = 500
"""Characters of a query."""

MAX_HITS = 50
"""Hits of one page."""

HAS = ("link", "mention", "reaction", "pin")
"""What `has` may ask for."""


class SearchMessages:
    """Full text over the caller's rooms: who leaves a room finds nothing in it from that moment on.

    A user has one search under way: a newer one takes its place, as somebody who types on wants it, and nobody holds up the others
    by many at once.
    """

    def __init__(self, search: Search, memberships: Memberships, rates: RateLimits) -> None:
        self._search = search
        self._memberships = memberships
        self._rates = rates
        self._under_way: dict[UserId, asyncio.Task[tuple[list[SearchHit], str | None]]] = {}

    async def search(
        self,
        principal: Principal,
        q: str,
        *,
        room_id: RoomId | None = None,
        from_user: UserId | None = None,
        before: int | None = None,
        after: int | None = None,
        has: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> tuple[list[SearchHit], str | None]:
        """Return hits, best first, and the cursor of the next page; `before` and `after` in ms UTC.

        Raises:
            InvalidRequest: an empty or too long query, an unknown `has`, a limit outside 1 to `MAX_HITS`.
            RoomNotFound: `room_id` is given and the caller may not read it.
            Conflict: the caller began another search before this one was done.
            RateLimited, Unavailable: later.
        """
        if not q.strip() or len(q) > MAX_QUERY:
            raise InvalidRequest(f"`q` must have 1 to {MAX_QUERY} characters.", details={"field": "q"})
        if has is not None and has not in HAS:
            raise InvalidRequest(f"`has` must be one of {', '.join(HAS)}.", details={"field": "has"})
        if not 1 <= limit <= MAX_HITS:
            raise InvalidRequest(f"`limit` must be 1 to {MAX_HITS}.", details={"field": "limit"})
        self._rates.check("search", principal.user_id)
        readable = await self._readable(principal, room_id)
        if not readable:
            return [], None
        query = SearchQuery(q, readable, from_user, before, after, has, limit, cursor)
        with SEARCH_SECONDS.time():
            return await self._alone(principal.user_id, query)

    async def _alone(self, user_id: UserId, query: SearchQuery) -> tuple[list[SearchHit], str | None]:
        earlier = self._under_way.get(user_id)
        if earlier is not None:
            earlier.cancel()
        search = asyncio.create_task(self._search.search(query))
        self._under_way[user_id] = search
        try:
            return await search
        except asyncio.CancelledError:
            if self._under_way.get(user_id) is search:  # it is the caller who does not wait any more
                raise
            raise Conflict("A newer search took the place of this one.") from None
        finally:
            if self._under_way.get(user_id) is search:
                del self._under_way[user_id]

    async def _readable(self, principal: Principal, room_id: RoomId | None) -> list[RoomId]:
        if room_id is not None:
            await self._memberships.require(principal, room_id, Permission.READ)
            return [room_id]
        rooms = await self._memberships.load(principal.user_id)
        return [
            each
            for each, membership in rooms.items()
            if allowed(principal.role, Permission.READ, RoomRole(membership.role))
        ]
