"""What an answer covers: how many tweets and mentions it is made from, and how many there are."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from db.counts import EVER
from db.filters import Filter, mentions
from db.periods import DAY
from db.tables import EntityCount, EntityView
from db.windows import at_any_time, sum_of_hours, takes_whole, tweets_read, within


@dataclass(frozen=True)
class Coverage:
    """Used are the tweets and mentions that the filter leaves; the totals are what the version read and found."""

    model_version_id: int
    tweets: int
    tweets_total: int
    mentions: int
    mentions_total: int


def cover(session: Session, chosen: Filter) -> Coverage:
    """Count what a filter leaves; by the maintained counts, where it takes all tweets, or all of whole days."""
    all_tweets, all_mentions = sum_of_hours(session, Filter(model_version_id=chosen.model_version_id))
    if takes_whole(chosen, DAY) and at_any_time(chosen).is_plain:
        used = _by_counts(session, chosen)
    else:
        used = session.scalars(select(func.count()).select_from(mentions(session, chosen))).one()
    return Coverage(chosen.model_version_id, tweets_read(session, chosen), all_tweets, used, all_mentions)


def _by_counts(session: Session, chosen: Filter) -> int:
    """Count what was found, under a label if one is asked for, and what the edits make of it."""
    days = [EntityCount.day == EVER] if chosen.is_plain else within(chosen, EntityCount.day, DAY)
    mine = (EntityCount.model_version_id == chosen.model_version_id, *days)
    was_found: ColumnElement[bool] = true() if chosen.label is None else EntityCount.label == chosen.label
    is_meant: ColumnElement[bool] = true() if chosen.label is None else EntityView.label == chosen.label
    counts_now = is_meant if chosen.hidden else is_meant & ~EntityView.is_hidden
    if chosen.label is None:
        found = sum_of_hours(session, chosen)[1]
    else:
        found = session.scalars(select(_sum(was_found)).where(*mine, was_found)).one()
    edited = select(_sum(counts_now) - _sum(was_found)).select_from(EntityView).where(*mine)
    return int(found + session.scalars(edited.join(EntityCount, EntityCount.entity_id == EntityView.entity_id)).one())


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(EntityCount.mentions).filter(condition), 0)
