"""Brings a database's tables to what this program needs, by Alembic, in one transaction."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from rapida_tw.store.engine import DatabaseUnusable

_LOCK = 0x72_61_70_69_64_61  # "rapida": the advisory lock of whoever migrates


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's settings, found inside the installed package: there is no alembic.ini."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "rapida_tw.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection, name: str) -> None:
    """Walk all missing steps; `DatabaseUnusable` when the schema is newer than this program.

    Workers that start together wait for each other. `name` is how messages call the database.
    """
    config = configuration(connection)
    scripts = ScriptDirectory.from_config(config)
    with connection.begin():
        if connection.dialect.name == "postgresql":
            # A step may take long; whoever waits for it (or for a reader) gives up after a minute.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        current = set(MigrationContext.configure(connection).get_current_heads())
        unknown = current - {script.revision for script in scripts.walk_revisions()}
        if unknown:
            raise DatabaseUnusable(
                f"{name} was made by a newer rapida_tw (schema {', '.join(sorted(unknown))}); "
                f"this one knows {', '.join(scripts.get_heads())}: install the newer one"
            )
        if current != set(scripts.get_heads()):
            command.upgrade(config, "head")
