"""Alembic runs this file for each upgrade; the connection is the archive's own."""

from alembic import context

from tidewaiter.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
