"""The stores of auth in SQL, by SQLAlchemy Core: SQLite and PostgreSQL."""

from parlour.auth.adapters.sql.accounts import SqlAccountStore
from parlour.auth.adapters.sql.failures import SqlFailureStore
from parlour.auth.adapters.sql.keys import SqlKeyStore
from parlour.auth.adapters.sql.sessions import SqlSessionStore

__all__ = ["SqlAccountStore", "SqlFailureStore", "SqlKeyStore", "SqlSessionStore"]
