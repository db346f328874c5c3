"""With whom, and where, is an entity mentioned? As few queries as a digest needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, Subquery, func, select
from sqlalchemy.orm import Session

from db.bulk import by_bytes
from db.entity_lookup import shown_names
from db.filters import Filter, mentions
from db.tables import Entity

SOURCES = 10  # tweet ids that a statement carries at most

_OF_EACH_LABEL = 5


@dataclass(frozen=True)
class Companion:
    """Another entity, and in how many tweets it is mentioned together with the one in question."""

    entity_id: int
    shown: str
    label: str
    name: str
    tweets: int
    tweet_ids: tuple[int, ...]


def companions(session: Session, chosen: Filter, entity_id: int, ids: Sequence[int]) -> tuple[Companion, ...]:
    """Return the entities that are mentioned in the same tweets, whatever their labels: five of each, most first."""
    own = select(mentions(session, chosen, ids).c.tweet_id)
    found = mentions(session, replace(chosen, label=None))
    tweets = func.count(found.c.tweet_id.distinct()).label("tweets")
    counted = (
        select(found.c.entity_id, tweets)
        .where(found.c.tweet_id.in_(own), found.c.entity_id != entity_id)
        .group_by(found.c.entity_id)
        .subquery()
    )
    order = (counted.c.tweets.desc(), by_bytes(session, Entity.name))
    rank = func.row_number().over(partition_by=Entity.label, order_by=order).label("rank")
    ranked = select(Entity.id, Entity.label, Entity.name, counted.c.tweets, rank).join(
        counted, Entity.id == counted.c.entity_id
    )
    best = ranked.subquery()
    rows = session.execute(select(best).where(best.c.rank <= _OF_EACH_LABEL)).all()
    rows = sorted(rows, key=lambda row: (-row.tweets, row.name, row.label))
    shown = shown_names(session, chosen, [row.id for row in rows])
    sources = _sources_together(session, found, own, [row.id for row in rows])
    return tuple(Companion(row.id, shown[row.id], row.label, row.name, row.tweets, sources[row.id]) for row in rows)


def _sources_together(
    session: Session, found: Subquery, own: Select[Any], entity_ids: Sequence[int]
) -> dict[int, tuple[int, ...]]:
    """Return the lowest ids of the tweets that mention each of these entities together with the one in question."""
    pairs = select(found.c.entity_id, found.c.tweet_id).where(
        found.c.tweet_id.in_(own), found.c.entity_id.in_(entity_ids)
    )
    distinct = pairs.distinct().subquery()
    rank = func.row_number().over(partition_by=distinct.c.entity_id, order_by=distinct.c.tweet_id).label("rank")
    ranked = select(distinct, rank).subquery()
    rows = session.execute(select(ranked).where(ranked.c.rank <= SOURCES).order_by(ranked.c.tweet_id)).all()
    return {one: tuple(row.tweet_id for row in rows if row.entity_id == one) for one in entity_ids}
