"""The steps from one schema to the next, walked by Alembic (`Database.migrate`)."""
