"""The routes of messages: history, and everything that `message.*` and `reaction.*` do over sockets, for scripts and bots."""

from collections.abc import Awaitable
from typing import Annotated, Literal

import msgspec
from litestar import Response, delete, get, patch, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from parlour.chat.fold import created
from parlour.chat.http.parameters import ID_LENGTH, LARGEST, ClientIdQuery, MessagePath, RoomPath, given
from parlour.chat.http.services import Caller, Chat, ChatServices
from parlour.chat.model import EventType, Message
from parlour.chat.ports import Pending
from parlour.chat.reactions import MAX_EMOJI_BYTES
from parlour.chat.service.history import MAX_PAGE, MessagePage
from parlour.chat.service.messages import settled
from parlour.platform.clock import SystemClock
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import ClientId, EventId, RoomId
from parlour.platform.tokens import Principal

_TAGS = ["messages"]
_MESSAGES = "/rooms/{room_id:str}/messages"
_MESSAGE = _MESSAGES + "/{message_id:str}"
_REACTION = _MESSAGE + "/reactions/{emoji:str}"
_PIN = _MESSAGE + "/pin"
_received = SystemClock().monotonic

AClientId = Annotated[ClientId, msgspec.Meta(max_length=ID_LENGTH)]
SeqQuery = Annotated[int | None, QueryParameter(ge=0, le=LARGEST)]
EmojiPath = Annotated[str, PathParameter(description=f"One emoji or a `:shortcode:`, at most {MAX_EMOJI_BYTES} bytes.")]


class NewMessage(msgspec.Struct):
    """A message to send: `text` of 1 to 8,000 characters; `client_id`, a UUID made by the client, makes repeating harmless."""

    client_id: AClientId
    text: str
    reply_to: Annotated[EventId, msgspec.Meta(max_length=ID_LENGTH)] | None = None


class NewText(msgspec.Struct):
    """The new text of a message."""

    text: str
    client_id: AClientId | None = None


class Placed(msgspec.Struct):
    """The command is durable: its event's id, place and time (ms UTC).

    `message` is the new message as it was sent, or the changed one as it is now; null where it is deleted since, or
    cannot be read any more or just now: then what was done is done all the same.
    """

    id: EventId
    seq: int
    at: int
    message: Message | None
    ok: Literal[True] = True


class Pins(msgspec.Struct):
    """Pinned messages, the latest pin first."""

    messages: list[Message]


@get(_MESSAGES, tags=_TAGS, operation_id="list_messages", summary="A page of a room's messages")
async def list_messages(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    before: SeqQuery = None,
    after: SeqQuery = None,
    around: SeqQuery = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)] = 50,
    events: Annotated[
        bool, QueryParameter(description="With what stands among the messages; `limit` then counts both.")
    ] = False,
) -> MessagePage:
    """Newest first: the latest, or the last ones `before` a seq, the first ones past `after`, or those `around` one.

    With `events` the page has joins, leavings, changes of the room and calls as well, so that paging misses nothing.

    A client that applies the events past `head` to the page has everything. Errors: `room_not_found`.
    """
    if around is None:
        return await chat.history.page(principal, room_id, before, after, limit, events=events)
    if before is None and after is None:
        return await chat.history.around(principal, room_id, around, limit, events=events)
    raise InvalidRequest("Give one of `before`, `after` and `around`.", details={"field": "around"})


@get(_MESSAGE, tags=_TAGS, operation_id="get_message", summary="One message")
async def get_message(*, principal: Caller, chat: Chat, room_id: RoomPath, message_id: MessagePath) -> Message:
    """A message as it is now; a deleted one without its text. Errors: `room_not_found`, `message_not_found`."""
    return await chat.history.message(principal, room_id, message_id)


@get("/rooms/{room_id:str}/pins", tags=_TAGS, operation_id="list_pins", summary="The pinned messages of a room")
async def list_pins(*, principal: Caller, chat: Chat, room_id: RoomPath) -> Pins:
    """At most 100, the latest pin first. Errors: `room_not_found`."""
    return Pins(await chat.history.pinned(principal, room_id))


