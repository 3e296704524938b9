"""The room log and its search on SQLite, for one machine."""

from parlour.chat.adapters.sqlite_log.log import SqliteRoomLog
from parlour.chat.adapters.sqlite_log.search import SqliteSearch

__all__ = ["SqliteRoomLog", "SqliteSearch"]
