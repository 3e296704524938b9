"""Spreading the room log over the shards of a cluster: once, by an operator."""

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from parlour.chat.adapters.mongodb_log.engine import Document, Engine
from parlour.chat.adapters.mongodb_log.schema import migrate, shard_commands


class NotSharded(Exception):
    """The server is no mongos, or refuses; the message has what it answered."""


def commands_of(url: str) -> list[Document]:
    """Return the commands for the database that a URL names.

    Raises:
        ValueError: the URL is none of MongoDB's.
    """
    try:
        return shard_commands(parse_uri(url)["database"] or "parlour")
    except PyMongoError as error:
        raise ValueError(f"this is no URL of MongoDB: {error}") from error


async def spread(url: str) -> None:
    """Run them on the mongos that a URL names, once the collections are there.

    Raises:
        NotSharded: it is none, or one of them is refused; those before it are done, and may be repeated.
        Unavailable: it does not answer.
    """
    engine = Engine(url)
    try:
        said = await engine.admin({"hello": 1})
        if said.get("msg") != "isdbgrid":
            kind = f"a member of the replica set {said['setName']}" if "setName" in said else "a server by itself"
            raise NotSharded(
                f"this is no mongos but {kind} (its hello has no msg: isdbgrid), and has no shards; name a mongos"
            )
        await migrate(engine)
        for command in commands_of(url):
            answer = await engine.admin(command)
            if not answer.get("ok"):
                raise NotSharded(
                    f"{next(iter(command))} is refused: {answer.get('errmsg', answer)} (code {answer.get('code')})"
                )
    finally:
        await engine.close()
