"""Messages as they are searched, and how far each room is indexed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _uuid() -> sa.Uuid[str]:
    return sa.Uuid(as_uuid=False)


def upgrade() -> None:
    op.create_table(
        "search_messages",
        sa.Column("room_id", _uuid(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True),
        sa.Column("message_id", _uuid(), nullable=False),
        sa.Column("sender_id", _uuid(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("words", TSVECTOR(), nullable=False),
        sa.Column("has_link", sa.Boolean(), nullable=False),
        sa.Column("has_mention", sa.Boolean(), nullable=False),
        sa.Column("has_reaction", sa.Boolean(), nullable=False),
        sa.Column("has_pin", sa.Boolean(), nullable=False),
        postgresql_with={"fillfactor": 90},
    )
    op.create_index("ix_search_messages_at", "search_messages", ["at", "seq", "room_id"])
    op.create_index(
        "ix_search_messages_words",
        "search_messages",
        ["words"],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 1024},
    )
    # The planner knows the commonest 10,000 words, so that it sees which walk is short.
    op.execute("ALTER TABLE search_messages ALTER COLUMN words SET STATISTICS 1000")
    op.create_table(
        "search_indexed",
        sa.Column("room_id", _uuid(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("search_indexed")
    op.drop_table("search_messages")
