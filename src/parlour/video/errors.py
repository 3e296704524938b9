"""The errors of calls, as clients see them over HTTP and in acknowledgements.

Forbidden
├── NotInCall               the socket takes no part in the call
└── RemovedFromCall         a moderator removed the caller from it
NotFound
├── CallNotFound            no such call, or in a room that the caller is not in
└── ParticipantNotFound     nobody of that id in the call
Conflict
├── CallFull                two are in it already
├── AlreadyInCall           the user takes part in another call
├── NobodyToCall            the caller is alone in the room
└── ParticipantAway         its connection is lost at the moment
Unavailable
└── TooManyCalls            the server carries as many as it can
"""

from parlour.platform.errors import Conflict, Forbidden, NotFound, Unavailable


class NotInCall(Forbidden):
    """This connection takes no part in the call.

    Send `call.join` first; after a reconnect with the `participant_id` that you had.
    """

    code = "not_in_call"


class RemovedFromCall(Forbidden):
    """You were removed from this call.

    Do not join it again; the next call of the room is open to you.
    """

    code = "removed_from_call"


class CallNotFound(NotFound):
    """There is no such call, or it has ended.

    Drop the id; `GET /api/rooms/{id}/call` tells the call of a room.
    """

    code = "call_not_found"


class ParticipantNotFound(NotFound):
    """There is no such participant in this call.

    Drop the id; `call.participant.left` told of it, or `call.join` tells who is in it.
    """

    code = "participant_not_found"


class CallFull(Conflict):
    """Two people are in this call already.

    A call that goes from peer to peer has no third place; `details.limit` is the number.
    """

    code = "call_full"


class AlreadyInCall(Conflict):
    """You take part in another call.

    Leave it first, or join it from here: `details.call_id` names it.
    """

    code = "already_in_call"


class NobodyToCall(Conflict):
    """There is nobody else in this room.

    Add somebody first.
    """

    code = "nobody_to_call"


class ParticipantAway(Conflict):
    """The participant's connection is lost at the moment.

    Wait for its `call.participant.updated` with `connected`, then restart ICE; or for its `call.participant.left`.
    """

    code = "participant_away"


class TooManyCalls(Unavailable):
    """The server carries as many calls as it can.

    Wait `retry_after` seconds, then start the call again.
    """

    code = "too_many_calls"
