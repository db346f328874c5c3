"""A limit on how long a session's statements may take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tagging.errors import TooSlowError

_STEPS = 10_000  # of SQLite's machine between two looks at the clock: some milliseconds
_BROKEN_OFF = "57014"  # PostgreSQL's query_canceled


@contextmanager
def limited(session: Session, seconds: float) -> Iterator[None]:
    """Break off what takes longer: each statement on PostgreSQL, all of them together on SQLite.

    Raises TooSlowError in place of the driver's error.
    """
    try:
        if session.get_bind().dialect.name == "sqlite":
            with _watched(session.connection().connection.driver_connection, time.monotonic() + seconds):
                yield
        else:
            milliseconds = text("SELECT set_config('statement_timeout', :milliseconds, true)")  # of this transaction
            session.execute(milliseconds, {"milliseconds": str(round(seconds * 1000))})
            yield
    except DBAPIError as error:
        if not _is_break_off(error):
            raise
        raise TooSlowError(
            f"the answer takes more than {seconds:g} s; ask for a shorter time or fewer tweets, or use the command line"
        ) from error


@contextmanager
def _watched(connection: Any, end: float) -> Iterator[None]:
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, _STEPS)


def _is_break_off(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == _BROKEN_OFF or str(error.orig) == "interrupted"
