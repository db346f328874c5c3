"""What an answer covers: how many tweets and mentions it is made from, and how many there are."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from db.counts import EVER
from db.filters import Filter, mentions, read_tweets
from db.tables import EntityCount, EntityView, HourCount


@dataclass(frozen=True)
class Coverage:
    """Used are the tweets and mentions that the filter leaves; the totals are what the version read and found."""

    model_version_id: int
    tweets: int
    tweets_total: int
    mentions: int
    mentions_total: int


def cover(session: Session, chosen: Filter) -> Coverage:
    """Count what a filter leaves."""
    totals = select(func.coalesce(func.sum(HourCount.tweets), 0), func.coalesce(func.sum(HourCount.mentions), 0))
    row = session.execute(totals.where(HourCount.model_version_id == chosen.model_version_id)).one()
    all_tweets, all_mentions = int(row[0]), int(row[1])
    tweets = all_tweets
    if not chosen.takes_all_tweets:
        tweets = session.scalars(read_tweets(chosen, func.count())).one()
    if chosen.is_plain:
        used = _by_counts(session, chosen, all_mentions)
    else:
        used = session.scalars(select(func.count()).select_from(mentions(session, chosen))).one()
    return Coverage(chosen.model_version_id, tweets, all_tweets, used, all_mentions)


def _by_counts(session: Session, chosen: Filter, all_mentions: int) -> int:
    """Count what a plain filter leaves: what was found under its label, and what the edits make of it."""
    mine = (EntityCount.model_version_id == chosen.model_version_id, EntityCount.day == EVER)
    was_found: ColumnElement[bool] = true() if chosen.label is None else EntityCount.label == chosen.label
    is_meant: ColumnElement[bool] = true() if chosen.label is None else EntityView.label == chosen.label
    counts_now = is_meant if chosen.hidden else is_meant & ~EntityView.is_hidden
    found = all_mentions
    if chosen.label is not None:
        found = session.scalars(select(_sum(was_found)).where(*mine, was_found)).one()
    edited = select(_sum(counts_now) - _sum(was_found)).select_from(EntityView).where(*mine)
    return int(found + session.scalars(edited.join(EntityCount, EntityCount.entity_id == EntityView.entity_id)).one())


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(EntityCount.mentions).filter(condition), 0)
