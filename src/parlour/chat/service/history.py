"""Reading a room: pages of its messages and of what stands among them, the ones around a place, one of them, the pinned ones."""

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from parlour.chat.errors import MessageNotFound, RoomNotFound
from parlour.chat.model import MAX_PINS, Message, RoomEvent
from parlour.chat.ports import RoomLog
from parlour.chat.service.heads import Heads
from parlour.chat.service.membership import Memberships
from parlour.platform.errors import Forbidden, InvalidRequest, Unavailable
from parlour.platform.ids import EventId, RoomId
from parlour.platform.permissions import Permission
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

MAX_PAGE = 200
"""Messages of one page."""

_UNIT = 50  # messages of one unit of the rate

KEPT_PAGES = 500
"""Pages that are kept, none larger than `LARGEST_KEPT`: some 50 MB at the very most."""

LARGEST_KEPT = 20_000
"""Characters of the texts of a page, with 40 for each user that reacted or is mentioned and `_EVENT_SIZE` an event."""

_EVENT_SIZE = 200  # characters that an event among the messages counts for

_Page = tuple[RoomId, int | None, int | None, int, bool]


class MessagePage(msgspec.Struct):
    """Messages, newest first, that include everything up to the room's `head`.

    `events` are what stands among the messages, newest first too: joins, leavings, changes of the room, calls. They count
    towards the limit; there are none unless they were asked for.
    """

    messages: list[Message]
    head: int
    events: list[RoomEvent] = []


class History:
    """The message view as members may read it.

    Each answer with a head holds at least what the log held at that head, because the head is read first: who applies
    the events after that head to the page, skipping those not newer than a message's `version`, misses nothing. What
    has to be read from the log counts towards a rate; a page that is kept does not, since it costs no more than a
    refusal. All raise `RoomNotFound` for who is not a member, `RateLimited` and `Unavailable`.
    """

    def __init__(self, log: RoomLog, memberships: Memberships, heads: Heads, rates: RateLimits) -> None:
        self._log = log
        self._memberships = memberships
        self._heads = heads
        self._rates = rates
        self._pages: OrderedDict[_Page, MessagePage] = OrderedDict()

    async def page(
        self,
        principal: Principal,
        room_id: RoomId,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
        *,
        events: bool = False,
    ) -> MessagePage:
        """Return a page of up to `limit`: the latest, the last before a seq, or the first past one.

        Raises:
            InvalidRequest: both bounds, or a limit outside 1 to `MAX_PAGE`.
        """
        if before is not None and after is not None:
            raise InvalidRequest("Give `before` or `after`, not both.", details={"field": "after"})
        check_limit(limit)
        await self._may_read(principal, room_id)
        head = await self._head(room_id, after or 0)
        return await self._page(principal, (room_id, before, after, limit, events), head)

    async def _page(self, principal: Principal, wanted: _Page, head: int) -> MessagePage:
        """Read a page, or take the one read before: whatever changes a message moves the head of its room."""
        known = self._pages.get(wanted)
        if known is not None and known.head == head:
            self._pages.move_to_end(wanted)
            return known
        room_id, before, after, limit, events = wanted
        self._count(principal, limit)
        if events:
            page = _sorted_out(
                await self._log.entries(room_id, before=before, after=after, limit=limit, head=head), head
            )
        else:
            page = MessagePage(await self._log.page(room_id, before=before, after=after, limit=limit, head=head), head)
        if sum(map(_size, page.messages)) + _EVENT_SIZE * len(page.events) <= LARGEST_KEPT:
            self._pages[wanted] = page
            if len(self._pages) > KEPT_PAGES:
                self._pages.popitem(last=False)
        return page

    async def around(
        self, principal: Principal, room_id: RoomId, seq: int, limit: int = 50, *, events: bool = False
    ) -> MessagePage:
        """Return a page of up to `limit` around `seq`.

        Raises:
            InvalidRequest: a limit outside 1 to `MAX_PAGE`.
        """
        check_limit(limit)
        await self._may_read(principal, room_id)
        self._count(principal, limit)
        head = await self._head(room_id, seq)
        if events:
            return _sorted_out(await self._log.entries_around(room_id, seq, limit, head=head), head)
        return MessagePage(await self._log.around(room_id, seq, limit, head=head), head)

    async def message(self, principal: Principal, room_id: RoomId, message_id: EventId) -> Message:
        """Return one message as it is now, deleted ones too (without text).

        Raises:
            MessageNotFound: the room has no such message.
        """
        await self._may_read(principal, room_id)
        self._count(principal, 1)
        message = await self._log.message(room_id, message_id)
        if message is None:
            raise MessageNotFound
        return message

    async def changed(self, principal: Principal, room_id: RoomId, message_id: EventId) -> Message | None:
        """Return a message that the caller has just changed, None where it cannot be read: the change stands all the same.

        It counts towards no rate, since the change did.
        """
        try:
            await self._may_read(principal, room_id)
            return await self._log.message(room_id, message_id)
        except (RoomNotFound, Forbidden, Unavailable):
            return None

    async def pinned(self, principal: Principal, room_id: RoomId) -> list[Message]:
        """Return the pinned messages, the latest pin first."""
        await self._may_read(principal, room_id)
        self._count(principal, MAX_PINS)
        return await self._log.pinned(room_id)

    async def _may_read(self, principal: Principal, room_id: RoomId) -> None:
        if self._memberships.check(principal, room_id, Permission.READ) is None:
            await self._memberships.require(principal, room_id, Permission.READ)

    def _count(self, principal: Principal, messages: int) -> None:
        self._rates.check("history", principal.user_id, cost=-(-messages // _UNIT))

    async def _head(self, room_id: RoomId, asked: int) -> int:
        head = (await self._heads.of((room_id,)))[room_id]
        return head if asked <= head else (await self._heads.sure((room_id,)))[room_id]


def check_limit(limit: int) -> None:
    """Refuse a page size outside 1 to `MAX_PAGE`.

    Raises:
        InvalidRequest: it is.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidRequest(f"`limit` must be 1 to {MAX_PAGE}.", details={"field": "limit"})


def _sorted_out(entries: Sequence[Message | RoomEvent], head: int) -> MessagePage:
    messages = [each for each in entries if isinstance(each, Message)]
    return MessagePage(messages, head, [each for each in entries if isinstance(each, RoomEvent)])


def _size(message: Message) -> int:
    users = len(message.mentions) + sum(map(len, message.reactions.values()))
    return len(message.text) + 40 * users
