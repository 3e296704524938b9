"""The room log on MongoDB, for a cluster."""

from parlour.chat.adapters.mongodb_log.log import MongoRoomLog
from parlour.chat.adapters.mongodb_log.schema import shard_commands

__all__ = ["MongoRoomLog", "shard_commands"]
