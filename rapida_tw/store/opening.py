"""The database of a server that starts: with all its tables, or the reason why not."""

from __future__ import annotations

from typing import Any

from rapida_tw.config.load import ConfigError
from rapida_tw.store.database import Database
from rapida_tw.store.engine import DatabaseUnusable


def open_database(url: str, reactor: Any) -> Database:
    """Blocks; one that cannot be used is a mistake of the configuration to report."""
    try:
        database = Database(url, reactor)
        database.migrate()
    except DatabaseUnusable as error:
        raise ConfigError([f"database.url: {error}"]) from error
    return database
