"""The tables of rooms, as chat's migrations leave them."""

import sqlalchemy as sa

metadata = sa.MetaData()


def _text(length: int) -> sa.String:
    # Compared by code point on every engine, so that pages have one order: SQLite does, PostgreSQL with collation "C".
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("id", _text(36), primary_key=True),
    sa.Column("name", _text(80), nullable=False),
    sa.Column("name_key", _text(240), nullable=False),  # case-folded: one character may become three
    sa.Column("topic", _text(500), nullable=False),
    sa.Column("topic_key", _text(1500), nullable=False),
    sa.Column("kind", _text(16), nullable=False),
    sa.Column("created_by", _text(36), nullable=False),
    sa.Column("created_at", sa.BigInteger(), nullable=False),
    sa.Column(
        "member_count", sa.Integer(), nullable=False
    ),  # changed with the members: counting them costs a big room ms
    sa.Column("direct_key", _text(73)),  # the two sorted user ids of a direct room, else NULL
    sa.UniqueConstraint("direct_key", name="uq_rooms_direct_key"),
    sa.Index("ix_rooms_kind_name", "kind", "name_key", "id"),
)

members = sa.Table(
    "room_members",
    metadata,
    sa.Column("room_id", _text(36), sa.ForeignKey("rooms.id"), primary_key=True),
    sa.Column("user_id", _text(36), primary_key=True),
    sa.Column("role", _text(16), nullable=False),
    sa.Column("joined_at", sa.BigInteger(), nullable=False),
    sa.Column("read_seq", sa.BigInteger(), nullable=False),
    sa.Column("notify", _text(16), nullable=False),
    sa.Column("invited", sa.Boolean(), nullable=False),
    sa.Index("ix_room_members_user_id", "user_id"),
    sqlite_with_rowid=False,  # the key is the table: a look-up reads one tree instead of two
)

removals = sa.Table(
    "room_removals",  # who was removed by somebody else, and may not come back by themself
    metadata,
    sa.Column("room_id", _text(36), sa.ForeignKey("rooms.id"), primary_key=True),
    sa.Column("user_id", _text(36), primary_key=True),
    sa.Column("removed_by", _text(36), nullable=False),
    sqlite_with_rowid=False,
)

drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("user_id", _text(36), primary_key=True),
    sa.Column("room_id", _text(36), sa.ForeignKey("rooms.id"), primary_key=True),
    sa.Column(
        "text", sa.Text(), nullable=False
    ),  # empty: removed, and an older save that comes late must not revive it
    sa.Column("at", sa.BigInteger(), nullable=False),
    sqlite_with_rowid=False,
)

outbox = sa.Table(
    "room_outbox",
    metadata,
    # AUTOINCREMENT: a position is never given twice, so that a relay's page is always what it was.
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", _text(36), nullable=False),
    sa.Column("room_id", _text(36), nullable=False),
    sa.Column("type", _text(32), nullable=False),
    sa.Column("sender_id", _text(36), nullable=False),
    sa.Column("data", sa.Text(), nullable=False),  # JSON
    sa.Column("set_aside", sa.Boolean(), nullable=False),  # the log refused it: kept to be looked at, never told
    sa.UniqueConstraint("id", name="uq_room_outbox_id"),
    sqlite_autoincrement=True,
)
