"""Bring a database to the code's revision: the Alembic history under db/migrations, in this process."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from tagging.errors import DatabaseError

_LOCK = 7_303_117_921  # any number: PostgreSQL's advisory lock of tweetspan's migrations
_PATIENCE = 10  # seconds for a table's lock: workers queue up behind us meanwhile, and wait for 40 themselves
_LOCK_NOT_AVAILABLE = "55P03"


def prepare(engine: Engine) -> None:
    """Create the tables in an empty database; accept one on the code's revision.

    Raises DatabaseError for any other revision: an upgrade is asked for, not slipped in.
    """
    with engine.connect() as connection:
        has_tables = bool(inspect(connection).get_table_names())  # first: another process may create them now
        found = _revision(connection)
    wanted = head()
    if found is None and not has_tables:
        upgrade(engine)
    elif found != wanted:
        what = "update tweetspan here" if _is_newer(found) else "run `tweetspan db upgrade`"
        raise DatabaseError(f"the database is on revision {found or 'none'}, this code needs {wanted}; {what}")


def upgrade(engine: Engine) -> str:
    """Run the migrations that are missing and return the revision. Two at once wait for each other."""
    with engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:  # a rebuilt parent table would empty its children
            _set_foreign_keys(connection, "OFF")
        with connection.begin():
            if not sqlite:
                connection.execute(text("SET LOCAL lock_timeout = 0"))  # another upgrade may take long
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                patience = text("SELECT set_config('lock_timeout', :patience, true)")
                connection.execute(patience, {"patience": f"{_PATIENCE}s"})
            _migrate(connection)
        if sqlite:
            _set_foreign_keys(connection, "ON")
    return head()


def head() -> str:
    """Return the newest revision of the code."""
    revision = _history().get_current_head()
    assert revision is not None
    return revision


def _migrate(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseError(f"the database is newer than this code ({error}); update tweetspan here") from error
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise DatabaseError(
            "a long question or export holds a table that must change; end it, or try later: nothing was changed"
        ) from error


def _set_foreign_keys(connection: Connection, state: str) -> None:
    driver = connection.connection.driver_connection  # SQLite heeds this pragma only outside a transaction
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys = {state}")


def _is_newer(revision: str | None) -> bool:
    return revision is not None and revision not in {one.revision for one in _history().walk_revisions()}


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _history() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
