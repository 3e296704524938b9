"""Accounts, sessions, refresh tokens, devices, failed logins and signing keys."""

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
        "users",
        sa.Column("id", _text(36), primary_key=True),
        sa.Column("username", _text(64), nullable=False),
        sa.Column("username_key", _text(192), nullable=False),
        sa.Column("display_name", _text(128), nullable=False),
        sa.Column("display_key", _text(128), nullable=False),
        sa.Column("email", _text(254), nullable=False),
        sa.Column("email_key", _text(512), nullable=False),
        sa.Column("role", _text(16), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("password_hash", _text(256), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("username_key", name="uq_users_username_key"),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
    )
    op.create_index("ix_users_display_key", "users", ["display_key"])
    op.create_index("ix_users_updated_at", "users", ["updated_at"])
    op.create_table(
        "sessions",
        sa.Column("id", _text(36), primary_key=True),
        sa.Column("user_id", _text(36), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("device", _text(64), nullable=False),
        sa.Column("address", _text(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("access_until", sa.BigInteger(), nullable=False),
        sa.Column("family_key", sa.LargeBinary(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("reason", _text(32)),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_revoked_at", "sessions", ["revoked_at"])
    op.create_index("ix_sessions_last_used_at", "sessions", ["last_used_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("session_id", _text(36), sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("spent_at", sa.BigInteger()),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])
    op.create_table(
        "devices",
        sa.Column("token_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("user_id", _text(36), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_devices_user_id", "devices", ["user_id"])
    op.create_index("ix_devices_used_at", "devices", ["used_at"])
    op.create_table(
        "login_failures",
        sa.Column("key", _text(128), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_login_failures_last_at", "login_failures", ["last_at"])
    op.create_table(
        "signing_keys",
        sa.Column("kid", _text(64), primary_key=True),
        sa.Column("private_jwk", _text(512), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("signs_from", sa.BigInteger(), nullable=False),
        sa.Column("long_tokens_until", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    for table in ("signing_keys", "login_failures", "devices", "refresh_tokens", "sessions", "users"):
        op.drop_table(table)
