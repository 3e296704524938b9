"""Who leaves a room hears nothing that comes after their leaving in its log, whatever can be read of memberships just then."""

from collections.abc import Callable

import msgspec

from parlour.chat.events.channels import Channels
from parlour.chat.model import EventType, RoomEvent
from parlour.platform.ids import RoomId, UserId
from parlour.realtime import Broadcast

_MARK = f'"type":"{EventType.MEMBER_LEFT}"'.encode()
"""Stands in the frame of such an event alone: within what somebody wrote, quotes are escaped."""

_WITHIN = 256
"""Bytes of a frame in which an event's type is: three ids and a number come before it."""

_BEFORE = b'["event",'
"""What comes before the event in its frame."""


class Departures:
    """Looks at every event of the log once it was given to the sockets of its room here, be it heard or caught up.

    On a node that did not make the change, this may be before anything else tells of it. But the event may be of long ago, and the
    user in the room again: so their sockets leave the channel untold, and `left(user_id, room_id)` has to find out. An event that is
    not delivered, since it was missed and could not be fetched, parts nobody: that is left to the news of the change.
    """

    def __init__(self, channels: Channels, left: Callable[[UserId, RoomId], None]) -> None:
        self._channels = channels
        self._left = left

    def delivered(self, broadcast: Broadcast) -> None:
        """Take in what the members of a room were given."""
        frame = broadcast.frame
        if frame.find(_MARK, 0, _WITHIN) < 0:
            return
        event = msgspec.json.decode(frame[frame.index(_BEFORE) + len(_BEFORE) : -1], type=RoomEvent)
        user_id = UserId(str(event.data.get("user_id")))
        if self._channels.part(user_id, event.room_id):
            self._left(user_id, event.room_id)
