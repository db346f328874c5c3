"""Hours and days as whole numbers since 1970 began, in UTC: in Python, and in the SQL of both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Text, cast, func
from sqlalchemy.orm import Session

from db.bulk import dialect

UNDATED = 2**31 - 2  # stands for the time of a tweet that has none
HOUR, DAY = 3600, 86400  # seconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_BEFORE = 10**6  # days, so that whole-number division rounds down before 1970, too


def number_of(moment: datetime, seconds: int) -> int:
    """Return the number of the hour, the day or another period of so many seconds in which a moment lies."""
    return (moment - _EPOCH) // timedelta(seconds=seconds)


def start_of(number: int, seconds: int) -> datetime:
    """Return when a period begins."""
    return _EPOCH + timedelta(seconds=number * seconds)


def is_whole(moment: datetime | None, seconds: int) -> bool:
    """Tell whether a moment is the start of a period; None, no bound at all, is."""
    return moment is None or (moment - _EPOCH) % timedelta(seconds=seconds) == timedelta()


def number_in_sql(session: Session, moment: Any, seconds: int) -> ColumnElement[int]:
    """Return the SQL for the number of the period in which a tweet's time lies, UNDATED if it has none."""
    if dialect(session) == "postgresql":
        elapsed: ColumnElement[int] = cast(func.floor(func.extract("epoch", moment)), BigInteger)
    else:
        whole = func.substr(cast(moment, Text), 1, 19)  # SQLite would round the last half millisecond of a second up
        elapsed = cast(func.strftime("%s", whole), Integer)
    before = _LONG_BEFORE * DAY
    return func.coalesce(cast((elapsed + before) // seconds - before // seconds, Integer), UNDATED)
