"""What survives a restart: SQLAlchemy Core behind Protocols."""
