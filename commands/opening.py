"""Open what the settings name, for the time of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from settings import Settings, read_settings

if TYPE_CHECKING:
    from db.session import Database


@contextmanager
def opened() -> Iterator[tuple[Settings, Database]]:
    """Read the settings and open the database, which is created if it is empty."""
    from db.session import open_database

    settings = read_settings()
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = open_database(settings.database_url)
    try:
        yield settings, database
    finally:
        database.close()
