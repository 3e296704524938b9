"""Commands to the room log: who may, with what values, and what the log is told."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey
from msgspec.structs import replace

from parlour.chat.errors import (
    InvalidEmoji,
    InvalidText,
    MessageDeleted,
    MessageNotFound,
    NotYours,
    RoomNotFound,
    TooManyPins,
    TooManyReactions,
)
from parlour.chat.model import MAX_PINS, MAX_TEXT, SYNC_GAP, Appended, EventType, Message
from parlour.chat.service.messages import FEW, Messages, check_text, settled
from parlour.platform.errors import Forbidden, InvalidRequest, RateLimited
from parlour.platform.ids import ClientId, EventId, UserId, uuid7
from parlour.platform.metrics import MENTIONS_UNRESOLVED
from parlour.platform.permissions import Role
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import SessionEnded, TokenVerifier

from .doubles import (
    FakeBroker,
    FakeDirectory,
    FakeLog,
    FakeMemberships,
    ManualClock,
    a_client_id,
    a_principal,
    a_profile,
    a_room,
)

pytestmark = pytest.mark.filterwarnings("error")


class Settled:
    """The commands, each waited for until it is durable."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def __getattr__(self, name: str) -> Any:
        command = getattr(self._messages, name)
        return lambda *args, **kwargs: settled(command(*args, **kwargs))


class NoKeys:
    """A verifier's keys, where no token is verified."""

    def public_keys(self) -> dict[str, OKPKey]:
        return {}


class House:
    """Ann and Bob in a room, and Eve outside of it."""

    def __init__(self, rates: dict[str, str] | None = None) -> None:
        self.room = a_room()
        self.ann = a_principal("ann")
        self.bob, self.eve = a_profile("bob"), a_profile("eve")
        self.memberships = FakeMemberships()
        self.memberships.add(self.ann, self.room)
        self.memberships.add(self.bob, self.room)
        self.memberships.add(self.eve, a_room())
        self.broker = FakeBroker()
        self.log = FakeLog()
        self.directory = FakeDirectory(self.bob, self.eve)
        self.verifier = TokenVerifier(NoKeys(), ManualClock())
        self.audience = 2
        self.messages = Settled(
            Messages(
                self.broker,
                self.log,
                self.memberships,
                self.directory,
                verifier=self.verifier,
                rates=RateLimits(ManualClock(), rates),
                audience=lambda _: self.audience,
            )
        )


@pytest.fixture
def house() -> House:
    return House()


# Sending


async def test_a_message_reaches_the_log_exactly_as_given(house: House) -> None:
    client_id = a_client_id()
    appended = await house.messages.send(house.ann, house.room.id, client_id, "  two\n\nlines  ", received=7.5)
    command = house.broker.commands[0]
    assert (command.type, command.sender_id, command.client_id) == ("message.created", house.ann.user_id, client_id)
    assert command.data == {"text": "  two\n\nlines  "}
    assert command.received == 7.5
    assert (appended.event.seq, appended.repeated) == (1, False)


async def test_a_repeat_with_another_text_answers_with_the_first_event(house: House) -> None:
    client_id = a_client_id()
    first = await house.messages.send(house.ann, house.room.id, client_id, "one")
    again = await house.messages.send(house.ann, house.room.id, client_id, "another")
    assert again.repeated
    assert again.event == first.event
    assert again.event.data["text"] == "one"


async def test_a_membership_that_is_not_loaded_is_loaded(house: House) -> None:
    house.memberships.unloaded.add(house.ann.user_id)
    await house.messages.send(house.ann, house.room.id, a_client_id(), "hello")
    assert house.memberships.loads == [house.ann.user_id]


async def test_with_everything_cached_only_the_broker_is_waited_for(house: House) -> None:
    command = house.messages.send(house.ann, house.room.id, a_client_id(), "hello")
    with pytest.raises(StopIteration):  # the fake broker never waits: the coroutine ends in its first step
        command.send(None)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u2003", "a\0b", "a\ud800", "x" * (MAX_TEXT + 1)])
