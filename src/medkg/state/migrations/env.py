"""Runs the migrations on the connection, and in the transaction, of :mod:`medkg.state.database`."""

from alembic import context

from medkg.state.glance import VERSION_TABLE
from medkg.state.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    # SQLite changes a column by copying its table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
