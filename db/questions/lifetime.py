"""How is an entity mentioned from the first time to the last, in periods that suit how long that is?"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from db.filters import Filter
from db.periods import HOUR, number_of, start_of
from db.questions.timeline import By, Period, timeline

_BY: tuple[tuple[timedelta, By], ...] = ((timedelta(days=4), "hour"), (timedelta(days=180), "day"))


def suitable(first: datetime | None, last: datetime | None) -> By:
    """Return the periods in which to count what lasts from the first to the last moment."""
    lasted = last - first if first and last else timedelta()
    return next((by for most, by in _BY if lasted <= most), "week")


def lifetime(
    session: Session, chosen: Filter, entity_id: int, by: By, first: datetime | None, last: datetime | None
) -> list[Period]:
    """Return the timeline of an entity from its first mention to its last, whose times are known.

    Empty where they have none. Raises QueryError if there are more than 100,000 periods of tweets.
    """
    if first is None or last is None:
        return []
    if by == "hour":  # of the years around a short story there would be too many
        since, until = start_of(number_of(first, HOUR), HOUR), start_of(number_of(last, HOUR) + 1, HOUR)
        chosen = replace(chosen, since=max(chosen.since or since, since), until=min(chosen.until or until, until))
    found = timeline(session, chosen, by, entity_id)
    busy = [index for index, one in enumerate(found) if one.mentions]
    return found[busy[0] : busy[-1] + 1] if busy else []
