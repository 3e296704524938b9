"""What the video service needs from outside."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from parlour.platform.ids import RoomId, UserId
from parlour.platform.permissions import Permission
from parlour.platform.tokens import Principal
from parlour.video.model import (
    Call,
    CallId,
    CallRoom,
    EndReason,
    IceCandidate,
    LeaveReason,
    Participant,
    ParticipantId,
    SessionDescription,
    SilenceReason,
)


class Rooms(Protocol):
    """Rooms and their members, as the chat service knows them.

    What it answers holds at the moment of the answer. Who is removed later is told to `Calls.removed` at once, so that a caller
    needs to look again (`permits`) only when it waited for something else in between.
    """

    async def require(self, principal: Principal, room_id: RoomId, permission: Permission) -> CallRoom:
        """Return a room where the caller's roles permit `permission`.

        Raises:
            RoomNotFound: the caller is not a member, whether or not there is such a room.
            Forbidden: the caller's roles do not permit it.
            Unavailable: the store is away.
        """
        ...

    def permits(self, principal: Principal, room_id: RoomId, permission: Permission) -> bool:
        """Tell, without waiting, whether the caller is a member whose roles permit `permission`, as far as is known."""
        ...

    async def others(self, room_id: RoomId, user_id: UserId, limit: int) -> list[UserId]:
        """Return up to `limit` members besides `user_id`, in no order that matters.

        Raises:
            Unavailable: the store is away.
        """
        ...

    async def of_user(self, user_id: UserId) -> Sequence[RoomId]:
        """Return the rooms that a user is in."""
        ...


class CallLog(Protocol):
    """The log of the room that a call is in.

    Idempotency: each call has at most one `call.started` and one `call.ended`, however often these are called; the first is kept.
    Durability: what returned is in the log for ever, and told to live sockets. Order: callers append the start before the end.
    """

    async def started(self, call: Call) -> None:
        """Append `call.started`.

        Raises:
            Unavailable: the log is away; repeat.
            ParlourError: the log refuses it for good.
        """
        ...

    async def ended(self, call: Call) -> None:
        """Append `call.ended`; raises as `started`."""
        ...


class CallStore(Protocol):
    """Keeps calls over a restart of the process: those that live, and those that ended and are yet to be told to the log.

    Atomicity: one `write` is one transaction, durable when it returns; when it raises, nothing of it was written. Order: the caller
    has one `write` under way at a time, and may change calls as soon as it waits. A kept call that cannot be read is left out of
    `load`, with a line in the log.
    """

    async def load(self) -> list[Call]:
        """Return what is kept.

        Raises:
            Unavailable: the engine is away.
        """
        ...

    async def write(self, kept: Sequence[Call], gone: Sequence[CallId]) -> None:
        """Keep calls as they are now, in place of what was kept of them, and forget others.

        Raises:
            Unavailable: the engine is away.
        """
        ...


class Claim(Protocol):
    """The right to carry the calls, which one process has at a time."""

    async def held(self) -> bool:
        """Tell within some seconds whether it is held still; never raises. What was lost may be another's already."""
        ...

    async def release(self) -> None:
        """Let others have it; never raises."""
        ...


Claims = Callable[[], Awaitable[Claim | None]]
"""Gives the claim, None where another process has it; raises `Unavailable` where nobody can tell."""


class Notices(Protocol):
    """What live sockets are told. Nothing here waits or raises; who cannot be reached now learns by joining or asking again.

    Order: what one socket is told arrives in the order told.
    """

    def ringing(self, call: Call, user_id: UserId, socket_id: str | None = None) -> None:
        """Have all devices of a user ring, or one socket that has just connected."""
        ...

    def silenced(self, call: Call, user_id: UserId, reason: SilenceReason, but: str | None = None) -> None:
        """Have the devices of a user stop ringing, except the socket `but`."""
        ...

    def joined(self, call: Call, participant: Participant) -> None:
        """Tell the other participants that somebody joined."""
        ...

    def updated(self, call: Call, participant: Participant, but: str | None = None) -> None:
        """Tell the participants, except the socket `but`, what one of them is now."""
        ...

    def left(self, call: Call, participant: Participant, reason: LeaveReason) -> None:
        """Tell the remaining participants that one has gone, and its own socket where that was not its own doing."""
        ...

    def signal(
        self,
        call: Call,
        sender: ParticipantId,
        to: str,
        *,
        description: SessionDescription | None,
        candidate: IceCandidate | None,
    ) -> None:
        """Hand what one participant has to say about the connection to the socket `to` alone."""
        ...

    def ended(self, call: Call, reason: EndReason) -> None:
        """Tell the participants and every device that still rings."""
        ...
