"""How many of the tweets that a filter leaves mention an entity? By the maintained counts where these can tell."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from db.bulk import by_bytes, is_one_of
from db.counts import EVER
from db.entity_lookup import labels_of, members
from db.filters import Filter, mentions
from db.periods import DAY, number_of
from db.tables import Entity, EntityCount, EntityView
from db.windows import at_any_time, takes_whole


class Counted(NamedTuple):
    """An entity, its mentions and the tweets that hold them."""

    id: int
    label: str
    name: str
    mentions: int
    tweets: int


class Totals(NamedTuple):
    """An entity's mentions, and the tweets that hold them."""

    mentions: int
    tweets: int


def most_mentioned(session: Session, chosen: Filter, limit: int) -> list[Counted]:
    """Return the entities with most mentions, most first; ties in the order of their names.

    Where the filter leaves out no tweets, or all but those of one day (UTC), the time does not grow with the mentions.
    """
    day = _day(chosen)
    counted = _most_by_spans(session, chosen, limit) if day is None else _most_by_counts(session, chosen, limit, day)
    rows = sorted(counted, key=lambda row: (-row.mentions, row.name, row.label))[:limit]
    merged = _tweets_of_merged(session, chosen, [row.id for row in rows])
    return [row._replace(tweets=merged.get(row.id, row.tweets)) for row in rows]


def totals_of(session: Session, chosen: Filter, entity_ids: Collection[int]) -> dict[int, Totals]:
    """Count the mentions of some entities, and the tweets that hold them; entities without any are left out."""
    day = _day(chosen)
    if day is None:
        found = mentions(session, chosen, members(session, *entity_ids))
        counted = select(found.c.entity_id, func.count(), func.count(found.c.tweet_id.distinct()))
        rows = session.execute(counted.group_by(found.c.entity_id))
        return {entity_id: Totals(all_, tweets) for entity_id, all_, tweets in rows}
    root = func.coalesce(EntityView.root_id, EntityCount.entity_id)
    counted = (
        select(root.label("id"), func.sum(EntityCount.mentions), func.sum(EntityCount.tweets))
        .outerjoin(EntityView, EntityView.entity_id == EntityCount.entity_id)
        .where(EntityCount.model_version_id == chosen.model_version_id, EntityCount.day == day)
        .where(is_one_of(session, EntityCount.entity_id, members(session, *entity_ids)))
        .where(true() if chosen.hidden else func.coalesce(EntityView.is_hidden, False).is_(False))
        .group_by(root)
    )
    if chosen.label is not None:
        counted = counted.where(func.coalesce(EntityView.label, EntityCount.label) == chosen.label)
    counts = {entity_id: Totals(int(all_), int(tweets)) for entity_id, all_, tweets in session.execute(counted)}
    merged = _tweets_of_merged(session, chosen, list(counts))
    return {one: total._replace(tweets=merged.get(one, total.tweets)) for one, total in counts.items()}


def _day(chosen: Filter) -> int | None:
    """Return the day whose maintained counts answer for a filter, if there is one; EVER for all tweets."""
    if chosen.is_plain:
        return EVER
    if chosen.since is None or chosen.until is None or not takes_whole(chosen, DAY):
        return None
    day = number_of(chosen.since, DAY)
    is_one = number_of(chosen.until, DAY) == day + 1
    return day if is_one and at_any_time(chosen).is_plain else None


def _most_by_spans(session: Session, chosen: Filter, limit: int) -> Iterator[Counted]:
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
    return map(Counted._make, session.execute(rows.limit(limit)))


def _most_by_counts(session: Session, chosen: Filter, limit: int, day: int) -> Iterator[Counted]:
    mine = (EntityCount.model_version_id == chosen.model_version_id, EntityCount.day == day)
    untouched = ~select(EntityView).where(EntityView.entity_id == EntityCount.entity_id).exists()
    for label in [chosen.label] if chosen.label else labels_of(session, chosen.model_version_id):
        rows = (
            select(Entity.id, Entity.label, Entity.name, EntityCount.mentions, EntityCount.tweets)
            .join(Entity, Entity.id == EntityCount.entity_id)
            .where(*mine, EntityCount.label == label, untouched)
            .order_by(EntityCount.mentions.desc(), by_bytes(session, Entity.name))
        )
        yield from map(Counted._make, session.execute(rows.limit(limit)))
    viewed = (
        select(Entity.id, Entity.label, Entity.name, func.sum(EntityCount.mentions), func.sum(EntityCount.tweets))
        .join(EntityView, EntityView.root_id == Entity.id)
        .join(EntityCount, EntityCount.entity_id == EntityView.entity_id)
        .where(*mine, true() if chosen.hidden else ~EntityView.is_hidden)
        .group_by(Entity.id, Entity.label, Entity.name)
    )
    of_label = true() if chosen.label is None else Entity.label == chosen.label
    for row in session.execute(viewed.where(of_label)):
        yield Counted(row[0], row[1], row[2], int(row[3]), int(row[4]))


def _tweets_of_merged(session: Session, chosen: Filter, entity_ids: Sequence[int]) -> dict[int, int]:
    """Count the tweets of entities with aliases: a tweet that mentions two of them is one tweet."""
    aliased = select(EntityView.root_id).where(
        is_one_of(session, EntityView.root_id, entity_ids), EntityView.entity_id != EntityView.root_id
    )
    found: dict[int, int] = {}
    for root_id in session.scalars(aliased.distinct()).all():
        of_it = mentions(session, chosen, members(session, root_id))
        found[root_id] = session.scalars(select(func.count(of_it.c.tweet_id.distinct()))).one()
    return found
