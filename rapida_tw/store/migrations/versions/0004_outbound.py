"""Calls that are placed: scopes of keys, idempotency, webhooks' queue, campaigns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False)


def _of(name: str, table: str, **options: object) -> sa.Column[int]:
    key = sa.ForeignKey(f"{table}.id", **options)  # type: ignore[arg-type]
    return sa.Column(name, sa.BigInteger(), key, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _time(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _whole(name: str, kind: type[sa.Integer] = sa.Integer) -> sa.Column[int]:
    return sa.Column(name, kind(), nullable=False)


def upgrade() -> None:
    op.add_column("api_key", sa.Column("scopes", sa.JSON(), nullable=True))
    op.create_table(
        "placement",
        sa.Column(
            "conversation_id",
            sa.BigInteger(),
            sa.ForeignKey("conversation.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        _of("project_id", "project"),
        _whole("key_id", sa.BigInteger),
        sa.Column("idempotency_key", sa.Text()),
        _text("digest"),
        _time("created"),
        sa.UniqueConstraint("project_id", "idempotency_key"),
    )
    op.create_index("ix_placement_key_id_created", "placement", ["key_id", "created"])
    _webhooks()
    _campaigns()


def _webhooks() -> None:
    op.create_table(
        "delivery",
        _id(),
        _of("project_id", "project"),
        _whole("assistant_id", sa.BigInteger),
        _whole("conversation_id", sa.BigInteger),
        _text("event_id"),
        _text("event"),
        _text("url"),
        _text("host"),
        _json("webhook"),
        _json("body"),
        _text("state"),
        _text("node"),
        _whole("attempts"),
        _time("due"),
        _time("created"),
        _time("updated"),
    )
    op.create_index("ix_delivery_state_due", "delivery", ["state", "due"])
    op.create_index(
        "ix_delivery_project_id_created_id", "delivery", ["project_id", "created", "id"]
    )
    op.create_index("ix_delivery_conversation_id", "delivery", ["conversation_id"])
    op.create_table(
        "delivery_attempt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        _of("delivery_id", "delivery", ondelete="CASCADE"),
        _time("at"),
        _whole("status"),
        _text("error"),
        _time("seconds"),
        _text("response"),
    )
    op.create_index("ix_delivery_attempt_delivery_id_at", "delivery_attempt", ["delivery_id", "at"])


def _campaigns() -> None:
    op.create_table(
        "campaign",
        _id(),
        _of("project_id", "project"),
        _whole("assistant_id", sa.BigInteger),
        _text("name"),
        _text("kind"),
        _text("state"),
        _text("node"),
        _time("lease"),
        _json("settings"),
        _whole("key_id", sa.BigInteger),
        sa.Column("idempotency_key", sa.Text()),
        _text("digest"),
        _time("created"),
        _time("updated"),
        sa.UniqueConstraint("project_id", "idempotency_key"),
    )
    op.create_index(
        "ix_campaign_project_id_created_id", "campaign", ["project_id", "created", "id"]
    )
    op.create_index("ix_campaign_state", "campaign", ["state"])
    op.create_table(
        "campaign_entry",
        _id(),
        _of("campaign_id", "campaign", ondelete="CASCADE"),
        _json("request"),
        _text("state"),
        _whole("attempts"),
        _time("due"),
        sa.Column("conversation_id", sa.BigInteger()),
        _text("outcome"),
        _text("node"),
        _time("updated"),
    )
    for columns in (["campaign_id", "state", "due"], ["node", "state"], ["conversation_id"]):
        op.create_index(f"ix_campaign_entry_{'_'.join(columns)}", "campaign_entry", columns)
