"""What is known about one entity?"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import Session

from db.bulk import by_bytes, is_one_of
from db.entity_lookup import members, shown_names
from db.filters import Filter, mentions
from db.questions.related import Related, related
from db.tables import Entity, EntityView, Tweet
from db.windows import tweets_read

Counts = list[tuple[str, int]]  # most frequent first, ties in the order of the texts


@dataclass(frozen=True)
class Alias:
    """An entity that counts for another one."""

    name: str
    label: str
    mentions: int


@dataclass(frozen=True)
class EntityDetails:
    """An entity under a filter. A hidden one has no mentions unless hidden ones are asked for."""

    entity_id: int
    shown: str
    label: str
    name: str
    is_hidden: bool
    mentions: int
    tweets: int
    tweets_read: int
    first_seen: datetime | None  # times of tweets
    last_seen: datetime | None
    labels: Counts  # under which the mentions were found
    surfaces: Counts
    authors: Counts  # by tweets
    aliases: list[Alias]
    related: list[Related]

    @property
    def share(self) -> float:
        """The share of the tweets that were read in which the entity is mentioned."""
        return self.tweets / self.tweets_read if self.tweets_read else 0.0


def show(session: Session, entity_id: int, chosen: Filter, limit: int = 5) -> EntityDetails:
    """Describe an entity: `limit` of the surface forms, the authors and the entities it meets most often.

    `entity_id` is that of the one which its aliases count for. Aliases are listed even where they have no mentions.
    """
    entity, view = session.get_one(Entity, entity_id), session.get(EntityView, entity_id)
    known = _with_aliases(session, entity_id)
    found = mentions(session, chosen, known)
    all_, tweets, first, last = _totals(session, found)
    by_id, by_surface = _forms(session, found)
    company = related(session, entity_id, chosen, by="count", limit=limit, minimum=1)
    return EntityDetails(
        entity_id=entity_id,
        shown=shown_names(session, chosen, [entity_id])[entity_id],
        label=entity.label,
        name=entity.name,
        is_hidden=view is not None and view.is_hidden,
        mentions=all_,
        tweets=tweets,
        tweets_read=company[0].total if company else tweets_read(session, chosen),  # which a filter makes slow to count
        first_seen=first,
        last_seen=last,
        labels=_ranked(_summed((known[one].label, count) for one, count in by_id.items())),
        surfaces=_ranked(by_surface)[:limit],
        authors=_authors(session, found, limit),
        aliases=[Alias(one.name, one.label, by_id.get(one.id, 0)) for one in known.values() if one.id != entity_id],
        related=company,
    )


def _with_aliases(session: Session, entity_id: int) -> dict[int, Entity]:
    ids = is_one_of(session, Entity.id, members(session, entity_id))
    in_order = (by_bytes(session, Entity.name), by_bytes(session, Entity.label))
    return {one.id: one for one in session.scalars(select(Entity).where(ids).order_by(*in_order))}


def _totals(session: Session, found: Subquery) -> tuple[int, int, datetime | None, datetime | None]:
    times = (func.min(Tweet.created_at), func.max(Tweet.created_at))
    counted = select(func.count(), func.count(Tweet.id.distinct()), *times)
    all_, tweets, first, last = session.execute(counted.join(found, found.c.tweet_id == Tweet.id)).one()
    return all_, tweets, first, last


def _forms(session: Session, found: Subquery) -> tuple[Counter[int], Counter[str]]:
    """Count the mentions by the entity they were found as, and by surface form."""
    by_id, by_surface = Counter[int](), Counter[str]()
    forms = select(found.c.found_as, found.c.surface, func.count()).group_by(found.c.found_as, found.c.surface)
    for found_as, surface, count in session.execute(forms):
        by_id[found_as] += count
        by_surface[surface] += count
    return by_id, by_surface


def _authors(session: Session, found: Subquery, limit: int) -> Counts:
    tweets = func.count(Tweet.id.distinct())
    rows = select(Tweet.author, tweets).join(found, found.c.tweet_id == Tweet.id).where(Tweet.author.is_not(None))
    ordered = rows.group_by(Tweet.author).order_by(tweets.desc(), by_bytes(session, Tweet.author))
    return [(author, count) for author, count in session.execute(ordered.limit(limit)) if author is not None]


def _summed(counts: Iterable[tuple[str, int]]) -> Counter[str]:
    summed = Counter[str]()
    for text, count in counts:
        summed[text] += count
    return summed


def _ranked(counts: Counter[str]) -> Counts:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))
