"""The database's clock, so that workers with skewed clocks agree on leases. Tests replace `now`."""

from typing import Any

from sqlalchemy import ColumnElement, Double, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement


class _Now(FunctionElement[float]):
    """Seconds since 1970 by the clock of the database server, running on within a transaction."""

    type = Double()
    inherit_cache = True


@compiles(_Now, "sqlite")
def _sqlite_now(element: _Now, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(_Now, "postgresql")
def _postgresql_now(element: _Now, compiler: Any, **options: Any) -> str:
    return "extract(epoch FROM clock_timestamp())::double precision"


def read(session: Session) -> float:
    """Ask the database for the time now, in seconds since 1970 (UTC)."""
    return session.scalars(select(now())).one()


def now() -> ColumnElement[float]:
    """Return the SQL expression for the time now, in seconds since 1970 (UTC)."""
    return _Now()
