"""What is in Kafka's messages, and in the answers to them."""

import time
from typing import Any

import msgspec

from parlour.chat.model import Appended, NewEvent, RoomEvent
from parlour.platform.errors import ParlourError, error_from


class Command(msgspec.Struct, array_like=True):
    """A command and who waits for its answer: the node, and the number that the node gave it.

    `received` is the command's as seconds of the wall clock, 0 where it has none.
    """

    node_id: str
    number: int
    event: NewEvent
    received: float = 0.0


class Answer(msgspec.Struct, array_like=True):
    """What became of one command: an event (its `data` left out where it is the command's), or an error's body."""

    number: int
    event: RoomEvent | None
    repeated: bool
    error: dict[str, Any] | None


encode = msgspec.msgpack.Encoder().encode
decode_command = msgspec.msgpack.Decoder(Command).decode
decode_answers = msgspec.msgpack.Decoder(list[Answer]).decode


def command_of(node_id: str, number: int, command: NewEvent) -> Command:
    """Return what to send to the workers."""
    received = time.time() - (time.monotonic() - command.received) if command.received else 0.0
    return Command(node_id, number, msgspec.structs.replace(command, received=0.0), received)


def event_of(command: Command) -> NewEvent:
    """Return a command as this process would have received it, as well as the machines' clocks agree."""
    if not command.received:
        return command.event
    received = time.monotonic() - max(0.0, time.time() - command.received)
    return msgspec.structs.replace(command.event, received=received)


def answer_of(number: int, outcome: Appended | ParlourError) -> Answer:
    """Return what to answer."""
    if isinstance(outcome, ParlourError):
        return Answer(number, None, False, msgspec.to_builtins(outcome.body()))
    event = outcome.event if outcome.repeated else msgspec.structs.replace(outcome.event, data={})
    return Answer(number, event, outcome.repeated, None)


def outcome_of(answer: Answer, command: NewEvent) -> Appended | ParlourError:
    """Return what an answer to `command` says."""
    if answer.event is None:
        return error_from(answer.error or {})
    if answer.repeated:
        return Appended(answer.event, repeated=True)
    return Appended(msgspec.structs.replace(answer.event, data=command.data))
