"""What an answer covers: how many tweets and mentions it is made from, and how many there are."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.filters import Filter, mentions, read_tweets
from db.tables import HourCount


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
        tweets = session.scalars(read_tweets(session, chosen, func.count())).one()
    if chosen.is_plain and chosen.hidden and chosen.label is None:
        used = all_mentions
    else:
        used = session.scalars(select(func.count()).select_from(mentions(session, chosen))).one()
    return Coverage(chosen.model_version_id, tweets, all_tweets, used, all_mentions)
