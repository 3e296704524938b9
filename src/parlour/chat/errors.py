"""The errors of chat, as clients see them over HTTP and in acknowledgements.

InvalidRequest
├── InvalidText             not 1 to 8,000 characters of valid text
├── InvalidEmoji            not one emoji, nor a :shortcode:
└── UnknownEvent            no event of that name
Forbidden
├── NotYours                someone else's message
└── TokenMismatch           a renewal by another user or session
NotFound
├── RoomNotFound            no such room, or not a member of it
└── MessageNotFound         no such message in that room
Conflict
├── MessageDeleted          the message is gone
├── TooManyReactions        50 different ones already
└── TooManyPins             100 pins already
Unavailable
└── Busy                    the queue of commands is full
"""

from parlour.platform.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unavailable


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


class TokenMismatch(Forbidden):
    """The token is of another user or session than the connection.

    Open a new connection with it.
    """

    code = "token_mismatch"


class RoomNotFound(NotFound):
    """There is no such room, or you are not a member of it.

    Drop the room, or join it first where it is public.
    """

    code = "room_not_found"


class MessageNotFound(NotFound):
    """There is no such message in this room.

    Drop the id.
    """

    code = "message_not_found"


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


class Busy(Unavailable):
    """The server has more messages to write than it can take.

    Wait `retry_after` seconds and repeat with the same `client_id`.
    """

    code = "busy"
