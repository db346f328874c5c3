"""Open what the settings name, for the time of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from settings import Settings, read_settings
from tagging.errors import DatabaseError, SettingsError

if TYPE_CHECKING:
    from db.session import Database


@contextmanager
def opened() -> Iterator[tuple[Settings, Database]]:
    """Read the settings and open the database, which is created if it is empty."""
    from sqlalchemy.exc import DBAPIError

    from db.session import open_database, reason

    settings = settings_with_home()
    database = open_database(settings.database_url)
    try:
        yield settings, database
    except DBAPIError as error:
        raise DatabaseError(f"the database failed: {reason(error)}; see whether it runs, and try again") from error
    finally:
        database.close()


def settings_with_home() -> Settings:
    """Read the settings and make the home. Raises SettingsError if that cannot be."""
    settings = read_settings()
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"cannot use {settings.home}: {error.strerror}; set TWEETSPAN_HOME to another folder"
        ) from error
    return settings
