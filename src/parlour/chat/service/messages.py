"""What members do to messages: send, edit, delete, react and pin, each a command to the room log."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec

from msgspec.structs import replace

from parlour.chat.errors import (
    InvalidEmoji,
    InvalidText,
    MessageDeleted,
    MessageNotFound,
    NotYours,
    TooManyPins,
    TooManyReactions,
)
from parlour.chat.mentions import parse_mentions
from parlour.chat.model import MAX_PINS, MAX_TEXT, Appended, EventType, Membership, Message, NewEvent
from parlour.chat.ports import Broker, Directory, Pending, RoomLog
from parlour.chat.reactions import MAX_REACTIONS, is_reaction
from parlour.chat.service.membership import Memberships
from parlour.platform.contracts import Profile
from parlour.platform.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unavailable
from parlour.platform.ids import ClientId, EventId, RoomId, is_uuid
from parlour.platform.metrics import MENTIONS_UNRESOLVED
from parlour.platform.permissions import Permission, RoomRole, allowed
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal, TokenVerifier

P = ParamSpec("P")

FEW = 100
"""Live sockets up to which telling a room counts for nothing: there the rates of commands bound it."""


def _repeatable(
    command: Callable[Concatenate["Messages", Principal, RoomId, ClientId, P], Awaitable[Pending]],
) -> Callable[Concatenate["Messages", Principal, RoomId, ClientId, P], Coroutine[Any, Any, Pending]]:
    """Have a command that is refused now answered with its first event, where it was done before."""

    @functools.wraps(command)
    async def repeatable(
        self: "Messages",
        principal: Principal,
        room_id: RoomId,
        client_id: ClientId,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Pending:
        try:
            return await command(self, principal, room_id, client_id, *args, **kwargs)
        except (NotFound, Forbidden, Conflict):
            first = await self.first(principal, room_id, client_id)
            if first is None:
                raise
            return first

    return repeatable


class Messages:
    """The commands of members.

    Each checks the caller's permission and rate and the values, and returns once the command has its place among those of the
    room; the future that it returns is done when the event is durable and told to this node's sockets. A repeat with the same
    `client_id` answers with the first event, whatever else it carries, and with `repeated` set; one that would be refused
    by now (the caller has left, the message is deleted) answers with that event's place and no `data`. `received` is the monotonic
    time of receipt, for the latency metric.

    Whatever a command has to wait for, its caller is checked once more when nothing is left to wait for: who was removed,
    demoted or logged out meanwhile writes nothing. What the broker has taken is done, however late (a log that was away, Kafka):
    it was permitted when it was asked for, and dropping it would let a later command of its sender overtake it.
    All raise, besides what each names:

        RoomNotFound: the caller is not a member of the room.
        Forbidden: the caller's role does not permit it.
        SessionEnded: the caller's session ended since its token was verified.
        InvalidRequest: `client_id` is not a UUID.
        RateLimited, Unavailable: later, with the same `client_id`.
    """

    def __init__(
        self,
        broker: Broker,
        log: RoomLog,
        memberships: Memberships,
        directory: Directory,
        *,
        verifier: TokenVerifier,
        rates: RateLimits,
        audience: Callable[[RoomId], int],
    ) -> None:
        """Take, besides what is plain, `audience`: how many live sockets a command in a room is told to."""
        self._broker = broker
        self._log = log
        self._memberships = memberships
        self._directory = directory
        self._verifier = verifier
        self._rates = rates
        self._audience = audience

    @_repeatable
    async def send(
        self,
        principal: Principal,
        room_id: RoomId,
        client_id: ClientId,
        text: str,
        reply_to: EventId | None = None,
        *,
        received: float = 0.0,
    ) -> Pending:
        """Send a message; the text is kept exactly as given.

        With the membership in the cache, and neither a reply nor an `@`, it returns without waiting. A name after an `@` mentions
        nobody where the directory is `Unavailable` and does not remember it.

        Raises:
            InvalidText: the text is blank, too long or not text.
            MessageNotFound: `reply_to` is no message of the room; a deleted one is.
        """
        await self._admit(principal, room_id, Permission.SEND, "message", client_id)
        check_text(text)
        data: dict[str, Any] = {"text": text}
        if reply_to is not None:
            await self._existing(room_id, reply_to, field="reply_to")
            data["reply_to"] = reply_to
        if "@" in text:
            data.update(await self._mentioned(room_id, text))
        if reply_to is not None or "@" in text:
            _check_mentions(principal, await self._present(principal, room_id, Permission.SEND), data)
        return self._submit(principal, room_id, client_id, EventType.MESSAGE_CREATED, data=data, received=received)

    @_repeatable
    async def edit(
        self,
        principal: Principal,
        room_id: RoomId,
        client_id: ClientId,
        message_id: EventId,
        text: str,
        *,
        received: float = 0.0,
    ) -> Pending:
        """Replace the text of one's own message.

        Raises:
            InvalidText: the text is blank, too long or not text.
            MessageNotFound, MessageDeleted, NotYours: it cannot be edited, or not by the caller.
        """
        await self._admit(principal, room_id, Permission.EDIT_OWN, "message", client_id)
        check_text(text)
        message = await self._existing(room_id, message_id)
        if message.sender_id != principal.user_id:
            raise NotYours
        _refuse_deleted(message)
        data: dict[str, Any] = {"message_id": message_id, "text": text}
        if "@" in text:
            data.update(await self._mentioned(room_id, text))
        _check_mentions(principal, await self._present(principal, room_id, Permission.EDIT_OWN), data)
        return self._submit(principal, room_id, client_id, EventType.MESSAGE_EDITED, data=data, received=received)

    @_repeatable
    async def delete(
        self, principal: Principal, room_id: RoomId, client_id: ClientId, message_id: EventId, *, received: float = 0.0
    ) -> Pending:
        """Delete one's own message, or as a moderator any; deleting twice is no error.

        Raises:
            MessageNotFound: the room has no such message.
            NotYours: it is someone else's and the caller no moderator.
        """
        await self._admit(principal, room_id, Permission.DELETE_OWN, "message", client_id)
        message = await self._existing(room_id, message_id)
        membership = await self._present(principal, room_id, Permission.DELETE_OWN)
        if message.sender_id != principal.user_id and not _permits(principal, membership, Permission.DELETE_ANY):
            raise NotYours
        data = {"message_id": message_id}
        return self._submit(principal, room_id, client_id, EventType.MESSAGE_DELETED, data=data, received=received)

    @_repeatable
    async def react(
        self,
        principal: Principal,
        room_id: RoomId,
        client_id: ClientId,
        message_id: EventId,
        emoji: str,
        *,
        on: bool,
        received: float = 0.0,
    ) -> Pending:
        """Add or remove the caller's reaction; what is already so is no error.

        Raises:
            InvalidEmoji: neither one emoji nor a shortcode.
            MessageNotFound: the room has no such message.
            MessageDeleted, TooManyReactions: it takes no new reaction.
        """
        await self._admit(principal, room_id, Permission.REACT, "reaction", client_id)
        if not is_reaction(emoji):
            raise InvalidEmoji(details={"field": "emoji"})
        message = await self._existing(room_id, message_id)
        if on:
            _refuse_deleted(message)
            if emoji not in message.reactions and len(message.reactions) >= MAX_REACTIONS:
                raise TooManyReactions
        await self._present(principal, room_id, Permission.REACT)
        kind = EventType.REACTION_ADDED if on else EventType.REACTION_REMOVED
        data = {"message_id": message_id, "emoji": emoji}
        return self._submit(principal, room_id, client_id, kind, data=data, received=received)

    @_repeatable
    async def pin(
        self,
        principal: Principal,
        room_id: RoomId,
        client_id: ClientId,
        message_id: EventId,
        *,
        on: bool,
        received: float = 0.0,
    ) -> Pending:
        """Pin a message for the whole room, or unpin it; what is already so is no error.

        Raises:
            MessageNotFound: the room has no such message.
            MessageDeleted, TooManyPins: it cannot be pinned.
        """
        await self._admit(principal, room_id, Permission.PIN, "message", client_id)
        message = await self._existing(room_id, message_id)
        if on:
            _refuse_deleted(message)
            if message.pinned_at is None and len(await self._log.pinned(room_id)) >= MAX_PINS:
                raise TooManyPins
        await self._present(principal, room_id, Permission.PIN)
        kind = EventType.MESSAGE_PINNED if on else EventType.MESSAGE_UNPINNED
        return self._submit(principal, room_id, client_id, kind, data={"message_id": message_id}, received=received)

    async def first(self, principal: Principal, room_id: RoomId, client_id: ClientId) -> Pending | None:
        """Return the caller's own event with this `client_id`, without its data: they may not be in the room any more."""
        event = await self._log.find(room_id, principal.user_id, client_id)
        if event is None:
            return None
        first: Pending = asyncio.get_running_loop().create_future()
        first.set_result(Appended(replace(event, data={}), repeated=True))
        return first

    async def _admit(
        self, principal: Principal, room_id: RoomId, permission: Permission, rate: str, client_id: ClientId
    ) -> None:
        if not is_uuid(client_id):
            raise InvalidRequest("client_id must be a lower-case UUID", details={"field": "client_id"})
        self._rates.check(rate, principal.user_id)
        await self._present(principal, room_id, permission)
        audience = self._audience(room_id)
        if audience > FEW:
            self._rates.check("deliveries", principal.user_id, cost=audience)

    async def _present(self, principal: Principal, room_id: RoomId, permission: Permission) -> Membership:
        """Return the caller's membership as it is at the moment of return: until the submission nothing is awaited any more."""
        while (membership := self._memberships.check(principal, room_id, permission)) is None:
            await self._memberships.load(principal.user_id)
        self._verifier.check_session(principal)
        return membership

    async def _existing(self, room_id: RoomId, message_id: EventId, field: str = "id") -> Message:
        message = await self._log.message(room_id, message_id, reactors=False)
        if message is None:
            raise MessageNotFound(details={"field": field})
        return message

    async def _mentioned(self, room_id: RoomId, text: str) -> dict[str, Any]:
        """Return the part of an event's data that says whom it mentions: members by id, in the order of the text."""
        names, room = parse_mentions(text)
        data: dict[str, Any] = {}
        if room:
            data["mentions_room"] = True
        if names:
            profiles = await self._named(names)
            ids = [profiles[name].id for name in names if name in profiles]
            rooms_of = await self._memberships.load_many(ids)
            members = [user_id for user_id in ids if room_id in rooms_of[user_id]]
            if members:
                data["mentions"] = members
        return data

    async def _named(self, names: Sequence[str]) -> dict[str, Profile]:
        """Return who has these names; of those remembered alone while nobody can be asked, for a message outweighs a mention."""
        try:
            return await self._directory.by_usernames(names)
        except Unavailable:
            remembered = self._directory.remembered(names)
            MENTIONS_UNRESOLVED.inc(sum(name not in remembered for name in names))
            return remembered

    def _submit(
        self,
        principal: Principal,
        room_id: RoomId,
        client_id: ClientId,
        kind: EventType,
        *,
        data: dict[str, Any],
        received: float,
    ) -> Pending:
        return self._broker.submit(NewEvent(room_id, kind, principal.user_id, client_id, data, received))


async def settled(command: Awaitable[Pending]) -> Appended:
    """Return what became of a command of `Messages`, once it is durable."""
    return await (await command)


def check_text(text: str) -> None:
    """Refuse what is no message text.

    Raises:
        InvalidText: blank, over `MAX_TEXT` characters (code points), or with a NUL or a lone surrogate.
    """
    if len(text) > MAX_TEXT:
        raise InvalidText(details={"field": "text", "limit": MAX_TEXT, "length": len(text)})
    if not text or text.isspace():
        raise InvalidText("The text is empty.", details={"field": "text"})
    if "\0" in text:
        raise InvalidText("The text holds a NUL character.", details={"field": "text"})
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidText("The text holds a lone surrogate.", details={"field": "text"}) from error


def _refuse_deleted(message: Message) -> None:
    if message.deleted_at is not None:
        raise MessageDeleted


def _check_mentions(principal: Principal, membership: Membership, data: Mapping[str, Any]) -> None:
    if "mentions_room" in data and not _permits(principal, membership, Permission.MENTION_ROOM):
        raise Forbidden("You may not mention the whole room.", details={"field": "text"})


def _permits(principal: Principal, membership: Membership, permission: Permission) -> bool:
    return allowed(principal.role, permission, RoomRole(membership.role))
