"""The message view as a pure fold of the room log: the model of every engine's view and of the client's own.

Rules, all of which tests/cases/fold.json shows:

- A message begins with its `message.created`. Whatever names an unknown message, or one of another room, changes nothing.
- An event at or below a message's `version` (or, for a view, at or below its `head`) was applied before and changes nothing.
- Only its author edits a message, and nobody a deleted one. A deletion takes the text, mentions, reactions and pin.
- What is already so changes nothing and leaves the version: a repeated reaction, one removed that is not there, a second
  pin, a second deletion.
"""

from typing import Any

from msgspec.structs import replace

from parlour.chat.model import EventType, Message, RoomEvent, RoomView
from parlour.platform.ids import EventId

ON_MESSAGES = frozenset(
    {
        EventType.MESSAGE_EDITED,
        EventType.MESSAGE_DELETED,
        EventType.REACTION_ADDED,
        EventType.REACTION_REMOVED,
        EventType.MESSAGE_PINNED,
        EventType.MESSAGE_UNPINNED,
    }
)
"""The events that name a message in `data.message_id`."""


def apply(view: RoomView, event: RoomEvent) -> RoomView:
    """Return `view` after `event`; events come in the order of seq, repeats of earlier ones are harmless."""
    if event.seq <= view.head:
        return view
    target: EventId = event.data["message_id"] if event.type in ON_MESSAGES else event.id
    before = view.messages.get(target)
    after = apply_to_message(before, event)
    if after is None or after is before:
        return RoomView(event.seq, view.messages)
    return RoomView(event.seq, {**view.messages, after.id: after})


def apply_to_message(message: Message | None, event: RoomEvent) -> Message | None:
    """Return `message` (None: not there yet) after `event`; the very same object where the event changes nothing."""
    if message is None:
        return created(event) if event.type == EventType.MESSAGE_CREATED else None
    concerns = event.room_id == message.room_id and event.data.get("message_id") == message.id
    if not concerns or event.seq <= message.version or message.deleted_at is not None:
        return message
    change = _change(message, event)
    return replace(message, version=event.seq, **change) if change else message


def _change(message: Message, event: RoomEvent) -> dict[str, Any]:
    """Return the fields of a message that is there and not deleted which an event changes, and their new values."""
    data = event.data
    match event.type:
        case EventType.MESSAGE_EDITED if event.sender_id == message.sender_id:
            return {
                "text": data.get("text", ""),
                "mentions": data.get("mentions", []),
                "mentions_room": data.get("mentions_room", False),
                "edited_at": event.at,
            }
        case EventType.MESSAGE_DELETED:
            nothing = {"text": "", "mentions": [], "mentions_room": False, "reactions": {}}
            return {**nothing, "pinned_at": None, "pinned_by": None, "deleted_at": event.at}
        case EventType.REACTION_ADDED | EventType.REACTION_REMOVED:
            return _react(message, event)
        case EventType.MESSAGE_PINNED if message.pinned_at is None:
            return {"pinned_at": event.at, "pinned_by": event.sender_id}
        case EventType.MESSAGE_UNPINNED if message.pinned_at is not None:
            return {"pinned_at": None, "pinned_by": None}
        case _:
            return {}


def created(event: RoomEvent) -> Message:
    """Return the message that a `message.created` begins; without text where it was deleted since."""
    data = event.data
    return Message(
        id=event.id,
        room_id=event.room_id,
        seq=event.seq,
        sender_id=event.sender_id,
        client_id=event.client_id,
        at=event.at,
        text=data.get("text", ""),
        version=event.seq,
        reply_to=data.get("reply_to"),
        mentions=data.get("mentions", []),
        mentions_room=data.get("mentions_room", False),
    )


def _react(message: Message, event: RoomEvent) -> dict[str, Any]:
    emoji = event.data["emoji"]
    users = message.reactions.get(emoji, [])
    adding = event.type == EventType.REACTION_ADDED
    if adding == (event.sender_id in users):
        return {}
    users = [*users, event.sender_id] if adding else [each for each in users if each != event.sender_id]
    reactions = {**message.reactions, emoji: users}
    if not users:
        del reactions[emoji]
    return {"reactions": reactions}
