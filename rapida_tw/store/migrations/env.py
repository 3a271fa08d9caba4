"""What Alembic runs to reach a database: it is always given an open connection."""

from __future__ import annotations

from alembic import context

from rapida_tw.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter a column: later steps copy the table instead.
    render_as_batch=True,
)
# The transaction is the caller's: a step that fails leaves the database as it was.
with context.begin_transaction():
    context.run_migrations()
