"""The routes of messages: history, and everything that `message.*` and `reaction.*` do over sockets, for scripts and bots."""

from typing import Annotated, Literal

import msgspec
from litestar import Response, delete, get, patch, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from parlour.chat.http.parameters import ID_LENGTH, LARGEST, ClientIdQuery, MessagePath, RoomPath, given
from parlour.chat.http.services import Caller, Chat, ChatServices
from parlour.chat.model import Appended, Message
from parlour.chat.reactions import MAX_EMOJI_BYTES
from parlour.chat.service.history import MAX_PAGE
from parlour.chat.service.messages import settled
from parlour.platform.clock import SystemClock
from parlour.platform.errors import InvalidRequest
from parlour.platform.ids import ClientId, EventId, RoomId
from parlour.platform.tokens import Principal

_TAGS = ["messages"]
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
    """The command is durable: its event's id, place and time (ms UTC), and the message as it is now."""

    id: EventId
    seq: int
    at: int
    message: Message
    ok: Literal[True] = True


class MessagePage(msgspec.Struct):
    """Messages, newest first, that include everything up to the room's `head`."""

    messages: list[Message]
    head: int


class Pins(msgspec.Struct):
    """Pinned messages, the latest pin first."""

    messages: list[Message]


@get("/rooms/{room_id:str}/messages", tags=_TAGS, operation_id="list_messages", summary="A page of a room's messages")
async def list_messages(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    before: SeqQuery = None,
    after: SeqQuery = None,
    around: SeqQuery = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)] = 50,
) -> MessagePage:
    """Newest first: the latest, or the last ones `before` a seq, the first ones past `after`, or those `around` one.

    A client that applies the events past `head` to the page has everything. Errors: `room_not_found`.
    """
    if around is None:
        messages, head = await chat.history.page(principal, room_id, before=before, after=after, limit=limit)
    elif before is None and after is None:
        messages, head = await chat.history.around(principal, room_id, around, limit=limit)
    else:
        raise InvalidRequest("Give one of `before`, `after` and `around`.", details={"field": "around"})
    return MessagePage(messages, head)


@get("/rooms/{room_id:str}/messages/{message_id:str}", tags=_TAGS, operation_id="get_message", summary="One message")
async def get_message(*, principal: Caller, chat: Chat, room_id: RoomPath, message_id: MessagePath) -> Message:
    """A message as it is now; a deleted one without its text. Errors: `room_not_found`, `message_not_found`."""
    return await chat.history.message(principal, room_id, message_id)


@get("/rooms/{room_id:str}/pins", tags=_TAGS, operation_id="list_pins", summary="The pinned messages of a room")
async def list_pins(*, principal: Caller, chat: Chat, room_id: RoomPath) -> Pins:
    """At most 100, the latest pin first. Errors: `room_not_found`."""
    return Pins(await chat.history.pinned(principal, room_id))


@post(
    "/rooms/{room_id:str}/messages",
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
    placed = await _placed(chat, principal, room_id, sent, sent.event.id)
    return Response(placed, status_code=HTTP_200_OK if sent.repeated else HTTP_201_CREATED)


@patch(
    "/rooms/{room_id:str}/messages/{message_id:str}",
    tags=_TAGS,
    operation_id="edit_message",
    summary="Edit one's own message",
)
async def edit_message(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    message_id: MessagePath,
    data: JSONBody[NewText],
) -> Placed:
    """The same as `message.edit`. Errors: `room_not_found`, `message_not_found`, `message_deleted`, `not_yours`, `invalid_text`."""
    edited = await settled(
        chat.messages.edit(principal, room_id, given(data.client_id), message_id, data.text, received=_received())
    )
    return await _placed(chat, principal, room_id, edited, message_id)


@delete(
    "/rooms/{room_id:str}/messages/{message_id:str}",
    tags=_TAGS,
    operation_id="delete_message",
    summary="Delete a message",
    status_code=HTTP_200_OK,
)
async def delete_message(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    message_id: MessagePath,
    client_id: ClientIdQuery = None,
) -> Placed:
    """One's own, or any as a moderator; its text is gone for good. Errors: `room_not_found`, `message_not_found`, `not_yours`."""
    deleted = await settled(
        chat.messages.delete(principal, room_id, given(client_id), message_id, received=_received())
    )
    return await _placed(chat, principal, room_id, deleted, message_id)


@put(
    "/rooms/{room_id:str}/messages/{message_id:str}/reactions/{emoji:str}",
    tags=_TAGS,
    operation_id="add_reaction",
    summary="React to a message",
)
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
    added = await settled(
        chat.messages.react(principal, room_id, given(client_id), message_id, emoji, on=True, received=_received())
    )
    return await _placed(chat, principal, room_id, added, message_id)


@delete(
    "/rooms/{room_id:str}/messages/{message_id:str}/reactions/{emoji:str}",
    tags=_TAGS,
    operation_id="remove_reaction",
    summary="Take a reaction back",
    status_code=HTTP_200_OK,
)
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
    removed = await settled(
        chat.messages.react(principal, room_id, given(client_id), message_id, emoji, on=False, received=_received())
    )
    return await _placed(chat, principal, room_id, removed, message_id)


@put(
    "/rooms/{room_id:str}/messages/{message_id:str}/pin",
    tags=_TAGS,
    operation_id="pin_message",
    summary="Pin a message",
)
async def pin_message(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    message_id: MessagePath,
    client_id: ClientIdQuery = None,
) -> Placed:
    """For the whole room; at most 100 are pinned. Errors: `room_not_found`, `message_not_found`, `message_deleted`, `too_many_pins`."""
    pinned = await settled(
        chat.messages.pin(principal, room_id, given(client_id), message_id, on=True, received=_received())
    )
    return await _placed(chat, principal, room_id, pinned, message_id)


@delete(
    "/rooms/{room_id:str}/messages/{message_id:str}/pin",
    tags=_TAGS,
    operation_id="unpin_message",
    summary="Unpin a message",
    status_code=HTTP_200_OK,
)
async def unpin_message(
    *,
    principal: Caller,
    chat: Chat,
    room_id: RoomPath,
    message_id: MessagePath,
    client_id: ClientIdQuery = None,
) -> Placed:
    """One that is not pinned is no error. Errors: `room_not_found`, `message_not_found`."""
    unpinned = await settled(
        chat.messages.pin(principal, room_id, given(client_id), message_id, on=False, received=_received())
    )
    return await _placed(chat, principal, room_id, unpinned, message_id)


async def _placed(
    chat: ChatServices, principal: Principal, room_id: RoomId, done: Appended, message_id: EventId
) -> Placed:
    message = await chat.history.message(principal, room_id, message_id)
    return Placed(done.event.id, done.event.seq, done.event.at, message)
