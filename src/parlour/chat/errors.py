"""The errors of chat, as clients see them over HTTP and in acknowledgements.

InvalidRequest
├── InvalidText             not 1 to 8,000 characters of valid text
├── InvalidEmoji            not one emoji, nor a :shortcode:
├── InvalidName             not 1 to 80 characters of a room's name
└── UnknownEvent            no event of that name
Forbidden
├── NotYours                someone else's message
├── RemovedFromRoom         out until a moderator says otherwise
└── TokenMismatch           a renewal by another user or session
NotFound
├── RoomNotFound            no such room, or not a member of it (platform.errors: other services say it too)
├── MessageNotFound         no such message in that room
├── MemberNotFound          not a member of that room
└── UnknownUser             no such user, or a disabled one
Conflict
├── MessageDeleted          the message is gone
├── TooManyReactions        50 different ones already
├── TooManyPins             100 pins already
├── DirectRoom              not to be joined, left or changed
├── LastOwner               a room needs an owner
├── RoomFull                no more members fit
├── TooManyRooms            no more rooms for that user
└── TooManySockets          a newer socket of the user took this one's place
Unavailable
└── Busy                    the queue of commands is full
"""

from parlour.platform.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unavailable
from parlour.platform.errors import RoomNotFound as RoomNotFound  # noqa: PLC0414 - exported from here too


class InvalidText(InvalidRequest):
    """A message has 1 to 8,000 characters, not all of them blank.

    Shorten or fill the text; `details` says which. NUL characters and lone surrogates are not text.
    """

    code = "invalid_text"


class InvalidEmoji(InvalidRequest):
    """A reaction is one emoji or a :shortcode:.

    Send one emoji (a family or a flag counts as one) or `:lower_case:`, of at most 64 bytes.
    """

    code = "invalid_emoji"


class InvalidName(InvalidRequest):
    """A room's name has 1 to 80 characters, without line breaks and other control characters.

    Give the room a name; white space around it does not count.
    """

    code = "invalid_name"


class UnknownEvent(InvalidRequest):
    """There is no event of this name.

    Compare the name with docs/reference/events.md.
    """

    code = "unknown_event"


class NotYours(Forbidden):
    """Only its author may do this to a message.

    A moderator may delete other people's messages, and nobody may edit them.
    """

    code = "not_yours"


class RemovedFromRoom(Forbidden):
    """A moderator removed this user from the room.

    They can come back when an owner or moderator of the room adds them again; joining and invitations of members do not help.
    """

    code = "removed_from_room"


class TokenMismatch(Forbidden):
    """The token is of another user or session than the connection.

    Open a new connection with it.
    """

    code = "token_mismatch"


class MessageNotFound(NotFound):
    """There is no such message in this room.

    Drop the id.
    """

    code = "message_not_found"


class MemberNotFound(NotFound):
    """The user is not a member of this room.

    Fetch the members again.
    """

    code = "member_not_found"


class UnknownUser(NotFound):
    """There is no such user, or the account is disabled.

    `details.user_ids` names them; leave them out.
    """

    code = "unknown_user"


class MessageDeleted(Conflict):
    """The message was deleted.

    Show it as deleted; nothing can be done to it any more.
    """

    code = "message_deleted"


class TooManyReactions(Conflict):
    """The message has 50 different reactions already.

    Use one of those.
    """

    code = "too_many_reactions"


class TooManyPins(Conflict):
    """The room has 100 pinned messages already.

    Unpin one first.
    """

    code = "too_many_pins"


class DirectRoom(Conflict):
    """A direct room belongs to its two members: it cannot be joined, left, renamed or given other members.

    Create a private room instead.
    """

    code = "direct_room"


class LastOwner(Conflict):
    """The room needs an owner.

    Make another member an owner first.
    """

    code = "room_last_owner"


class RoomFull(Conflict):
    """The room has as many members as it can.

    `details.limit` is the number; remove someone first.
    """

    code = "room_full"


class TooManyRooms(Conflict):
    """A user cannot be a member of more rooms.

    `details.limit` is the number, `details.user_ids` who is at it; leave a room first. Rooms that others put one into have a limit
    of their own.
    """

    code = "too_many_rooms"


class TooManySockets(Conflict):
    """The user has opened as many newer sockets as one user may have, and this one made room for the last of them.

    Close what is not used, and connect again when somebody looks at this page; reconnecting by itself it would only push the next
    one out. `details.limit` is the number.
    """

    code = "too_many_sockets"


class Busy(Unavailable):
    """The server has more messages to write than it can take.

    Wait `retry_after` seconds and repeat with the same `client_id`.
    """

    code = "busy"
