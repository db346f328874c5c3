"""How often is each of these entities mentioned? What other questions weigh their answers with."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import false, func, select, true
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.counts import EVER
from db.entity_lookup import members
from db.filters import Filter, mentions
from db.tables import EntityCount, EntityView


class Totals(NamedTuple):
    """An entity's mentions, and the tweets that hold them."""

    mentions: int
    tweets: int


def totals_of(session: Session, chosen: Filter, entity_ids: Collection[int]) -> dict[int, Totals]:
    """Count entities, given as those that their aliases count for; what is mentioned nowhere is left out.

    Where the filter leaves out no tweets, the maintained counts are read.
    """
    if not chosen.is_plain:
        found = mentions(session, chosen, members(session, *entity_ids))
        counted = (func.count(), func.count(found.c.tweet_id.distinct()))
        rows = session.execute(select(found.c.entity_id, *counted).group_by(found.c.entity_id))
        return {entity_id: Totals(all_, tweets) for entity_id, all_, tweets in rows}
    root = func.coalesce(EntityView.root_id, EntityCount.entity_id).label("root")
    mine = (EntityCount.model_version_id == chosen.model_version_id, EntityCount.day == EVER)
    ever = (
        select(root, func.sum(EntityCount.mentions), func.sum(EntityCount.tweets))
        .outerjoin(EntityView, EntityView.entity_id == EntityCount.entity_id)
        .where(*mine, is_one_of(session, EntityCount.entity_id, members(session, *entity_ids)))
        .where(true() if chosen.hidden else func.coalesce(EntityView.is_hidden, false()).is_(False))
        .where(true() if chosen.label is None else func.coalesce(EntityView.label, EntityCount.label) == chosen.label)
        .group_by(root)
    )
    counts = {entity_id: Totals(all_, tweets) for entity_id, all_, tweets in session.execute(ever)}
    merged = tweets_of_merged(session, chosen, counts)
    return {one: Totals(total.mentions, merged.get(one, total.tweets)) for one, total in counts.items()}


def tweets_of_merged(session: Session, chosen: Filter, entity_ids: Collection[int]) -> dict[int, int]:
    """Count the tweets of entities with aliases: a tweet that mentions two of them is one tweet."""
    aliased = select(EntityView.root_id).where(
        is_one_of(session, EntityView.root_id, list(entity_ids)), EntityView.entity_id != EntityView.root_id
    )
    found: dict[int, int] = {}
    for root_id in session.scalars(aliased.distinct()).all():
        of_it = mentions(session, chosen, members(session, root_id))
        found[root_id] = session.scalars(select(func.count(of_it.c.tweet_id.distinct()))).one()
    return found
