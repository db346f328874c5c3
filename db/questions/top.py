"""Which entities are mentioned most?"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from db.bulk import by_bytes, is_one_of
from db.counts import EVER
from db.entity_lookup import labels_of, members, shown_names
from db.filters import Filter, mentions
from db.tables import Entity, EntityView
from db.tables import EntityCount as Counted


@dataclass(frozen=True)
class EntityCount:
    """An entity with its mentions and the tweets that hold them; `name` is the normalised one."""

    entity_id: int
    shown: str
    label: str
    name: str
    mentions: int
    tweets: int


class _Row(NamedTuple):
    id: int
    label: str
    name: str
    mentions: int
    tweets: int


def top(session: Session, chosen: Filter, limit: int = 10) -> list[EntityCount]:
    """Return the entities with most mentions, most first; ties in the order of their names.

    Where the filter leaves out no tweets, the maintained counts are read, so that the time does not grow with them.
    """
    counted = list(_from_counts(session, chosen, limit) if chosen.is_plain else _from_spans(session, chosen, limit))
    rows = sorted(counted, key=lambda row: (-row.mentions, row.name, row.label))[:limit]
    shown = shown_names(session, chosen, [row.id for row in rows])
    merged = _tweets_of_merged(session, chosen, [row.id for row in rows])
    return [
        EntityCount(row.id, shown[row.id], row.label, row.name, row.mentions, merged.get(row.id, row.tweets))
        for row in rows
    ]


def _from_spans(session: Session, chosen: Filter, limit: int) -> Iterator[_Row]:
    found = mentions(session, chosen)
    counted = (
        select(
            found.c.entity_id, func.count().label("mentions"), func.count(found.c.tweet_id.distinct()).label("tweets")
        )
        .group_by(found.c.entity_id)
        .subquery()
    )
    rows = (
        select(Entity.id, Entity.label, Entity.name, counted.c.mentions, counted.c.tweets)
        .join(counted, Entity.id == counted.c.entity_id)
        .order_by(counted.c.mentions.desc(), by_bytes(session, Entity.name), by_bytes(session, Entity.label))
    )
    return map(_Row._make, session.execute(rows.limit(limit)))


def _from_counts(session: Session, chosen: Filter, limit: int) -> Iterator[_Row]:
    mine = (Counted.model_version_id == chosen.model_version_id, Counted.day == EVER)
    untouched = ~select(EntityView).where(EntityView.entity_id == Counted.entity_id).exists()
    for label in [chosen.label] if chosen.label else labels_of(session, chosen.model_version_id):
        rows = (
            select(Entity.id, Entity.label, Entity.name, Counted.mentions, Counted.tweets)
            .join(Entity, Entity.id == Counted.entity_id)
            .where(*mine, Counted.label == label, untouched)
            .order_by(Counted.mentions.desc(), by_bytes(session, Entity.name))
        )
        yield from map(_Row._make, session.execute(rows.limit(limit)))
    viewed = (
        select(Entity.id, Entity.label, Entity.name, func.sum(Counted.mentions).label("mentions"),
               func.sum(Counted.tweets).label("tweets"))
        .join(EntityView, EntityView.root_id == Entity.id)
        .join(Counted, Counted.entity_id == EntityView.entity_id)
        .where(*mine, true() if chosen.hidden else ~EntityView.is_hidden)
        .group_by(Entity.id, Entity.label, Entity.name)
    )  # fmt: skip
    of_label = true() if chosen.label is None else Entity.label == chosen.label
    yield from map(_Row._make, session.execute(viewed.where(of_label)))


def _tweets_of_merged(session: Session, chosen: Filter, entity_ids: Collection[int]) -> dict[int, int]:
    """Count the tweets of entities with aliases: a tweet that mentions two of them is one tweet."""
    aliased = select(EntityView.root_id).where(
        is_one_of(session, EntityView.root_id, entity_ids), EntityView.entity_id != EntityView.root_id
    )
    found: dict[int, int] = {}
    for root_id in session.scalars(aliased.distinct()).all():
        of_it = mentions(session, chosen, members(session, root_id))
        found[root_id] = session.scalars(select(func.count(of_it.c.tweet_id.distinct()))).one()
    return found
