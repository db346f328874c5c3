"""Run migrations on the connection that `db.upgrade` passes in."""

from alembic import context

from db import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.Tweet.metadata,
    render_as_batch=True,  # SQLite cannot alter a table in place
)
context.run_migrations()
