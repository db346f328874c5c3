"""Times, as a user writes and reads them."""

import re
from datetime import UTC, datetime, timedelta

from tagging.errors import ConfigError, QueryError

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_moment(text: str, newest: datetime | None) -> datetime:
    """Read "2024-03-05", "2024-03-05T14:00", or "7d", "12h", "2w" back from the newest tweet, so that an old corpus
    answers too. A time without an offset is UTC. Raises QueryError for anything else.

    >>> parse_moment("7d", datetime(2012, 1, 31, tzinfo=UTC)).isoformat()
    '2012-01-24T00:00:00+00:00'
    """
    relative = re.fullmatch(r"(\d{1,5})([hdw])", text.strip())
    if relative:
        if newest is None:
            raise QueryError(f"{text!r} counts back from the newest tweet, and no stored tweet has a time; give a date")
        return _back(newest, timedelta(**{_UNITS[relative[2]]: int(relative[1])}))
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise QueryError(f"{text!r} is not a time; write 2024-03-05, 2024-03-05T14:00, 7d, 12h or 2w") from None
    return moment


def _back(newest: datetime, length: timedelta) -> datetime:
    try:
        return newest - length
    except OverflowError:  # a tweet may be of any year
        return datetime.min.replace(tzinfo=UTC)


def parse_duration(text: str) -> float:
    """Read a length of time in seconds. Raises ConfigError for anything else.

    >>> parse_duration("1.5h"), parse_duration("30m")
    (5400.0, 1800.0)
    """
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])", text.strip())
    if not found:
        raise ConfigError(f"{text!r} is not a length of time; write 90s, 30m, 2h or 1d")
    return float(found[1]) * _SECONDS[found[2]]


def moment_text(seconds: float) -> str:
    """Write seconds since 1970 as a time in UTC.

    >>> moment_text(1_767_323_045.6)
    '2026-01-02 03:04:05'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
