"""A room of 100,000 messages as people write them, put into the log of a server that is not running."""

import random
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.corpus import Corpus
from parlour.chat.adapters.sqlite_log import SqliteRoomLog, SqliteSearch
from parlour.chat.model import EventType, NewEvent
from parlour.platform.clock import SystemClock
from parlour.platform.ids import ClientId, RoomId, UserId

BATCH = 10
BATCH_MS = 10 * 60_000
"""Between two batches: days, groups and authors change as they do in life."""
EMOJI = ("👍", "🎉", "😄", "❤️", "👀")
CODE = '```python\ndef total(prices: list[int]) -> int:\n    """Sum what is not free."""\n    return sum(p for p in prices if p > 0)\n```'


class EarlierClock(SystemClock):
    """A wall clock that the writer sets: the room's history is of months."""

    def __init__(self, now: int) -> None:
        self.at = now

    def now(self) -> int:
        """Return the time that was set."""
        return self.at


def formatted(text: str, n: int, rng: random.Random) -> str:
    """Return the n-th text with what people put into messages: every third has Markdown, a link, code, a list."""
    match n % 30:
        case 3 | 13 | 23:
            return f"**{text}**"
        case 6 | 16:
            return f"see https://example.org/{rng.randrange(10_000)} _{text}_"
        case 9:
            return f"`{text[:20]}` {text}"
        case 12 | 22:
            return "\n".join(f"- {line}" for line in text.split()[:4])
        case 19:
            return f"> {text}\n\n{text}"
        case 26:
            return f"{text}\n\n{CODE}"
        case 29:
            return f"{text} :tada: 🎉"
        case _:
            return text


def messages(room: RoomId, senders: list[UserId], count: int) -> Iterator[NewEvent]:
    """Draw the messages of a room; one author often writes several in a row."""
    rng, corpus = random.Random(11), Corpus()
    sender = senders[0]
    for n, (_, _, text) in enumerate(corpus.messages(count)):
        if rng.random() < 0.4:
            sender = rng.choice(senders)
        yield NewEvent(room, EventType.MESSAGE_CREATED, sender, _client_id(rng), {"text": formatted(text, n, rng)})


async def write_room(data: Path, room: RoomId, senders: list[UserId], count: int) -> None:
    """Append `count` messages to the room's log in a data directory, some with reactions, and index them."""
    clock = EarlierClock(SystemClock().now() - count // BATCH * BATCH_MS)
    log = await SqliteRoomLog.open(data / "messages.db", clock)
    rng = random.Random(13)
    drawn = messages(room, senders, count)
    while batch := list(islice(drawn, BATCH)):
        clock.at += BATCH_MS
        appended = await log.append(batch)
        if rng.random() < 0.5:
            await log.append([_reaction(room, rng.choice(senders), appended[-1].event.id, rng)])
    search = await SqliteSearch.open(log, clock)
    await search.settled()
    await search.close()
    await log.close()


def _reaction(room: RoomId, sender: UserId, message_id: str, rng: random.Random) -> NewEvent:
    data = {"message_id": message_id, "emoji": rng.choice(EMOJI)}
    return NewEvent(room, EventType.REACTION_ADDED, sender, _client_id(rng), data)


def _client_id(rng: random.Random) -> ClientId:
    return ClientId(str(uuid.UUID(int=rng.getrandbits(128), version=4)))
