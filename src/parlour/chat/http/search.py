"""The route of search (DESIGN.md section 4)."""

from typing import Annotated, Literal

import msgspec
from litestar import get
from litestar.params import QueryParameter

from parlour.chat.http.parameters import ID_LENGTH, LARGEST, Cursor
from parlour.chat.http.services import Caller, Chat
from parlour.chat.model import SearchHit
from parlour.chat.service.search import MAX_HITS, MAX_QUERY
from parlour.platform.ids import RoomId, UserId


class Hits(msgspec.Struct):
    """Messages that match, best first; `cursor` leads to the next page and is null on the last."""

    hits: list[SearchHit]
    cursor: str | None


TimeQuery = Annotated[int | None, QueryParameter(ge=0, le=LARGEST, description="Milliseconds UTC.")]


@get("/search", tags=["search"], operation_id="search_messages", summary="Search messages")
async def search_messages(
    *,
    principal: Caller,
    chat: Chat,
    q: Annotated[
        str,
        QueryParameter(min_length=1, max_length=MAX_QUERY, description='Words, "phrases" and prefix*; all must match.'),
    ],
    room_id: Annotated[RoomId | None, QueryParameter(max_length=ID_LENGTH, description="Only in this room.")] = None,
    from_user: Annotated[
        UserId | None, QueryParameter(name="from", max_length=ID_LENGTH, description="Only from this user.")
    ] = None,
    before: TimeQuery = None,
    after: TimeQuery = None,
    has: Annotated[Literal["link", "mention", "reaction", "pin"] | None, QueryParameter()] = None,
    cursor: Cursor = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_HITS)] = 20,
) -> Hits:
    """Only in rooms that the caller may read. `highlights` are [start, end) in characters of the text.

    A page may have fewer hits than `limit`, even none, while `cursor` is not null: go on from there. A newer search of the same user
    ends an older one, which answers `conflict`. A search that takes longer than a second is `unavailable`.

    Errors: `room_not_found`, `rate_limited`, `conflict`.
    """
    hits, following = await chat.search.search(
        principal,
        q,
        room_id=room_id,
        from_user=from_user,
        before=before,
        after=after,
        has=has,
        limit=limit,
        cursor=cursor,
    )
    return Hits(hits, following)