async def test_what_is_no_text_is_refused(house: House, text: str) -> None:
    with pytest.raises(InvalidText) as refused:
        await house.messages.send(house.ann, house.room.id, a_client_id(), text)
    assert refused.value.details is not None
    assert refused.value.details["field"] == "text"
    assert house.broker.commands == []


@pytest.mark.parametrize("text", ["x" * MAX_TEXT, "😀" * MAX_TEXT, ".", "\u202eabc"])
async def test_every_text_within_the_limit_is_taken(house: House, text: str) -> None:
    await house.messages.send(house.ann, house.room.id, a_client_id(), text)
    assert house.broker.commands[0].data["text"] == text


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_a_text_is_taken_or_refused_with_its_code(text: str) -> None:
    try:
        check_text(text)
    except InvalidText:
        return
    assert text.strip()
    assert text.encode().decode() == text


@pytest.mark.parametrize("client_id", ["", "1", "x" * 36, "0190163D-8694-739B-AEA5-966C26F8AD91", "' OR 1=1 --"])
async def test_a_client_id_is_a_uuid(house: House, client_id: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await house.messages.send(house.ann, house.room.id, ClientId(client_id), "hello")
    assert refused.value.details == {"field": "client_id"}


async def test_other_peoples_rooms_do_not_exist(house: House) -> None:
    with pytest.raises(RoomNotFound):
        await house.messages.send(a_principal("eve"), house.room.id, a_client_id(), "hello")
    assert house.broker.commands == []


async def test_senders_have_a_rate_of_their_own() -> None:
    house = House({"message": "2/minute"})
    for _ in range(2):
        await house.messages.send(house.ann, house.room.id, a_client_id(), "hello")
    with pytest.raises(RateLimited) as refused:
        await house.messages.send(house.ann, house.room.id, a_client_id(), "hello")
    assert refused.value.retry_after
    carl = a_principal("carl")
    house.memberships.add(carl, house.room)
    await house.messages.send(carl, house.room.id, a_client_id(), "hello")


async def test_a_message_counts_by_how_many_it_is_told_to_in_a_large_room() -> None:
    house = House({"deliveries": "1000/second"})
    carl = a_principal("carl")
    house.memberships.add(carl, house.room)
    house.audience = 600
    for _ in range(2):
        await house.messages.send(house.ann, house.room.id, a_client_id(), "hello")
    with pytest.raises(RateLimited):
        await house.messages.send(house.ann, house.room.id, a_client_id(), "hello")
    await house.messages.send(carl, house.room.id, a_client_id(), "hello")
    house.audience = FEW
    await house.messages.send(house.ann, house.room.id, a_client_id(), "hello")


async def test_a_burst_of_messages_is_bounded_and_may_be_as_long_as_a_sync() -> None:
    house = House()
    passed = 0
    with contextlib.suppress(RateLimited):
        while passed < 6_000:
            await house.messages.send(house.ann, house.room.id, a_client_id(), "hello")
            passed += 1
    assert SYNC_GAP < passed <= 1_000


async def test_a_reply_is_to_a_message_of_the_room(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    await house.messages.send(house.ann, house.room.id, a_client_id(), "yes", message.id)
    assert house.broker.commands[0].data == {"text": "yes", "reply_to": message.id}


async def test_a_reply_to_a_deleted_message_is_kept(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    message.deleted_at = 5
    await house.messages.send(house.ann, house.room.id, a_client_id(), "yes", message.id)
    assert house.broker.commands


async def test_a_reply_to_a_message_elsewhere_is_refused(house: House) -> None:
    elsewhere = house.log.put(a_room(), house.ann)
    with pytest.raises(MessageNotFound) as refused:
        await house.messages.send(house.ann, house.room.id, a_client_id(), "yes", elsewhere.id)
    assert refused.value.details == {"field": "reply_to"}


# Mentions


async def test_only_members_are_mentioned(house: House) -> None:
    await house.messages.send(house.ann, house.room.id, a_client_id(), "@eve @bob @nobody")
    assert house.broker.commands[0].data == {"text": "@eve @bob @nobody", "mentions": [house.bob.id]}


async def test_a_mentioned_member_whose_rooms_are_not_loaded_counts(house: House) -> None:
    house.memberships.unloaded.add(house.bob.id)
    await house.messages.send(house.ann, house.room.id, a_client_id(), "@bob")
    assert house.broker.commands[0].data["mentions"] == [house.bob.id]


async def test_the_whole_room_is_mentioned_by_those_who_may(house: House) -> None:
    await house.messages.send(house.ann, house.room.id, a_client_id(), "@room lunch")
    assert house.broker.commands[0].data == {"text": "@room lunch", "mentions_room": True}


async def test_without_the_directory_only_those_it_remembers_are_mentioned(house: House) -> None:
    cem = a_profile("cem")
    house.memberships.add(cem, house.room)
    house.directory.all[cem.id] = cem
    house.directory.met = {house.bob.id, house.eve.id}
    house.directory.away = True
    before = MENTIONS_UNRESOLVED._value.get()
    text = "@room @cem @eve @bob @nobody"
    sent = await house.messages.send(house.ann, house.room.id, a_client_id(), text)
    data = {"text": text, "mentions_room": True, "mentions": [house.bob.id]}
    assert house.broker.commands[0].data == sent.event.data == data
    assert MENTIONS_UNRESOLVED._value.get() == before + 2

    message = house.log.put(house.room, house.ann)
    await house.messages.edit(house.ann, house.room.id, a_client_id(), message.id, "ask @cem")
    assert house.broker.commands[1].data == {"message_id": message.id, "text": "ask @cem"}
    assert MENTIONS_UNRESOLVED._value.get() == before + 3


async def test_guests_do_not_mention_the_whole_room(house: House) -> None:
    guest = a_principal("guest", Role.GUEST)
    house.memberships.add(guest, house.room, "guest")
    with pytest.raises(Forbidden):
        await house.messages.send(guest, house.room.id, a_client_id(), "@all")
    await house.messages.send(guest, house.room.id, a_client_id(), "`@all`")


async def test_an_edit_has_the_mentions_of_its_new_text(house: House) -> None:
    message = house.log.put(house.room, house.ann, "@bob")
    await house.messages.edit(house.ann, house.room.id, a_client_id(), message.id, "hi @bob and @room")
    data = house.broker.commands[0].data
    assert data == {
        "message_id": message.id,
        "text": "hi @bob and @room",
        "mentions_room": True,
        "mentions": [house.bob.id],
    }


# Editing and deleting


async def test_only_the_author_edits(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    moderator = a_principal("mod", Role.OWNER)
    house.memberships.add(moderator, house.room, "owner")
    with pytest.raises(NotYours):
        await house.messages.edit(moderator, house.room.id, a_client_id(), message.id, "changed")
    await house.messages.edit(house.ann, house.room.id, a_client_id(), message.id, "changed")
    assert [command.type for command in house.broker.commands] == [EventType.MESSAGE_EDITED]


async def test_a_deleted_message_is_not_edited(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    message.deleted_at = 5
    with pytest.raises(MessageDeleted):
        await house.messages.edit(house.ann, house.room.id, a_client_id(), message.id, "changed")


@pytest.mark.parametrize(
    ("server_role", "room_role", "may"),
    [
        (Role.MEMBER, "member", False),
        (Role.MEMBER, "moderator", True),
        (Role.MEMBER, "owner", True),
        (Role.MODERATOR, "member", True),
        (Role.ADMIN, "member", True),
        (Role.GUEST, "moderator", False),
    ],
)
async def test_moderators_delete_what_others_wrote(house: House, server_role: Role, room_role: str, may: bool) -> None:
    message = house.log.put(house.room, house.ann)
    other = a_principal("other", server_role)
    house.memberships.add(other, house.room, room_role)
    if may:
        await house.messages.delete(other, house.room.id, a_client_id(), message.id)
        assert house.broker.commands[0].data == {"message_id": message.id}
    else:
        with pytest.raises(NotYours):
            await house.messages.delete(other, house.room.id, a_client_id(), message.id)


async def test_deleting_again_is_repeatable(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    client_id = a_client_id()
    first = await house.messages.delete(house.ann, house.room.id, client_id, message.id)
    message.deleted_at = 5
    again = await house.messages.delete(house.ann, house.room.id, client_id, message.id)
    assert (again.event.seq, again.repeated) == (first.event.seq, True)


@pytest.mark.parametrize("action", ["edit", "delete", "react", "pin"])
async def test_a_message_of_another_room_is_not_found(house: House, action: str) -> None:
    message = house.log.put(a_room(), house.ann)
    with pytest.raises(MessageNotFound):
        await act(house, action, message.id)
    with pytest.raises(MessageNotFound):
        await act(house, action, EventId("nothing"))


async def act(house: House, action: str, message_id: EventId) -> None:
    messages, room_id, client_id = house.messages, house.room.id, a_client_id()
    if action == "edit":
        await messages.edit(house.ann, room_id, client_id, message_id, "text")
    elif action == "delete":
        await messages.delete(house.ann, room_id, client_id, message_id)
    elif action == "react":
        await messages.react(house.ann, room_id, client_id, message_id, "👍", on=True)
    else:
        await messages.pin(house.ann, room_id, client_id, message_id, on=True)


# Whoever is shut out while a command waits


Act = Callable[[House, Message], Awaitable[Appended]]
ACTS: dict[str, Act] = {
    "reply": lambda house, message: house.messages.send(house.ann, house.room.id, a_client_id(), "yes", message.id),
    "mention": lambda house, _: house.messages.send(house.ann, house.room.id, a_client_id(), "hello @bob"),
    "edit": lambda house, message: house.messages.edit(house.ann, house.room.id, a_client_id(), message.id, "changed"),
    "delete": lambda house, message: house.messages.delete(house.ann, house.room.id, a_client_id(), message.id),
    "react": lambda house, message: house.messages.react(
        house.ann, house.room.id, a_client_id(), message.id, "👍", on=True
    ),
    "pin": lambda house, message: house.messages.pin(house.ann, house.room.id, a_client_id(), message.id, on=True),
}


class Held:
    """Lets the look-ups of a house wait until they are let go."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.open = asyncio.Event(), asyncio.Event()
        for owner, name in ((house.log, "message"), (house.directory, "by_usernames")):
            monkeypatch.setattr(owner, name, self._held(getattr(owner, name)))

    def _held(self, look_up: Any) -> Any:
        async def held(*arguments: Any, **options: Any) -> Any:
            self.begun.set()
            await self.open.wait()
            return await look_up(*arguments, **options)

        return held


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("shut_out", ["removed", "logged out"])
async def test_who_is_shut_out_while_a_look_up_is_under_way_writes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, act: Act, shut_out: str
) -> None:
    message = house.log.put(house.room, house.ann)
    held = Held(house, monkeypatch)
    acting = asyncio.ensure_future(act(house, message))
    await held.begun.wait()
    if shut_out == "removed":
        del house.memberships.of[house.ann.user_id][house.room.id]
    else:
        house.verifier.end_session(house.ann.session_id, 2**50)
    held.open.set()
    with pytest.raises(RoomNotFound if shut_out == "removed" else SessionEnded):
        await acting
    assert house.broker.commands == []


async def test_who_is_no_moderator_any_more_when_the_message_is_found_does_not_delete_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    moderator = a_principal("mod")
    membership = house.memberships.add(moderator, house.room, "moderator")
    message = house.log.put(house.room, house.ann)
    held = Held(house, monkeypatch)
    deleting = asyncio.ensure_future(house.messages.delete(moderator, house.room.id, a_client_id(), message.id))
    await held.begun.wait()
    membership.role = "member"
    held.open.set()
    with pytest.raises(NotYours):
        await deleting
    assert house.broker.commands == []


# Repeats of what would be refused by now


async def test_a_repeat_after_leaving_answers_with_the_place_of_the_first_and_nothing_more(house: House) -> None:
    client_id = a_client_id()
    first = await house.messages.send(house.ann, house.room.id, client_id, "hello")
    house.log.log[house.room.id] = [first.event]
    assert house.log.finds == 0, "who is not refused pays nothing"
    del house.memberships.of[house.ann.user_id][house.room.id]
    again = await house.messages.send(house.ann, house.room.id, client_id, "hello")
    assert again == Appended(replace(first.event, data={}), repeated=True)
    with pytest.raises(RoomNotFound):
        await house.messages.send(house.ann, house.room.id, a_client_id(), "hello")
    with pytest.raises(RoomNotFound):
        await house.messages.send(a_principal("eve"), house.room.id, client_id, "hello")
    assert len(house.broker.commands) == 1


async def test_a_repeat_of_a_change_whose_message_is_gone_answers_with_the_first(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    client_id = a_client_id()
    first = await house.messages.edit(house.ann, house.room.id, client_id, message.id, "changed")
    house.log.log[house.room.id] = [first.event]
    message.deleted_at = 5
    again = await house.messages.edit(house.ann, house.room.id, client_id, message.id, "changed")
    assert (again.event.id, again.event.seq, again.repeated) == (first.event.id, first.event.seq, True)
    with pytest.raises(MessageDeleted):
        await house.messages.edit(house.ann, house.room.id, a_client_id(), message.id, "changed")


async def test_what_is_refused_counts_towards_the_rate_too() -> None:
    house = House({"message": "1/minute"})
    with pytest.raises(RoomNotFound):
        await house.messages.send(a_principal("eve"), house.room.id, a_client_id(), "hello")
    eve = a_principal("eve")
    for refused in (RoomNotFound, RateLimited):
        with pytest.raises(refused):
            await house.messages.send(eve, house.room.id, a_client_id(), "hello")


# Reactions and pins


async def test_reactions_come_and_go(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    for on in (True, False):
        await house.messages.react(house.ann, house.room.id, a_client_id(), message.id, "👍", on=on)
    assert [command.type for command in house.broker.commands] == ["reaction.added", "reaction.removed"]
    assert house.broker.commands[0].data == {"message_id": message.id, "emoji": "👍"}


async def test_text_is_no_reaction(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    with pytest.raises(InvalidEmoji):
        await house.messages.react(house.ann, house.room.id, a_client_id(), message.id, "nice", on=True)


async def test_a_message_takes_fifty_different_reactions(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    message.reactions = {f":r{number}:": [UserId(uuid7())] for number in range(50)}
    with pytest.raises(TooManyReactions):
        await house.messages.react(house.ann, house.room.id, a_client_id(), message.id, "👍", on=True)
    await house.messages.react(house.ann, house.room.id, a_client_id(), message.id, ":r7:", on=True)


async def test_a_deleted_message_takes_no_reaction_but_gives_one_back(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    message.deleted_at = 5
    with pytest.raises(MessageDeleted):
        await house.messages.react(house.ann, house.room.id, a_client_id(), message.id, "👍", on=True)
    await house.messages.react(house.ann, house.room.id, a_client_id(), message.id, "👍", on=False)


async def test_pins_are_bounded_and_never_of_what_is_gone(house: House) -> None:
    message = house.log.put(house.room, house.ann)
    await house.messages.pin(house.ann, house.room.id, a_client_id(), message.id, on=True)
    for _ in range(MAX_PINS):
        house.log.put(house.room, house.ann).pinned_at = 5
    with pytest.raises(TooManyPins):
        await house.messages.pin(house.ann, house.room.id, a_client_id(), message.id, on=True)
    await house.messages.pin(house.ann, house.room.id, a_client_id(), message.id, on=False)
    message.deleted_at = 6
    with pytest.raises(MessageDeleted):
        await house.messages.pin(house.ann, house.room.id, a_client_id(), message.id, on=True)


async def test_guests_do_not_pin(house: House) -> None:
    guest = a_principal("guest", Role.GUEST)
    house.memberships.add(guest, house.room, "guest")
    with pytest.raises(Forbidden):
        await house.messages.pin(guest, house.room.id, a_client_id(), house.log.put(house.room, guest).id, on=True)
