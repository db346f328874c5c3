"""How often is something mentioned, hour by hour, day by day or week by week?"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.entity_lookup import members
from db.filters import Filter, mentions, read_tweets
from db.periods import HOUR, UNDATED, number_in_sql, start_of
from db.tables import EntityCount, EntityView, HourCount, Tweet
from db.windows import takes_whole, within
from tagging.errors import QueryError

By = Literal["hour", "day", "week"]

_LENGTH: dict[By, int] = {"hour": 1, "day": 24, "week": 7 * 24}  # in hours
_BEGUN: dict[By, int] = {"hour": 0, "day": 0, "week": 3 * 24}  # hours of the first period before 1970, a Thursday
_LONG_BEFORE = 7 * 24 * 120_000  # hours, so that whole-number division rounds down before 1970, too
_MOST = 100_000  # periods, one of which may have a broken clock


@dataclass(frozen=True)
class Period:
    """An hour, a day or a week from `start` on, in UTC; weeks begin on Monday.

    `tweets` are those of the filter that the version has read, `mentioning_tweets` those of them with a mention that
    counts. These are None where all mentions of all tweets are counted: the maintained counts do not tell.
    """

    start: datetime
    tweets: int
    mentions: int
    mentioning_tweets: int | None

    @property
    def share(self) -> float | None:
        """Return the share of the tweets with a mention; None where there are no tweets, or it is not known."""
        if not self.tweets or self.mentioning_tweets is None:
            return None
        return self.mentioning_tweets / self.tweets


_Found = dict[int, tuple[int, int | None]]  # period -> mentions and, where known, the tweets that hold them


def timeline(session: Session, chosen: Filter, by: By = "day", entity_id: int | None = None) -> list[Period]:
    """Count mentions, of one entity or of all, in each period from the first to the last tweet that was read.

    Tweets without a time stand outside. Where the filter leaves out nothing, all mentions, and those of an entity
    without aliases by day and by week, come from the maintained counts, so that the time does not grow with them.
    Raises QueryError if there are more than 100,000 periods.
    """
    read = _read(session, chosen, by)
    if not read:
        return []
    first, last = min(read), max(read)
    if last - first >= _MOST:
        raise QueryError(
            f"from {_start(first, by):%Y-%m-%d} to {_start(last, by):%Y-%m-%d} there are {last - first + 1:,} {by}s; "
            "ask for a window with --since and --until, or for longer periods"
        )
    found = _found(session, chosen, by, entity_id)
    knows_tweets = entity_id is not None or not _takes_everything(chosen)
    nothing = (0, 0 if knows_tweets else None)
    return [
        Period(_start(number, by), read.get(number, 0), *found.get(number, nothing))
        for number in range(first, last + 1)
    ]


def _takes_everything(chosen: Filter) -> bool:
    return chosen.is_plain and chosen.label is None


def _read(session: Session, chosen: Filter, by: By) -> dict[int, int]:
    """Count the tweets of each period."""
    if takes_whole(chosen, HOUR):
        return {period: tweets for period, (tweets, _) in _by_hour_counts(session, chosen, by).items()}
    period = _period(number_in_sql(session, Tweet.created_at, HOUR), by)
    counted = read_tweets(session, chosen, period, func.count()).where(Tweet.created_at.is_not(None)).group_by(period)
    return {row[0]: row[1] for row in session.execute(counted)}


def _found(session: Session, chosen: Filter, by: By, entity_id: int | None) -> _Found:
    if entity_id is None:
        return _all_mentions(session, chosen, by) if _takes_everything(chosen) else _from_spans(session, chosen, by)
    ids, view = members(session, entity_id), session.get(EntityView, entity_id)
    is_hidden = view is not None and view.is_hidden
    if _takes_everything(chosen) and by != "hour" and ids == [entity_id] and not is_hidden:
        return _from_counts(session, chosen, by, ids)
    return _from_spans(session, chosen, by, ids)


def _all_mentions(session: Session, chosen: Filter, by: By) -> _Found:
    found = Counter({period: mentions for period, (_, mentions) in _by_hour_counts(session, chosen, by).items()})
    hidden = session.scalars(select(EntityView.entity_id).where(EntityView.is_hidden)).all()
    if hidden and not chosen.hidden:
        counted = _from_counts if by != "hour" else _from_spans
        of_hidden = counted(session, replace(chosen, hidden=True), by, hidden)
        found.subtract({period: mentions for period, (mentions, _) in of_hidden.items()})
    return {period: (mentions, None) for period, mentions in found.items()}


def _by_hour_counts(session: Session, chosen: Filter, by: By) -> dict[int, tuple[int, int]]:
    """Sum up the tweets and the mentions of the hours of each period; the filter takes all tweets of whole hours."""
    period = _period(HourCount.hour, by)
    counted = select(period, func.sum(HourCount.tweets), func.sum(HourCount.mentions)).group_by(period)
    mine = (HourCount.model_version_id == chosen.model_version_id, HourCount.hour != UNDATED)
    rows = session.execute(counted.where(*mine, *within(chosen, HourCount.hour, HOUR)))
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def _from_counts(session: Session, chosen: Filter, by: By, entity_ids: Sequence[int]) -> _Found:
    period = _period(EntityCount.day * 24, by)
    counted = select(period, func.sum(EntityCount.mentions), func.sum(EntityCount.tweets)).group_by(period)
    mine = (EntityCount.model_version_id == chosen.model_version_id, EntityCount.day < UNDATED)
    rows = session.execute(counted.where(*mine, is_one_of(session, EntityCount.entity_id, entity_ids)))
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def _from_spans(session: Session, chosen: Filter, by: By, entity_ids: Collection[int] | None = None) -> _Found:
    found = mentions(session, chosen, entity_ids)
    period = _period(number_in_sql(session, Tweet.created_at, HOUR), by)
    counted = (
        select(period, func.count(), func.count(found.c.tweet_id.distinct()))
        .select_from(found)
        .join(Tweet, Tweet.id == found.c.tweet_id)
        .where(Tweet.created_at.is_not(None))
        .group_by(period)
    )
    return {row[0]: (row[1], row[2]) for row in session.execute(counted)}


def _period(hour: Any, by: By) -> ColumnElement[int]:
    """Return the SQL for the number of the period in which an hour lies."""
    number = (hour + _BEGUN[by] + _LONG_BEFORE) // _LENGTH[by] - _LONG_BEFORE // _LENGTH[by]
    return number.label("period")  # type: ignore[no-any-return]


def _start(number: int, by: By) -> datetime:
    return start_of(number * _LENGTH[by] - _BEGUN[by], HOUR)
