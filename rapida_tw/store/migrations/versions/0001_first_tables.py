"""The first tables, and the salt of this installation's API keys.

A step stands for itself: it never looks at `schema.py`, which goes on changing.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False)


def _project_id() -> sa.Column[int]:
    return sa.Column("project_id", sa.BigInteger(), sa.ForeignKey("project.id"), nullable=False)


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _seconds(name: str, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=nullable)


def upgrade() -> None:
    _owners()
    _assistants()
    _history()


def _owners() -> None:
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        _bytes("key_salt"),
    )
    op.bulk_insert(installation, [{"id": 1, "key_salt": secrets.token_bytes(32)}])
    op.create_table("project", _id(), _text("name"), _seconds("created"))
    op.create_table(
        "api_key",
        _id(),
        _project_id(),
        _text("name"),
        _text("prefix"),
        _bytes("hash"),
        _text("sip_ha1_md5", nullable=True),
        _text("sip_ha1_sha256", nullable=True),
        _seconds("created"),
        _seconds("revoked", nullable=True),
        _seconds("last_used", nullable=True),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("ix_api_key_project_id_id", "api_key", ["project_id", "id"])
    op.create_table(
        "credential",
        _id(),
        _project_id(),
        _text("name"),
        _text("provider"),
        _bytes("wrapped_key"),
        _bytes("nonce"),
        _bytes("ciphertext"),
        _json("keys_set"),
        _seconds("created"),
        _seconds("updated"),
        _seconds("last_used", nullable=True),
    )
    op.create_index("ix_credential_project_id_id", "credential", ["project_id", "id"])


def _assistants() -> None:
    op.create_table(
        "assistant",
        _id(),
        _project_id(),
        _text("name"),
        _text("description"),
        _json("model"),
        _json("prompt"),
        _json("tools"),
        _json("webhooks"),
        _seconds("created"),
        _seconds("updated"),
    )
    op.create_index("ix_assistant_project_id_id", "assistant", ["project_id", "id"])
    op.create_table(
        "deployment",
        sa.Column(
            "assistant_id",
            sa.BigInteger(),
            sa.ForeignKey("assistant.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        _text("provider"),
        sa.Column("credential_id", sa.BigInteger()),
        _json("options"),
        _text("greeting"),
        _flag("greeting_interruptible"),
        _text("error_message"),
        _seconds("idle_timeout"),
        _text("idle_message"),
        _count("idle_timeout_retries"),
        _seconds("max_call_duration"),
        _json("stt"),
        _json("tts"),
        _json("vad"),
        _json("end_of_speech"),
        _flag("recording"),
        _seconds("updated"),
    )


def _history() -> None:
    op.create_table(
        "conversation",
        _id(),
        _project_id(),
        sa.Column("assistant_id", sa.BigInteger(), nullable=False),
        _text("identifier"),
        _text("source"),
        _text("direction"),
        _text("carrier"),
        _text("status"),
        _text("end_reason"),
        _text("node"),
        _seconds("created"),
        _seconds("updated"),
        _seconds("duration", nullable=True),
    )
    for columns in (
        ["project_id", "created", "id"],
        ["project_id", "assistant_id", "created", "id"],
        ["node", "status"],
    ):
        op.create_index(f"ix_conversation_{'_'.join(columns)}", "conversation", columns)
    op.create_table(
        "entry",
        sa.Column("id", _SERIAL, primary_key=True),
        sa.Column(
            "conversation_id",
            sa.BigInteger(),
            sa.ForeignKey("conversation.id", ondelete="CASCADE"),
            nullable=False,
        ),
        _text("kind"),
        _text("name"),
        _text("value"),
        _json("data"),
        _seconds("at"),
    )
    op.create_index("ix_entry_conversation_id_at_id", "entry", ["conversation_id", "at", "id"])
