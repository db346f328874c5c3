"""Which entities are mentioned in the same tweets as this one?"""

from dataclasses import dataclass, replace
from heapq import nlargest
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.entity_lookup import members, shown_names
from db.filters import Filter, mentions
from db.questions.measures import log_likelihood, pointwise_mutual_information
from db.questions.rates import totals_of
from db.tables import Entity
from db.windows import tweets_read

By = Literal["log-likelihood", "count", "pmi"]


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """How many of `total` tweets mention two entities together, and how many mention each."""

    together: int
    one: int
    other: int
    total: int

    @property
    def pmi(self) -> float:
        """By how many bits they meet more often than chance would have it; high for what is rare."""
        return pointwise_mutual_information(self.together, self.one, self.other, self.total)

    @property
    def log_likelihood(self) -> float:
        """G² that the tweets of the one mention the other at another rate than all others do; negative if rarer."""
        return log_likelihood(self.together, self.one, self.other - self.together, self.total - self.one)


@dataclass(frozen=True, kw_only=True)
class Related(Meeting):
    """An entity that meets the one that was asked about; `name` is the normalised one."""

    entity_id: int
    shown: str
    label: str
    name: str


def related(
    session: Session, entity_id: int, chosen: Filter, by: By = "log-likelihood", limit: int = 10, minimum: int = 3
) -> list[Related]:
    """Return the entities that at least `minimum` tweets mention together with this one, the strongest first.

    `chosen.label` is that of the others. Ties are in the order of tweets together, then of names.
    """
    together = _together(session, entity_id, chosen, minimum)
    if by == "count":  # what comes after needs no totals
        least = min(nlargest(limit, together.values()), default=0)
        together = {other: tweets for other, tweets in together.items() if tweets >= least}
    others = totals_of(session, chosen, together)
    one, total = _own_tweets(session, entity_id, chosen), tweets_read(session, chosen)
    found = [
        Related(
            entity_id=row.id, shown=row.name, label=row.label, name=row.name,
            together=together[row.id], one=one, other=others[row.id].tweets, total=total,
        )
        for row in session.execute(
            select(Entity.id, Entity.label, Entity.name).where(is_one_of(session, Entity.id, list(together)))
        )
    ]  # fmt: skip
    best = sorted(found, key=lambda row: (-_strength(row, by), -row.together, row.name, row.label))[:limit]
    shown = shown_names(session, chosen, [row.entity_id for row in best])
    return [replace(row, shown=shown[row.entity_id]) for row in best]


def _own_tweets(session: Session, entity_id: int, chosen: Filter) -> int:
    mine = mentions(session, replace(chosen, label=None), members(session, entity_id))
    return session.scalars(select(func.count(mine.c.tweet_id.distinct()))).one()


def _together(session: Session, entity_id: int, chosen: Filter, minimum: int) -> dict[int, int]:
    mine = mentions(session, replace(chosen, label=None), members(session, entity_id))
    tweets = select(mine.c.tweet_id).distinct().subquery()
    others = mentions(session, chosen.of_any_tweet())
    both = func.count(others.c.tweet_id.distinct())
    rows = (
        select(others.c.entity_id, both)
        .join(tweets, tweets.c.tweet_id == others.c.tweet_id)
        .where(others.c.entity_id != entity_id)
        .group_by(others.c.entity_id)
        .having(both >= minimum)
    )
    return {row[0]: row[1] for row in session.execute(rows)}


def _strength(row: Meeting, by: By) -> float:
    if by == "count":
        return row.together
    return row.pmi if by == "pmi" else row.log_likelihood
