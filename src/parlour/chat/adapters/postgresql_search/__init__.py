"""Full text on PostgreSQL, for the cluster: fed from committed events, made from the room log."""

from parlour.chat.adapters.postgresql_search.index import PostgresqlSearchIndex
from parlour.chat.adapters.postgresql_search.search import PostgresqlSearch

__all__ = ["SERVICE", "PostgresqlSearch", "PostgresqlSearchIndex"]

SERVICE = __name__
"""What `migrate` brings the tables of up to date, in whatever database they are: their history is not chat's."""
