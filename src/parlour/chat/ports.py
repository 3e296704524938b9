"""What the chat service needs from outside. Every adapter of a port passes the one suite in tests/contract/."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from parlour.chat.model import (
    Appended,
    Departure,
    Member,
    Membership,
    Message,
    NewEvent,
    NotificationLevel,
    Room,
    RoomEvent,
    SearchHit,
    Tail,
)
from parlour.platform.contracts import Profile
from parlour.platform.errors import ParlourError
from parlour.platform.ids import ClientId, EventId, RoomId, UserId

Pending = asyncio.Future[Appended]
"""A command under way."""


class RoomLog(Protocol):
    """The log of every room, and the message view that is its fold (fold.py).

    Order: `seq` is dense per room from 1; a batch is appended in its own order. Idempotency: of several events with one
    (room_id, sender_id, client_id) the first is kept, and every later `append` answers with it and `repeated=True`, also
    within one batch. Atomicity: what `append` returned is durable (SQLite: committed with synchronous=FULL; MongoDB:
    majority); when it raises `Unavailable`, a dense prefix of each room's part of the batch may have been written, and
    repeating the batch is safe; when it raises `InvalidRequest` (an id is no UUID, `data` no JSON) nothing of it was.
    Views (`page`, `entries`, `message`, `pinned`, `mentions`) include everything that an `append` which returned before they were
    called wrote. Callers serialise nothing: concurrent appends are allowed and each room's seq stays dense. Deleting a
    message takes its text from the log for good: from its `message.created`, its edits, and edits that come later.
    Failure: every method raises `Unavailable` (with retry_after) when the engine is away, and never a driver's error.
    Reading methods take any text for an id, and find nothing by one that is no UUID.
    """

    async def append(self, batch: Sequence[NewEvent]) -> list[Appended]:
        """Append a batch, of any number of rooms; the answers stand in the batch's order.

        On return it is durable, and every method, of whatever process, counts it: whoever is told of it now finds it. What an adapter
        keeps beside the events may follow later, as long as nobody sees that.
        """
        ...

    async def tails(self, room_ids: Iterable[RoomId]) -> dict[RoomId, Tail]:
        """Return where each room ends: `Tail()` for a room without events.

        What no `append` has returned yet may be counted, but only where the views have it too.
        """
        ...

    async def events(self, room_id: RoomId, after: int, upto: int, max_bytes: int | None = None) -> list[RoomEvent]:
        """Return the events with after < seq <= upto, in order; none, where their `data` is over `max_bytes` as JSON.

        What is over the bound is measured inside the engine, not fetched.
        """
        ...

    async def find(self, room_id: RoomId, sender_id: UserId, client_id: ClientId) -> RoomEvent | None:
        """Return the event that a repeat of this command would be answered with, None where there is none."""
        ...

    async def page(
        self,
        room_id: RoomId,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
        head: int | None = None,
    ) -> list[Message]:
        """Return up to `limit` messages, newest first: the last of all, the last before a seq, or the first past a seq.

        A caller that knows a place up to which the room was answered for, as `tails` and `append` do, gives it as `head`: then the log
        need not look where the room ends, and what is past that may be left out.
        """
        ...

    async def around(self, room_id: RoomId, seq: int, limit: int = 50, *, head: int | None = None) -> list[Message]:
        """Return up to `limit` messages around `seq`, newest first: that one, and about half of the rest on each side."""
        ...

    async def entries(
        self,
        room_id: RoomId,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
        head: int | None = None,
    ) -> list[Message | RoomEvent]:
        """Return the same as `page`, with the events `AMONG_MESSAGES` among the messages, in their place and counted."""
        ...

    async def entries_around(
        self, room_id: RoomId, seq: int, limit: int = 50, *, head: int | None = None
    ) -> list[Message | RoomEvent]:
        """Return the same as `around`, with the events `AMONG_MESSAGES`."""
        ...

    async def message(self, room_id: RoomId, message_id: EventId, *, reactors: bool = True) -> Message | None:
        """Return one message as it is now, deleted ones too (without text); None where the room has no such message.

        Without `reactors` the lists of users in `reactions` are empty, and it costs the same however many they are.
        """
        ...

    async def pinned(self, room_id: RoomId) -> list[Message]:
        """Return the pinned messages, the latest pin first, at most 100."""
        ...

    async def mentions(self, wanted: Sequence[tuple[UserId, RoomId, int]]) -> list[int]:
        """Count, for each (user, room, read seq), the messages after that seq which mention the user or the whole room."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of the engine."""
        ...


