"""Engines and sessions: the one place that knows how SQLite and PostgreSQL are opened.

Reads and writes have sessions of their own: on SQLite a read that turns into a write fails at once, whatever the busy
timeout, so a write session takes the write lock when it begins.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session
from tenacity import retry, retry_if_exception_message, stop_after_delay, wait_fixed

from db.upgrade import prepare, upgrade
from tagging.errors import DatabaseError

_PATIENCE = 30  # seconds that a write waits for SQLite's lock
# Opened when they are needed: one for each of the explorer's threads, or small pages would queue behind large ones.
_POOL = {"pool_size": 20, "max_overflow": 20}


class Database:
    """An opened database. `read_session` never writes; `write_session` commits at its end, or rolls back."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(begin="BEGIN IMMEDIATE")

    @contextmanager
    def read_session(self) -> Iterator[Session]:
        """Open a session for reading; it is rolled back at its end."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def write_session(self) -> Iterator[Session]:
        """Open a session for writing; it commits at its end, and rolls back if an exception leaves it."""
        with Session(self._writing) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open a database, creating the tables in an empty one.

    Raises DatabaseError if it cannot be reached or is on another revision than the code; the message never shows the
    password.
    """
    engine = create_database_engine(url)
    with _closed_on_error(engine):
        prepare(engine)
    return Database(engine)


def upgrade_database(url: str) -> str:
    """Run the migrations that are missing and return the revision. Raises DatabaseError as `open_database` does."""
    engine = create_database_engine(url)
    with _closed_on_error(engine):
        revision = upgrade(engine)
    engine.dispose()
    return revision


def create_database_engine(url: str) -> Engine:
    """Create an engine with this project's connection settings; nothing is opened yet."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseError(
            "TWEETSPAN_DATABASE_URL cannot be read as a URL; write sqlite:///FILE or postgresql://..."
        ) from None
    if "@" in (parsed.host or ""):  # the rest would be shown as a host
        raise DatabaseError("the password in TWEETSPAN_DATABASE_URL holds a bare '@'; write it as %40")
    return _sqlite_engine(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql_engine(parsed)


@contextmanager
def _closed_on_error(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        engine.dispose()
        raise DatabaseError(
            f"cannot open {_shown(engine.url)}: {reason(error)}; check TWEETSPAN_DATABASE_URL"
        ) from None
    except DatabaseError:
        engine.dispose()
        raise


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise DatabaseError("TWEETSPAN_DATABASE_URL names no file, and memory is not shared; write sqlite:///FILE")
    _make_folder(Path(url.database).parent)
    engine = create_engine(url, **_POOL, connect_args={"timeout": _PATIENCE}, hide_parameters=True)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"cannot make the folder {folder}: {error.strerror}; check TWEETSPAN_DATABASE_URL"
        ) from error


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, below
    _use_write_ahead_log(connection)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


@retry(
    retry=retry_if_exception_message(match=".*is locked"),  # SQLite does not wait here, where two create a file at once
    stop=stop_after_delay(_PATIENCE),
    wait=wait_fixed(0.05),
    reraise=True,
)
def _use_write_ahead_log(connection: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _postgresql_engine(url: URL) -> Engine:
    return create_engine(
        url,
        **_POOL,
        pool_pre_ping=True,
        hide_parameters=True,  # a traceback must not quote tweets
        connect_args={
            "connect_timeout": 10,
            "tcp_user_timeout": 20_000,  # ms: a dead peer is noticed within the lease
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            # A hung process must not hold its locks; who waits for them waits longer than that, and not for ever.
            "options": "-c idle_in_transaction_session_timeout=25s -c lock_timeout=40s",
        },
    )


def _shown(url: URL) -> str:
    """Name a database without user, password or parameters: a secret may stand in any of them."""
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()}://{url.host or ''}{port}/{url.database}"


def reason(error: Exception) -> str:
    """Say in one line what an error is about; of a database's without the statement and its parameters."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
