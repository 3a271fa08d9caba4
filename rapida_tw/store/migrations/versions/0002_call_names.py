"""The names under which carriers know a conversation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "call_name",
        sa.Column("carrier", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column(
            "conversation_id",
            sa.BigInteger(),
            sa.ForeignKey("conversation.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("created", sa.Double(), nullable=False),
    )
    # For the end of a conversation, which takes its names along.
    op.create_index("ix_call_name_conversation_id", "call_name", ["conversation_id"])
