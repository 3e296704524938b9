"""The tables of auth, as its migrations leave them."""

import sqlalchemy as sa

metadata = sa.MetaData()


def _text(length: int) -> sa.String:
    # Keys are compared by code point on every engine: SQLite does, PostgreSQL with collation "C".
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


users = sa.Table(
    "users",
    metadata,
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
    sa.Index("ix_users_display_key", "display_key"),
    sa.Index("ix_users_updated_at", "updated_at"),
)

sessions = sa.Table(
    "sessions",
    metadata,
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
    sa.Index("ix_sessions_user_id", "user_id"),
    sa.Index("ix_sessions_revoked_at", "revoked_at"),
    sa.Index("ix_sessions_last_used_at", "last_used_at"),
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("token_hash", sa.LargeBinary(), primary_key=True),
    sa.Column("session_id", _text(36), sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("issued_at", sa.BigInteger(), nullable=False),
    sa.Column("spent_at", sa.BigInteger()),
    sa.Index("ix_refresh_tokens_session_id", "session_id"),
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("token_hash", sa.LargeBinary(), primary_key=True),
    sa.Column("user_id", _text(36), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("used_at", sa.BigInteger(), nullable=False),
    sa.Index("ix_devices_user_id", "user_id"),
    sa.Index("ix_devices_used_at", "used_at"),
)

login_failures = sa.Table(
    "login_failures",
    metadata,
    sa.Column("key", _text(128), primary_key=True),
    sa.Column("count", sa.Integer(), nullable=False),
    sa.Column("last_at", sa.BigInteger(), nullable=False),
    sa.Column("blocked_until", sa.BigInteger(), nullable=False),
    sa.Index("ix_login_failures_last_at", "last_at"),
)

signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", _text(64), primary_key=True),
    sa.Column("private_jwk", _text(512), nullable=False),
    sa.Column("created_at", sa.BigInteger(), nullable=False),
    sa.Column("signs_from", sa.BigInteger(), nullable=False),
    sa.Column("long_tokens_until", sa.BigInteger(), nullable=False),
)