class MovableLog(RoomLog, Protocol):
    """A room log that can be moved to another engine, room by room, while nobody serves either."""

    async def rooms(self, *, after: str = "", limit: int = 1_000) -> list[RoomId]:
        """Return rooms that the log knows, by id, those after the id `after`; a room without events may be among them."""
        ...

    async def restore(self, events: Sequence[RoomEvent]) -> None:
        """Append events of another log as they are, those of each room in their order, and fold them into the views.

        A room's events go on where it ends. What is in the log already, as the same event, changes nothing, so that repeating is
        safe. A text of a message that is deleted is not written. Atomicity and durability are `append`'s.

        Raises:
            InvalidRequest: an event does not go on where its room ends, is another one than the log has in its place, or cannot be
                stored (as in `append`); a dense prefix of each room's part may have been written.
        """
        ...


class SearchQuery(msgspec.Struct):
    """What to look for.

    `text` is the user's words, all of which must be there, with "phrases" and prefix*. `before` and `after` in ms UTC,
    exclusive. `has` is `link`, `mention`, `reaction` or `pin`. `cursor` is what the same query returned last.
    """

    text: str
    room_ids: Sequence[RoomId]
    from_user: UserId | None = None
    before: int | None = None
    after: int | None = None
    has: str | None = None
    limit: int = 20
    cursor: str | None = None


class Search(Protocol):
    """Full text over messages as they are now (edited text is found, deleted text is not).

    Only messages of `query.room_ids` are ever looked at: the caller has already reduced them to the rooms that may be read. A
    query may lag the log by up to a second, and an index that is being made finds less. Any text is a valid query; one without a
    searchable word finds nothing. Bounded: a page may have fewer hits than `limit`, even none, while there is a cursor; what takes
    too long is `Unavailable`. Scores and cursors tell nothing of rooms other than `query.room_ids`. Who stops waiting ends the
    search.
    """

    async def search(self, query: SearchQuery) -> tuple[list[SearchHit], str | None]:
        """Return hits, best first, and the cursor of the next page.

        Raises:
            InvalidRequest: `query.cursor` is none of this query's.
        """
        ...


class SearchIndex(Protocol):
    """What a `Search` looks things up in, where it does not read the log itself: fed from committed events, made from the log.

    How far each room is indexed is kept with the index and changes with it in one transaction. Idempotency: an event at or below that
    changes nothing, so events may come again. Order: what comes too early is preceded by what lies between, read from the `RoomLog`
    in bounded stretches. Several may feed one index at a time: each event is applied once, whoever is first. A message is indexed as
    it is in the log when it is looked at, maybe later than at the event that led there. What is not in the log (it was set back) is
    passed over; then `rebuild`. Failure: `Unavailable`; what was done until then stays, and repeating the call goes on from there.
    """

    async def apply(self, events: Sequence[RoomEvent]) -> None:
        """Return once the index has come as far as these events, of any number of rooms and in any order.

        Raises:
            InvalidRequest: one is no event of a log; nothing was done.
        """
        ...

    async def rebuild(self, room_id: RoomId) -> None:
        """Forget what is indexed of a room and read it from the log again; a search finds less of it meanwhile."""
        ...


