"""The room log on MongoDB, for a cluster."""

from parlour.chat.adapters.mongodb_log.log import MongoRoomLog
from parlour.chat.adapters.mongodb_log.schema import VERSION, shard_commands

__all__ = ["VERSION", "MongoRoomLog", "shard_commands"]
