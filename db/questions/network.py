"""Which entities meet around this one, and which of those meet each other?"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.entity_lookup import members, shown_names
from db.filters import Filter, mentions
from db.questions.rates import Totals, totals_of
from db.questions.related import By, Meeting, related
from db.questions.top import EntityCount
from db.tables import Entity
from db.windows import tweets_read


@dataclass(frozen=True, kw_only=True)
class Link(Meeting):
    """Two entities that meet, by their ids, the lower one first."""

    one_id: int
    other_id: int


@dataclass(frozen=True)
class Network:
    """Entities, in the order of their ids, and the links between them."""

    nodes: list[EntityCount]
    links: list[Link]


def network(
    session: Session, entity_id: int, chosen: Filter, by: By = "log-likelihood", limit: int = 10, minimum: int = 3
) -> Network:
    """Return an entity, those that `related` gives for it, and all links of at least `minimum` tweets among them.

    The time is that of all their mentions, so common neighbours cost something even where the entity is rare.
    """
    ids = [entity_id, *(one.entity_id for one in related(session, entity_id, chosen, by, limit, minimum))]
    any_label = replace(chosen, label=None)
    nodes = _nodes(session, ids, any_label)
    return Network(nodes, _links(session, nodes, any_label, minimum))


def _nodes(session: Session, ids: Collection[int], chosen: Filter) -> list[EntityCount]:
    shown, totals = shown_names(session, chosen, ids), totals_of(session, chosen, ids)
    rows = session.execute(select(Entity.id, Entity.label, Entity.name).where(Entity.id.in_(ids)).order_by(Entity.id))
    return [EntityCount(row.id, shown[row.id], row.label, row.name, *totals.get(row.id, Totals(0, 0))) for row in rows]


def _links(session: Session, nodes: Collection[EntityCount], chosen: Filter, minimum: int) -> list[Link]:
    tweets, total = {node.entity_id: node.tweets for node in nodes}, tweets_read(session, chosen)
    found = mentions(session, chosen, members(session, *tweets))
    one = select(found.c.tweet_id, found.c.entity_id).distinct().cte("found")
    other = one.alias("other")
    pairs = (
        select(one.c.entity_id, other.c.entity_id, func.count())
        .join(other, (other.c.tweet_id == one.c.tweet_id) & (other.c.entity_id > one.c.entity_id))
        .group_by(one.c.entity_id, other.c.entity_id)
        .having(func.count() >= minimum)
        .order_by(one.c.entity_id, other.c.entity_id)
    )
    return [
        Link(one_id=a, other_id=b, together=together, one=tweets[a], other=tweets[b], total=total)
        for a, b, together in session.execute(pairs)
    ]
