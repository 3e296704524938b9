"""How events and messages stand in documents."""

from typing import Any

import msgspec
from bson.binary import UUID_SUBTYPE, Binary
from msgspec.structs import replace

from parlour.chat.adapters.log_entries import WHOLE_ROOM, mentioned, packed, unhex
from parlour.chat.adapters.mongodb_log.engine import Document
from parlour.chat.fold import ON_MESSAGES, apply_to_message, created
from parlour.chat.model import EventType, Message, RoomEvent
from parlour.platform.ids import ClientId, EventId, RoomId, UserId

MAX_SEQ = (1 << 53) - 1

ROOM_MARK = "room"
"""Stands in `marks` where a message mentions the whole room."""
PIN_MARK = "pin"
"""Stands in `marks` of a pinned message."""

MESSAGE = "message"
"""The kind of a document of `messages`; others are left from before events were read where they stand."""

_REACTIONS = frozenset({EventType.REACTION_ADDED, EventType.REACTION_REMOVED})
_TEXTS = ("text", "mentions", "mentions_room")

_decode_message = msgspec.json.Decoder(Message).decode


def binary(identifier: str) -> Binary:
    """Return an id as it stands in documents.

    Raises:
        InvalidRequest: it is no canonical UUID.
    """
    return Binary(packed(identifier), UUID_SUBTYPE)


def bounded(seq: int) -> int:
    """Return a seq as BSON can hold it."""
    return min(max(seq, 0), MAX_SEQ)


def point(room_id: RoomId, seq: int) -> Binary:
    """Return a place in a room as one value, so that a query can name places of many rooms."""
    return Binary(packed(room_id) + seq.to_bytes(8, "big"))


def is_folded(event: RoomEvent) -> bool:
    """Tell whether an event leaves something in `messages`: whoever counts it has to find that there."""
    if event.type == EventType.MESSAGE_CREATED:
        return bool(mentioned(created(event)))
    return event.type in ON_MESSAGES


def event_document(event: RoomEvent, data: str) -> Document:
    """Return an event's document; `data` is the JSON of its data."""
    folded: Document = {"folded": True} if is_folded(event) else {}
    return {
        "_id": binary(event.id),
        "room_id": binary(event.room_id),
        "seq": event.seq,
        "type": event.type.value,
        "sender_id": binary(event.sender_id),
        "client_id": binary(event.client_id),
        "at": event.at,
        "point": point(event.room_id, event.seq),
        **folded,
        **data_fields(data),
    }


def data_fields(data: str) -> Document:
    """Return the fields that hold an event's data."""
    return {"data": data, "size": len(data.encode())}


def event_of(document: Document) -> RoomEvent:
    """Return the event that a document holds."""
    return RoomEvent(
        RoomId(unhex(document["room_id"].hex())),
        int(document["seq"]),  # what BSON has in 64 bits comes as a class of its own, which msgspec refuses
        EventId(unhex(document["_id"].hex())),
        EventType(document["type"]),
        UserId(unhex(document["sender_id"].hex())),
        ClientId(unhex(document["client_id"].hex())),
        int(document["at"]),
        msgspec.json.decode(document["data"]),
    )


def without_text(data: str) -> str:
    """Return the JSON of an event's data as it is once its message is deleted."""
    kept = {key: value for key, value in msgspec.json.decode(data).items() if key not in _TEXTS}
    return msgspec.json.encode(kept).decode()


def lacks_text(document: Document) -> bool:
    """Tell whether the document of a `message.created` was deprived of its text: then what became of it is in `messages`."""
    return "text" not in msgspec.json.decode(document["data"])


def message_of(document: Document) -> Message:
    """Return the message that a document of `messages` holds, with its reactions; without their `users`, nobody is in them."""
    message = _decode_message(document["body"])
    for reaction in document["reactions"]:
        digits = reaction.get("users", b"").hex()
        message.reactions[reaction["emoji"]] = [
            UserId(unhex(digits[start : start + 32])) for start in range(0, len(digits), 32)
        ]
    return message


