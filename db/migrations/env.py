"""Run migrations on the connection that `db.upgrade` passes in."""

from alembic import context

from db import tables


def include_object(_: object, name: str | None, *rest: object) -> bool:
    """Leave full text's index out of comparisons on SQLite: FTS5 and triggers, which only a migration makes."""
    is_index = str(name).startswith(("tweet_words_index", "ix_tweet_words_words"))
    return not (is_index and context.get_context().dialect.name == "sqlite")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.Tweet.metadata,
    include_object=include_object,
    render_as_batch=True,  # SQLite cannot alter a table in place
)
context.run_migrations()
