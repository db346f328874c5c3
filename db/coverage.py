"""What an answer covers: how many tweets and mentions it is made from, and how many there are."""

from dataclasses import dataclass

from sqlalchemy import func, select
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
    """Count what a filter leaves; by the maintained counts, where it leaves out no tweets."""
    totals = select(func.coalesce(func.sum(HourCount.tweets), 0), func.coalesce(func.sum(HourCount.mentions), 0))
    row = session.execute(totals.where(HourCount.model_version_id == chosen.model_version_id)).one()
    all_tweets, all_mentions = int(row[0]), int(row[1])
    tweets, used = tweets_read(session, chosen), all_mentions
    if not chosen.is_plain or chosen.label is not None:
        used = session.scalars(select(func.count()).select_from(mentions(session, chosen))).one()
    elif not chosen.hidden:
        used -= _hidden_mentions(session, chosen.model_version_id)
    return Coverage(chosen.model_version_id, tweets, all_tweets, used, all_mentions)


def tweets_read(session: Session, chosen: Filter) -> int:
    """Count the tweets that the version has read and the filter leaves."""
    if not chosen.takes_all_tweets:
        return int(session.scalars(read_tweets(chosen, func.count())).one())
    mine = HourCount.model_version_id == chosen.model_version_id
    return int(session.scalars(select(func.coalesce(func.sum(HourCount.tweets), 0)).where(mine)).one())


def _hidden_mentions(session: Session, model_version_id: int) -> int:
    of_hidden = select(func.coalesce(func.sum(EntityCount.mentions), 0)).join(
        EntityView, EntityView.entity_id == EntityCount.entity_id
    )
    mine = (EntityCount.model_version_id == model_version_id, EntityCount.day == EVER, EntityView.is_hidden)
    return int(session.scalars(of_hidden.where(*mine)).one())
