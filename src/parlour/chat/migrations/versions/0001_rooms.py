"""Rooms, members, drafts and the outbox of the room log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", _text(36), primary_key=True),
        sa.Column("name", _text(80), nullable=False),
        sa.Column("name_key", _text(240), nullable=False),
        sa.Column("topic", _text(500), nullable=False),
        sa.Column("topic_key", _text(1500), nullable=False),
        sa.Column("kind", _text(16), nullable=False),
        sa.Column("created_by", _text(36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("member_count", sa.Integer(), nullable=False),
        sa.Column("direct_key", _text(73)),
        sa.UniqueConstraint("direct_key", name="uq_rooms_direct_key"),
    )
    op.create_index("ix_rooms_kind_name", "rooms", ["kind", "name_key", "id"])
    op.create_table(
        "room_members",
        sa.Column("room_id", _text(36), sa.ForeignKey("rooms.id"), primary_key=True),
        sa.Column("user_id", _text(36), primary_key=True),
        sa.Column("role", _text(16), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("read_seq", sa.BigInteger(), nullable=False),
        sa.Column("notify", _text(16), nullable=False),
        sa.Column("invited", sa.Boolean(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_room_members_user_id", "room_members", ["user_id"])
    op.create_table(
        "room_removals",
        sa.Column("room_id", _text(36), sa.ForeignKey("rooms.id"), primary_key=True),
        sa.Column("user_id", _text(36), primary_key=True),
        sa.Column("removed_by", _text(36), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "drafts",
        sa.Column("user_id", _text(36), primary_key=True),
        sa.Column("room_id", _text(36), sa.ForeignKey("rooms.id"), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "room_outbox",
        sa.Column(
            "position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("id", _text(36), nullable=False),
        sa.Column("room_id", _text(36), nullable=False),
        sa.Column("type", _text(32), nullable=False),
        sa.Column("sender_id", _text(36), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("set_aside", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("id", name="uq_room_outbox_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    for table in ("room_outbox", "drafts", "room_removals", "room_members", "rooms"):
        op.drop_table(table)
