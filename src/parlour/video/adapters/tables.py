"""The table of calls, as video's migrations leave it."""

import sqlalchemy as sa

metadata = sa.MetaData()

calls = sa.Table(
    "live_calls",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("state", sa.Text(), nullable=False),  # JSON of model.Call
)
