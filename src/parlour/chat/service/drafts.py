"""What a member keeps of a room on the server, for all devices: the draft and the notification level."""

import msgspec

from parlour.chat.errors import InvalidText, RoomNotFound
from parlour.chat.model import MAX_TEXT, NotificationLevel
from parlour.chat.ports import RoomStore
from parlour.chat.service.membership import Memberships
from parlour.platform.clock import Clock
from parlour.platform.ids import RoomId
from parlour.platform.permissions import Permission
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal


class Draft(msgspec.Struct):
    """An unsent text; `at` is when it was last changed, in ms UTC."""

    room_id: RoomId
    text: str
    at: int


class Drafts:
    """The caller's drafts and notification levels. All raise `RateLimited` and `Unavailable` besides what each names."""

    def __init__(self, store: RoomStore, memberships: Memberships, rates: RateLimits, clock: Clock) -> None:
        self._store = store
        self._memberships = memberships
        self._rates = rates
        self._clock = clock

    async def all(self, principal: Principal) -> list[Draft]:
        """Return the drafts in rooms that the caller is in, the one changed last first."""
        self._rates.check("list", principal.user_id)
        rooms = await self._memberships.load(principal.user_id)
        drafts = await self._store.drafts(principal.user_id)
        mine = [Draft(room_id, text, at) for room_id, (text, at) in drafts.items() if room_id in rooms]
        return sorted(mine, key=lambda draft: -draft.at)

    async def save(self, principal: Principal, room_id: RoomId, text: str, at: int | None = None) -> Draft:
        """Keep a draft changed at `at` on the device, by default now; an empty one is removed.

        Of two devices the later change wins, whichever arrives first. A time in the future counts as now.

        Raises:
            RoomNotFound, Forbidden: the caller may not send there.
            InvalidText: it is over `MAX_TEXT` characters or not text.
        """
        await self._memberships.require(principal, room_id, Permission.SEND)
        self._rates.check("draft", principal.user_id)
        if len(text) > MAX_TEXT or "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise InvalidText(details={"field": "text", "limit": MAX_TEXT, "length": len(text)})
        now = self._clock.now()
        draft = Draft(room_id, text, now if at is None else min(at, now))
        await self._store.save_draft(principal.user_id, room_id, text, draft.at)
        return draft

    async def set_level(self, principal: Principal, room_id: RoomId, level: NotificationLevel) -> None:
        """Set what of a room is worth a notification to the caller.

        Raises:
            RoomNotFound: the caller is not a member.
        """
        await self._memberships.require(principal, room_id, Permission.READ)
        self._rates.check("draft", principal.user_id)
        if not await self._memberships.change(room_id, self._set_level(principal, room_id, level)):
            raise RoomNotFound

    async def _set_level(self, principal: Principal, room_id: RoomId, level: NotificationLevel) -> bool:
        changed = await self._store.set_notify(principal.user_id, room_id, level)
        if changed:
            self._memberships.notify_changed(principal.user_id, room_id, level)
        return changed
