"""What an answer covers: how many tweets and mentions it is made from, and how many there are."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

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
    used = _mentions(session, chosen)
    return Coverage(chosen.model_version_id, tweets_read(session, chosen), all_tweets, used, all_mentions)


def _mentions(session: Session, chosen: Filter) -> int:
    if chosen.label is None and takes_whole(chosen, DAY) and at_any_time(chosen).is_plain:
        everything = sum_of_hours(session, chosen)[1]
        return everything if chosen.hidden else everything - _hidden_mentions(session, chosen)
    return session.scalars(select(func.count()).select_from(mentions(session, chosen))).one()


def _hidden_mentions(session: Session, chosen: Filter) -> int:
    of_hidden = select(func.coalesce(func.sum(EntityCount.mentions), 0)).join(
        EntityView, EntityView.entity_id == EntityCount.entity_id
    )
    mine = (EntityCount.model_version_id == chosen.model_version_id, EntityView.is_hidden)
    return int(session.scalars(of_hidden.where(*mine, *within(chosen, EntityCount.day, DAY))).one())