class View:
    """A message while events are folded into it.

    Users stay packed: an event about a reaction is folded with that one reaction alone, so that it costs the same however many others
    there are.
    """

    def __init__(
        self, message: Message, as_of: int, reactions: dict[str, bytes] | None = None, edits: list[int] | None = None
    ) -> None:
        self.message = message
        self.as_of = as_of
        self._reactions = reactions or {}
        self._edits = edits or []

    @classmethod
    def begin(cls, event: RoomEvent) -> "View":
        """Return the message that a `message.created` begins."""
        return cls(created(event), event.seq)

    @classmethod
    def load(cls, document: Document) -> "View":
        """Return the message that a document holds."""
        reactions = {each["emoji"]: bytes(each["users"]) for each in document["reactions"]}
        return cls(
            _decode_message(document["body"]), int(document["as_of"]), reactions, list(map(int, document["edits"]))
        )

    @property
    def deleted(self) -> bool:
        """Whether no text of the message may be in the log."""
        return self.message.deleted_at is not None

    @property
    def marked(self) -> bool:
        """Whether it is looked for by more than its place."""
        return bool(self._marks())

    @property
    def texts(self) -> list[int]:
        """The seqs of the events with its texts."""
        return [self.message.seq, *self._edits]

    def size(self) -> int:
        """Return about how many bytes its document has."""
        users = sum(len(each) for each in self._reactions.values())
        return len(self.message.text.encode()) + users + 16 * len(self._edits)

    def apply(self, event: RoomEvent) -> bool:
        """Fold an event that names the message; tell whether its document is another one now. What is in it already changes nothing."""
        if event.seq <= self.as_of:
            return False
        before = self.message
        if event.type in _REACTIONS:
            before = replace(before, reactions=self._one_reaction(event))
        after = apply_to_message(before, event)
        recorded = event.type == EventType.MESSAGE_EDITED and not self.deleted
        if recorded:  # whoever wrote it: its text goes with the message
            self._edits.append(event.seq)
        if after is not None and after is not before:
            self._react(event)
            self.message = replace(after, reactions={})
        elif not recorded:
            return False
        self.as_of = event.seq
        return True

    def _one_reaction(self, event: RoomEvent) -> dict[str, list[UserId]]:
        emoji = event.data["emoji"]
        there = _place(self._reactions.get(emoji, b""), packed(event.sender_id)) >= 0
        return {emoji: [event.sender_id]} if there else {}

    def _react(self, event: RoomEvent) -> None:
        """Do to the packed users what the fold did to the message."""
        if event.type == EventType.MESSAGE_DELETED:
            self._reactions.clear()
        if event.type not in _REACTIONS:
            return
        emoji, user = event.data["emoji"], packed(event.sender_id)
        users = self._reactions.get(emoji, b"")
        if event.type == EventType.REACTION_ADDED:
            self._reactions[emoji] = users + user
            return
        place = _place(users, user)
        users = users[:place] + users[place + len(user) :]
        if users:
            self._reactions[emoji] = users
        else:
            del self._reactions[emoji]

    def document(self) -> Document:
        """Return the document."""
        message = self.message
        return {
            "_id": binary(message.id),
            "room_id": binary(message.room_id),
            "seq": message.seq,
            "kind": MESSAGE,
            "body": msgspec.json.encode(message).decode(),
            "as_of": self.as_of,
            "sender_id": binary(message.sender_id),
            "marks": self._marks(),
            "reactions": [{"emoji": emoji, "users": users} for emoji, users in self._reactions.items()],
            "edits": self._edits,
        }

    def _marks(self) -> list[Any]:
        marks: list[Any] = [
            ROOM_MARK if user == WHOLE_ROOM else Binary(user, UUID_SUBTYPE) for user in mentioned(self.message)
        ]
        return [*marks, PIN_MARK] if self.message.pinned_at is not None else marks


def _place(users: bytes, user: bytes) -> int:
    """Return where a user stands among packed ones, -1 where they do not."""
    place = users.find(user)
    while place % len(user) and place >= 0:
        place = users.find(user, place + 1)
    return place