class Broker(Protocol):
    """Carries commands to the worker that gives each its place.

    What `submit` returns is done when the event is durable and has been told to this node's live sockets. Commands of one room
    submitted by one node are worked in the order submitted; where a batch fails, what waits behind it of the same rooms fails
    too, so that resending keeps the order. Grouping: while one batch is under way all that is submitted waits
    and forms the next. Bounded: past the bound `submit` raises `Busy` at once. When it raises anything else, the command may or
    may not have been done: repeat it with the same client_id.
    """

    def submit(self, command: NewEvent) -> Pending:
        """Have a command done: it has its place among the sender's commands at once, and the future gets its event.

        Who stops waiting does not undo it.
        """
        ...

    async def run(self, work: Callable[[Sequence[NewEvent]], Awaitable[Sequence[Appended | ParlourError]]]) -> None:
        """Feed batches to `work`, one at a time, until cancelled; then what was accepted is finished first.

        `work` returns the answer to each command, an error for those that failed alone; what it raises is the answer to all. The answers
        are on their way when the next batch begins; what else follows from a batch (that it need not be worked again, that other
        services hear of it) may come later.
        """
        ...


class Answers(Protocol):
    """Carries what became of commands from workers back to the node that submitted them.

    Delivery: at most once; who hears nothing repeats the command. Order: what one process sends to one node arrives in the order
    sent, and after whatever the same process told live sockets before. Failure: `send` never raises and never waits.
    """

    def send(self, node_id: str, payload: bytes) -> None:
        """Send to one node."""
        ...

    def listen(self, handler: Callable[[bytes], None], lost: Callable[[], None]) -> Callable[[], None]:
        """Call `handler(payload)` on the loop for whatever is sent to this node, until the returned function is called.

        `lost()` is called there once answers arrive again after some may have been lost.
        """
        ...


class OutboxRow(msgspec.Struct):
    """A change of membership or of a room that the log has yet to be told; `id` (a UUID) becomes the event's client_id."""

    id: str
    event: NewEvent


class MembershipSource(Protocol):
    """Who is in which room, to be read: what every permission check stands on, and no more.

    What is read is at least as new as any change that `membership.changed` has told of on the bus. Failure: `Unavailable`, never a
    driver's error. Any text is taken for an id, and nothing is found by one that is no UUID.
    """

    async def room(self, room_id: RoomId) -> Room | None:
        """Return a room."""
        ...

    async def memberships(self, user_ids: Iterable[UserId]) -> dict[UserId, list[Membership]]:
        """Return the rooms of each user, the first joined first, with `peer` in direct ones: one query for all of them."""
        ...

    async def members(self, room_id: RoomId, *, after: str = "", limit: int = 100) -> list[Member]:
        """Return a room's members by user id, those after the user id `after`."""
        ...


class RoomStore(MembershipSource, Protocol):
    """Rooms, members, read markers, drafts and notification levels, in SQL.

    Atomicity: each method is one transaction; those that change a room or its members write outbox rows in the same one. Order:
    changes of one room happen one after the other, and its outbox rows come back in the order written. Failure: `Unavailable`,
    never a driver's error.
    """

    async def create(self, room: Room, members: Mapping[UserId, str]) -> tuple[Room, bool]:
        """Store a room with its members and roles. A direct room of the same members is returned as it is, with False.

        Everybody's read marker stands behind the members' joining, with which the room's log begins, in the order of `members`.
        """
        ...

    async def public_rooms(
        self, *, query: str = "", after: tuple[str, str] | None = None, limit: int = 50
    ) -> list[tuple[Room, int]]:
        """Return public rooms with their numbers of members, by name in any case and then id, those after (name, id) `after`.

        `query` is contained in the name or the topic, in any case.
        """
        ...

    async def update(self, room_id: RoomId, by: UserId, changes: Mapping[str, str]) -> Room | None:
        """Change `name`, `topic` or `kind`; what is already so is not told to the log. None where there is no such room."""
        ...

    async def membership(self, room_id: RoomId, user_id: UserId) -> Membership | None:
        """Return a user's membership of a room."""
        ...

    async def count_members(self, room_id: RoomId) -> int:
        """Return how many members a room has."""
        ...

    async def add_member(
        self, room_id: RoomId, user_id: UserId, role: str, by: UserId, *, at: int, read: int = 0, pardon: bool = False
    ) -> Membership | None:
        """Add a member at the time `at` (ms) with the read marker `read`; None where they already are one.

        Whom somebody else adds is `invited`, as are the first members of a room but its creator.

        The first member of a room that everybody left becomes its owner, whatever `role` is. A room that does not exist gets
        no member: `RoomNotFound`; nor does one get back whom somebody else removed: `RemovedFromRoom`, unless `pardon`, which
        ends that.
        """
        ...

    async def remove_member(self, room_id: RoomId, user_id: UserId, by: UserId) -> Departure | None:
        """Remove a member and their draft; None where they are none. Whom somebody else removes cannot be added without pardon.

        When the last owner goes, the longest-standing moderator, else member, becomes owner; guests never do.
        """
        ...

    async def set_role(self, room_id: RoomId, user_id: UserId, role: str, by: UserId) -> bool:
        """Change a member's role; False where they are none. The last owner cannot become something else: `LastOwner`."""
        ...

    async def mark_read(self, marks: Sequence[tuple[UserId, RoomId, int, bool]]) -> None:
        """Move read markers to a seq: forward only, or with True back as well."""
        ...

    async def set_notify(self, user_id: UserId, room_id: RoomId, level: NotificationLevel) -> bool:
        """Set what a room notifies a member of; False where they are none."""
        ...

    async def drafts(self, user_id: UserId) -> dict[RoomId, tuple[str, int]]:
        """Return a user's drafts: text and time of change by room."""
        ...

    async def save_draft(self, user_id: UserId, room_id: RoomId, text: str, at: int) -> None:
        """Keep a draft; an empty text removes it. The later `at` wins, of equal ones the one saved last."""
        ...

    async def outbox(
        self, limit: int = 500, *, without: Collection[RoomId] = (), only: Collection[RoomId] | None = None
    ) -> list[OutboxRow]:
        """Return what the log has yet to be told, oldest first, but of the rooms `without`, and of those in `only` where it is given."""
        ...

    async def outbox_done(self, ids: Sequence[str]) -> None:
        """Forget outbox rows that are in the log."""
        ...

    async def outbox_set_aside(self, ids: Sequence[str]) -> None:
        """Keep outbox rows, but never return them again."""
        ...


