"""The collections, their indexes and shard keys.

`events`: the log. {_id: event id, room_id, seq, type, sender_id, client_id, at, data: JSON, size: bytes of `data`, point: room id and
    seq in one, folded: true where it leaves something in `messages`}
`messages`: the log's fold, where a message is not as its first event says, or somebody is mentioned in it.
    {_id: event id, room_id, seq, kind: "message", body: JSON, as_of: seq of the last event that is in it, sender_id, marks: [user id |
    "room" | "pin"], reactions: [{emoji, users: user ids one after the other}], edits: [seq]}
`heads`: up to where a room's events are known to be in `messages`; those behind that are not `folded` count too. {_id: room id, seq, at}
`meta`: {_id: "schema", version, epoch: which history this is}

Ids are UUIDs of 16 bytes. JSON is kept as text: any JSON can be stored, byte for byte, and no engine reads keys of clients' making.
"""

from collections.abc import Awaitable, Callable

from pymongo import ASCENDING, IndexModel, UpdateOne

from parlour.chat.adapters.mongodb_log.engine import Document, Engine
from parlour.platform.errors import TablesNewer
from parlour.platform.ids import uuid4

VERSION = 2
"""1 had every message, and the events among them, in `messages`; what it wrote is read as it is."""

EVENTS = "events"
MESSAGES = "messages"
HEADS = "heads"
META = "meta"

INDEXES = {
    EVENTS: [
        # The fence, and the shard key.
        IndexModel([("room_id", ASCENDING), ("seq", ASCENDING)], name="place", unique=True),
        # Not unique, which a sharded collection could not keep: who was first is decided by the fence. By the client's id alone, which
        # is a UUID: the look-up of a batch is then one list of points, and each engine finds those by an index.
        IndexModel([("client_id", ASCENDING)], name="commands"),
        # Which of many rooms go on behind their heads is one list of points, too.
        IndexModel([("point", ASCENDING)], name="points"),
    ],
    MESSAGES: [
        IndexModel([("room_id", ASCENDING), ("seq", ASCENDING)], name="place", unique=True),
        IndexModel([("room_id", ASCENDING), ("marks", ASCENDING), ("seq", ASCENDING)], name="marks"),
    ],
}

SHARD_KEYS: dict[str, Document] = {
    EVENTS: {"room_id": 1, "seq": 1},
    MESSAGES: {"room_id": 1, "seq": 1},
    HEADS: {"_id": 1},
}


class NewerSchema(TablesNewer):
    """The database was made by a newer Parlour."""


def shard_commands(database: str) -> list[Document]:
    """Return the commands, for `admin` of a mongos in their order, that spread a database over the shards of a cluster by room."""
    spread = [
        {"shardCollection": f"{database}.{name}", "key": key, "unique": name != HEADS}
        for name, key in SHARD_KEYS.items()
    ]
    return [{"enableSharding": database}, *spread]


Upgrading = Callable[[int], Awaitable[None]]


async def migrate(engine: Engine, upgrading: Upgrading | None = None) -> str:
    """Make the collections and indexes that are missing; several processes may do so at once. Return the epoch (epoch.py).

    `upgrading(version)` is awaited before a database of an older version becomes one of this, and again when it has, from when on no
    older program opens it any more; what it raises leaves the database as it was, but for indexes.

    Raises:
        NewerSchema: a newer Parlour made the database.
        Unavailable: it cannot be reached.
    """
    found = await engine.find(META, {"_id": "schema"})
    if found and found[0]["version"] > VERSION:
        raise NewerSchema(f"the room log has version {found[0]['version']}; this program knows {VERSION}: upgrade it")
    older = int(found[0]["version"]) if found and found[0]["version"] < VERSION else None
    if older is not None and upgrading is not None:
        await upgrading(older)
    for name, indexes in INDEXES.items():
        await engine.create_indexes(name, indexes)
    if not found or older is not None:
        stamp = UpdateOne(
            {"_id": "schema"}, {"$set": {"version": VERSION}, "$setOnInsert": {"epoch": uuid4()}}, upsert=True
        )
        await engine.update(META, [stamp])
        found = await engine.find(META, {"_id": "schema"})
    if older is not None and upgrading is not None:
        try:
            await upgrading(older)
        except BaseException:
            await engine.update(META, [UpdateOne({"_id": "schema"}, {"$set": {"version": older}})])
            raise
    return str(found[0]["epoch"])
