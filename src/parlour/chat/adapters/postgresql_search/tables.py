"""The tables of full text, as the migrations leave them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

metadata = sa.MetaData()


def _uuid() -> sa.Uuid[str]:
    return sa.Uuid(as_uuid=False)


messages = sa.Table(
    "search_messages",  # those that have words
    metadata,
    sa.Column("room_id", _uuid(), primary_key=True),
    sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("message_id", _uuid(), nullable=False),
    sa.Column("sender_id", _uuid(), nullable=False),
    sa.Column("at", sa.BigInteger(), nullable=False),
    sa.Column("version", sa.BigInteger(), nullable=False),  # the seq of the last event that made it what it is here
    sa.Column("text", sa.Text(), nullable=False),  # what candidates are ranked by
    sa.Column("words", TSVECTOR(), nullable=False),  # as vectors.py makes it
    # Apart from `words`, so that a reaction or a pin changes no index (HOT; the fillfactor leaves room for it).
    sa.Column("has_link", sa.Boolean(), nullable=False),
    sa.Column("has_mention", sa.Boolean(), nullable=False),
    sa.Column("has_reaction", sa.Boolean(), nullable=False),
    sa.Column("has_pin", sa.Boolean(), nullable=False),
    sa.Index("ix_search_messages_at", "at", "seq", "room_id"),  # the newest first, for what nearly every message has
    sa.Index(
        "ix_search_messages_words",
        "words",
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 1024},  # kB; every search reads what is pending
    ),
    postgresql_with={"fillfactor": 90},
)

indexed = sa.Table(
    "search_indexed",
    metadata,
    sa.Column("room_id", _uuid(), primary_key=True),
    # Every event up to this one is in `messages`; `EMPTYING`: what is there of the room is yet to be forgotten.
    sa.Column("seq", sa.BigInteger(), nullable=False),
)

EMPTYING = -1
"""A value of `search_indexed.seq`."""