class Directory(Protocol):
    """The users of the server, as the auth service tells them."""

    async def profiles(self, user_ids: Iterable[UserId]) -> dict[UserId, Profile]:
        """Return the profiles of those that exist."""
        ...

    async def by_usernames(self, usernames: Iterable[str]) -> dict[str, Profile]:
        """Return the profiles of those that exist, by lower-cased username."""
        ...

    def remembered(self, usernames: Iterable[str]) -> dict[str, Profile]:
        """Return the profiles of those that this process has met, by lower-cased username, without asking anybody.

        They may be out of date in all but `id` and `username`, which never change.
        """
        ...


class Fanout(Protocol):
    """Tells live sockets what was committed.

    Called on the loop, in seq order for each room, before the sender is answered. It never raises and never waits: what it
    fails to deliver, clients fetch by `sync`.
    """

    def committed(self, events: Sequence[RoomEvent], received: Sequence[float]) -> None:
        """Send each event to the sockets of its room; `received` are the monotonic times of the commands."""
        ...


class PresenceStore(Protocol):
    """Which users are here, over all nodes and devices; soft state that a restart forgets.

    A user is as present as the most present of their devices: `online`, `idle` or `offline`. `set` and `get` touch nothing but
    memory. The devices of other nodes count for users that are followed, within a second of a change there, and those of a node that
    was killed for 30 s at most. Failure: nothing raises; while the engine is away this node's devices count as ever, and those
    elsewhere as they were known last.
    """

    def set(self, user_id: UserId, device: str, state: str | None) -> str:
        """Set the state of a device of this node (`active`, `idle`; None for gone) and return the user's."""
        ...

    def get(self, user_ids: Iterable[UserId]) -> dict[UserId, str]:
        """Return the state of each user."""
        ...

    async def follow(self, user_ids: Collection[UserId]) -> None:
        """From now on know of users' devices elsewhere; on return `get` does. Who is followed already costs a look-up."""
        ...

    def unfollow(self, user_ids: Iterable[UserId]) -> None:
        """Forget users' devices elsewhere."""
        ...

    def on_change(self, listener: Callable[[UserId, str], None]) -> None:
        """Call `listener(user_id, before)` whenever a followed user's state has changed by what happened elsewhere."""
        ...