@post(
    _MESSAGES,
    tags=_TAGS,
    operation_id="send_message",
    summary="Send a message",
    status_code=HTTP_201_CREATED,
    responses={
        HTTP_200_OK: ResponseSpec(
            Placed, generate_examples=False, description="It was sent before with this client_id."
        )
    },
)
async def send_message(
    *, principal: Caller, chat: Chat, room_id: RoomPath, data: JSONBody[NewMessage]
) -> Response[Placed]:
    """The same as the event `message.send`. Errors: `room_not_found`, `forbidden`, `invalid_text`, `message_not_found`, `busy`."""
    sent = await settled(
        chat.messages.send(principal, room_id, data.client_id, data.text, data.reply_to, received=_received())
    )
    event = sent.event
    # Made of the event: reading it back could fail, and what is durable must not be answered with an error.
    whole = event.type is EventType.MESSAGE_CREATED and "text" in event.data
    placed = Placed(event.id, event.seq, event.at, created(event) if whole else None)
    return Response(placed, status_code=HTTP_200_OK if sent.repeated else HTTP_201_CREATED)


@patch(_MESSAGE, tags=_TAGS, operation_id="edit_message", summary="Edit one's own message")
async def edit_message(
    *, principal: Caller, chat: Chat, room_id: RoomPath, message_id: MessagePath, data: JSONBody[NewText]
) -> Placed:
    """The same as `message.edit`. Errors: `room_not_found`, `message_not_found`, `message_deleted`, `not_yours`, `invalid_text`."""
    client_id = given(data.client_id)
    edit = chat.messages.edit(principal, room_id, client_id, message_id, data.text, received=_received())
    return await _changed(chat, principal, room_id, message_id, edit)


@delete(_MESSAGE, tags=_TAGS, operation_id="delete_message", summary="Delete a message", status_code=HTTP_200_OK)
async def delete_message(
    *, principal: Caller, chat: Chat, room_id: RoomPath, message_id: MessagePath, client_id: ClientIdQuery = None
) -> Placed:
    """One's own, or any as a moderator; its text is gone for good. Errors: `room_not_found`, `message_not_found`, `not_yours`."""
    deletion = chat.messages.delete(principal, room_id, given(client_id), message_id, received=_received())
    return await _changed(chat, principal, room_id, message_id, deletion)


@put(_REACTION, tags=_TAGS, operation_id="add_reaction", summary="React to a message")
async def add_reaction(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    message_id: MessagePath,
    emoji: EmojiPath,
    client_id: ClientIdQuery = None,
) -> Placed:
    """Reacting twice is no error.

    Errors: `room_not_found`, `message_not_found`, `message_deleted`, `invalid_emoji`, `too_many_reactions`.
    """
    reaction = chat.messages.react(
        principal, room_id, given(client_id), message_id, emoji, on=True, received=_received()
    )
    return await _changed(chat, principal, room_id, message_id, reaction)


@delete(_REACTION, tags=_TAGS, operation_id="remove_reaction", summary="Take a reaction back", status_code=HTTP_200_OK)
async def remove_reaction(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    message_id: MessagePath,
    emoji: EmojiPath,
    client_id: ClientIdQuery = None,
) -> Placed:
    """One's own; one that is not there is no error. Errors: `room_not_found`, `message_not_found`, `invalid_emoji`."""
    reaction = chat.messages.react(
        principal, room_id, given(client_id), message_id, emoji, on=False, received=_received()
    )
    return await _changed(chat, principal, room_id, message_id, reaction)


@put(_PIN, tags=_TAGS, operation_id="pin_message", summary="Pin a message")
async def pin_message(
    *, principal: Caller, chat: Chat, room_id: RoomPath, message_id: MessagePath, client_id: ClientIdQuery = None
) -> Placed:
    """For the whole room; at most 100 are pinned. Errors: `room_not_found`, `message_not_found`, `message_deleted`, `too_many_pins`."""
    pin = chat.messages.pin(principal, room_id, given(client_id), message_id, on=True, received=_received())
    return await _changed(chat, principal, room_id, message_id, pin)


@delete(_PIN, tags=_TAGS, operation_id="unpin_message", summary="Unpin a message", status_code=HTTP_200_OK)
async def unpin_message(
    *, principal: Caller, chat: Chat, room_id: RoomPath, message_id: MessagePath, client_id: ClientIdQuery = None
) -> Placed:
    """One that is not pinned is no error. Errors: `room_not_found`, `message_not_found`."""
    pin = chat.messages.pin(principal, room_id, given(client_id), message_id, on=False, received=_received())
    return await _changed(chat, principal, room_id, message_id, pin)


async def _changed(
    chat: ChatServices, principal: Principal, room_id: RoomId, message_id: EventId, command: Awaitable[Pending]
) -> Placed:
    event = (await settled(command)).event
    message = await chat.history.changed(principal, room_id, message_id)
    return Placed(event.id, event.seq, event.at, message)
