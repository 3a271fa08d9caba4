"""The tables, as SQLAlchemy Core knows them; `migrations/` makes them in a database.

All that is remembered of a conversation (messages, metrics, events, metadata, recordings) is in
one table, `entry`: the journal writes mixed batches, which are one INSERT this way, and history
reads a conversation's entries together in time order, which is one walk along one index.

Ids are chosen by `rapida_tw.ids`, times are seconds since the epoch (UTC).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Words(TypeDecorator[str]):
    """Text of any origin: what a database refuses (NUL, lone surrogates) is replaced on the way in.

    Callers' names and vendors' transcripts come from outside; one such character must not lose
    the batch it stands in.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        whole = value.encode("utf-8", "replace").decode("utf-8")
        return whole.replace("\x00", "\N{REPLACEMENT CHARACTER}")


# SQLite numbers rows by itself only where the type is spelled INTEGER.
_Serial = BigInteger().with_variant(Integer, "sqlite")


def _identity() -> Column[int]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _owner() -> Column[int]:
    return Column("project_id", BigInteger, ForeignKey("project.id"), nullable=False)


# One row, made by the first migration: what is secret of this installation's database.
installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key_salt", LargeBinary, nullable=False),
)

project = Table(
    "project",
    metadata,
    _identity(),
    Column("name", Words, nullable=False),
    Column("created", Double, nullable=False),
)

assistant = Table(
    "assistant",
    metadata,
    _identity(),
    _owner(),
    Column("name", Words, nullable=False),
    Column("description", Words, nullable=False),
    Column("model", JSON, nullable=False),
    Column("prompt", JSON, nullable=False),
    Column("tools", JSON, nullable=False),
    Column("webhooks", JSON, nullable=False),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Index(None, "project_id", "id"),
)

