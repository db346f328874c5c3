"""What was read and found within a filter's window: by the maintained counts, where it is of whole hours or days."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.counts import EVER
from db.filters import Filter, read_tweets
from db.periods import HOUR, UNDATED, is_whole, number_of, start_of
from db.tables import HourCount


def takes_whole(chosen: Filter, seconds: int) -> bool:
    """Tell whether a filter takes all tweets of whole hours, days or other periods."""
    whole = is_whole(chosen.since, seconds) and is_whole(chosen.until, seconds)
    return whole and at_any_time(chosen).takes_all_tweets


def at_any_time(chosen: Filter) -> Filter:
    """Return a filter without its window."""
    return replace(chosen, since=None, until=None)


def within(chosen: Filter, number: InstrumentedAttribute[int], seconds: int) -> list[ColumnElement[bool]]:
    """Return the SQL for the whole periods, by their numbers, of a filter's window; without one, also for UNDATED."""
    found: list[ColumnElement[bool]] = [number != EVER]
    if chosen.since is not None:
        found += [number >= number_of(chosen.since, seconds), number != UNDATED]
    if chosen.until is not None:
        found.append(number < number_of(chosen.until, seconds))
    return found


def tweets_read(session: Session, chosen: Filter) -> int:
    """Count the chosen tweets that the version has read."""
    if takes_whole(chosen, HOUR):
        return sum_of_hours(session, chosen)[0]
    counted: int = session.scalars(read_tweets(session, chosen, func.count())).one()
    return counted


def sum_of_hours(session: Session, chosen: Filter) -> tuple[int, int]:
    """Sum up the tweets read, and all mentions found in them, over the whole hours of a filter's window."""
    sums = select(func.coalesce(func.sum(HourCount.tweets), 0), func.coalesce(func.sum(HourCount.mentions), 0))
    counted = sums.where(HourCount.model_version_id == chosen.model_version_id)
    tweets, found = session.execute(counted.where(*within(chosen, HourCount.hour, HOUR))).one()
    return int(tweets), int(found)


def newest_hour(session: Session, model_version_id: int) -> datetime | None:
    """Return when the hour begins of the newest tweet that a version has read; None if none has a time."""
    mine = (HourCount.model_version_id == model_version_id, HourCount.hour != UNDATED)
    newest = session.scalar(select(func.max(HourCount.hour)).where(*mine))
    return None if newest is None else start_of(newest, HOUR)