deployment = Table(
    "deployment",
    metadata,
    Column(
        "assistant_id",
        BigInteger,
        ForeignKey("assistant.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("provider", Words, nullable=False),
    Column("credential_id", BigInteger),  # may outlive its credential: set-up then says so
    Column("options", JSON, nullable=False),
    Column("greeting", Words, nullable=False),
    Column("greeting_interruptible", Boolean, nullable=False),
    Column("error_message", Words, nullable=False),
    Column("idle_timeout", Double, nullable=False),
    Column("idle_message", Words, nullable=False),
    Column("idle_timeout_retries", Integer, nullable=False),
    Column("max_call_duration", Double, nullable=False),
    Column("stt", JSON, nullable=False),
    Column("tts", JSON, nullable=False),
    Column("vad", JSON, nullable=False),
    Column("end_of_speech", JSON, nullable=False),
    Column("recording", Boolean, nullable=False),
    Column("updated", Double, nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    _identity(),
    _owner(),
    Column("name", Words, nullable=False),
    Column("prefix", Words, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("created", Double, nullable=False),
    Column("revoked", Double),
    Column("last_used", Double),
    # The text, for SIP digests (key_texts.py); none of keys that were not used since it is kept.
    Column("sealed", LargeBinary),
    Column("scopes", JSON),  # null: everything
    UniqueConstraint("hash"),
    Index(None, "project_id", "id"),
)

# For the vault: `ciphertext` is sealed with a data key, which is sealed with the server's key.
credential = Table(
    "credential",
    metadata,
    _identity(),
    _owner(),
    Column("name", Words, nullable=False),
    Column("provider", Words, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("keys_set", JSON, nullable=False),  # names only: all that may be shown
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("last_used", Double),
    Index(None, "project_id", "id"),
)

conversation = Table(
    "conversation",
    metadata,
    _identity(),
    _owner(),
    # No foreign key: history outlives the assistant.
    Column("assistant_id", BigInteger, nullable=False),
    Column("identifier", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("direction", Words, nullable=False),
    Column("carrier", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("end_reason", Words, nullable=False),
    Column("node", Words, nullable=False),  # the worker that the call is on
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("duration", Double),
    Index(None, "project_id", "created", "id"),
    Index(None, "project_id", "assistant_id", "created", "id"),
    Index(None, "node", "status"),
)

call_name = Table(
    "call_name",
    metadata,
    Column("carrier", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column(
        "conversation_id",
        BigInteger,
        ForeignKey("conversation.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("created", Double, nullable=False),
    Index(None, "conversation_id"),
)

# Calls that were placed by request: so that the same request dials once.
placement = Table(
    "placement",
    metadata,
    Column(
        "conversation_id",
        BigInteger,
        ForeignKey("conversation.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    _owner(),
    Column("key_id", BigInteger, nullable=False),  # of the API key; 0: none
    Column("idempotency_key", Words),
    Column("digest", Words, nullable=False),  # of the request
    Column("created", Double, nullable=False),
    UniqueConstraint("project_id", "idempotency_key"),
    Index(None, "key_id", "created"),
)

# What assistants' webhooks are told: a queue, and the log of each attempt.
delivery = Table(
    "delivery",
    metadata,
    _identity(),
    _owner(),
    Column("assistant_id", BigInteger, nullable=False),
    Column("conversation_id", BigInteger, nullable=False),
    Column("event_id", Words, nullable=False),  # the receiver's: equal in all attempts
    Column("event", Words, nullable=False),
    Column("url", Words, nullable=False),
    Column("host", Words, nullable=False),
    Column("webhook", JSON, nullable=False),  # how it goes there; no secret
    Column("body", JSON, nullable=False),
    Column("state", Words, nullable=False),  # waiting, sending, delivered, failed
    Column("node", Words, nullable=False),  # the worker that is sending it
    Column("attempts", Integer, nullable=False),
    Column("due", Double, nullable=False),  # of one that is being sent: when it is anybody's again
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Index(None, "state", "due"),
    Index(None, "project_id", "created", "id"),
    Index(None, "conversation_id"),
)

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column(
        "delivery_id", BigInteger, ForeignKey("delivery.id", ondelete="CASCADE"), nullable=False
    ),
    Column("at", Double, nullable=False),
    Column("status", Integer, nullable=False),  # HTTP; 0: no answer
    Column("error", Words, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("response", Words, nullable=False),  # its beginning
    Index(None, "delivery_id", "at"),
)

campaign = Table(
    "campaign",
    metadata,
    _identity(),
    _owner(),
    Column("assistant_id", BigInteger, nullable=False),
    Column("name", Words, nullable=False),
    Column("kind", Words, nullable=False),  # campaign, or bulk: a project's calls without one
    Column("state", Words, nullable=False),  # running, paused, finished, cancelled
    Column("node", Words, nullable=False),  # the worker that runs it ...
    Column("lease", Double, nullable=False),  # ... until then
    Column("settings", JSON, nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("idempotency_key", Words),
    Column("digest", Words, nullable=False),  # of the request that has made it
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    UniqueConstraint("project_id", "idempotency_key"),
    Index(None, "project_id", "created", "id"),
    Index(None, "state"),
)

campaign_entry = Table(
    "campaign_entry",
    metadata,
    _identity(),
    Column(
        "campaign_id", BigInteger, ForeignKey("campaign.id", ondelete="CASCADE"), nullable=False
    ),
    Column("request", JSON, nullable=False),  # number, caller, metadata, arguments, options
    Column("state", Words, nullable=False),  # waiting, dialling, calling, done, failed, unknown
    Column("attempts", Integer, nullable=False),
    Column("due", Double, nullable=False),
    Column("conversation_id", BigInteger),  # of the last attempt
    Column("outcome", Words, nullable=False),
    Column("node", Words, nullable=False),  # the worker that dials it
    Column("updated", Double, nullable=False),
    Index(None, "campaign_id", "state", "due"),
    Index(None, "node", "state"),
    Index(None, "conversation_id"),
)

entry = Table(
    "entry",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column(
        "conversation_id",
        BigInteger,
        ForeignKey("conversation.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("kind", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("value", Words, nullable=False),
    Column("data", JSON, nullable=False),
    Column("at", Double, nullable=False),
    Index(None, "conversation_id", "at", "id"),
)
