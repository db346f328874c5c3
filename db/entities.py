"""Questions over stored entities. Each takes a Session and a `Filter`; offsets are code points, end exclusive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from db.entity_names import normalised_name
from db.tables import Annotation, Entity, Span, Tweet
from tagging.errors import QueryError

Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Filter:
    """Which spans count: those of one model version, and of one label and a window of tweet times if given.

    `since` is included, `until` is not. A tweet without a time stands outside every window.
    """

    model_version_id: int
    label: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class EntityCount:
    """An entity, shown by its most frequent surface form, with its mentions and the tweets that hold them."""

    surface: str
    label: str
    name: str
    mentions: int
    tweets: int


@dataclass(frozen=True)
class Mention:
    """One mention of an entity in a tweet: `text[start:end]` is the surface."""

    tweet_id: int
    created_at: datetime | None
    author: str | None
    text: str
    start: int
    end: int
    label: str
    surface: str
    score: float


@dataclass(frozen=True)
class TweetReading:
    """A tweet with the spans that a version found; `status` is its mark's, or None if it was not read yet."""

    tweet_id: int
    text: str
    status: str | None
    error: str | None
    mentions: list[Mention]


def top(session: Session, chosen: Filter, limit: int = 10) -> list[EntityCount]:
    """Return the entities with most mentions, most first; ties in the order of their names."""
    mentions = func.count().label("mentions")
    tweets = func.count(Span.tweet_id.distinct()).label("tweets")
    counted = _filtered(select(Span.entity_id, mentions, tweets), chosen).group_by(Span.entity_id).subquery()
    rows = session.execute(
        select(Entity.id, Entity.name, Entity.label, counted.c.mentions, counted.c.tweets)
        .join(counted, Entity.id == counted.c.entity_id)
        .order_by(counted.c.mentions.desc(), Entity.name, Entity.label)
        .limit(limit)
    ).all()
    surfaces = _surfaces(session, chosen, [row.id for row in rows])
    return [EntityCount(surfaces[row.id], row.label, row.name, row.mentions, row.tweets) for row in rows]


def search(session: Session, text: str, chosen: Filter, limit: int = 20) -> list[Mention]:
    """Return the mentions of entities whose normalised name contains the text's, newest tweets first."""
    name = normalised_name(text.encode("utf-8", "replace").decode())
    if not name:
        raise QueryError(f"{text!r} is empty once normalised; search for a name, such as 'london'")
    statement = _filtered(_mentions(), chosen).join(Entity, Span.entity_id == Entity.id)
    statement = statement.where(Entity.name.contains(name, autoescape=True))
    newest_first = (Tweet.created_at.desc().nulls_last(), Tweet.id.desc(), Span.start_char)
    return [Mention(*row) for row in session.execute(statement.order_by(*newest_first).limit(limit))]


def read_tweet(session: Session, tweet_id: int, model_version_id: int) -> TweetReading:
    """Return one tweet with its spans. Raises QueryError if the tweet is not stored."""
    tweet = session.get(Tweet, tweet_id)
    if tweet is None:
        raise QueryError(f"tweet {tweet_id} is not stored; see `tweetspan status` for what is")
    mark = session.get(Annotation, (tweet_id, model_version_id))
    mine = _mentions().where(Span.tweet_id == tweet_id, Span.model_version_id == model_version_id)
    mentions = [Mention(*row) for row in session.execute(mine.order_by(Span.start_char))]
    status, error = (mark.status, mark.error) if mark else (None, None)
    return TweetReading(tweet_id, tweet.text, status, error, mentions)


def newest_tweet_time(session: Session) -> datetime | None:
    """Return the time of the newest tweet: a relative window counts back from it, so that old corpora answer too."""
    return session.scalar(select(func.max(Tweet.created_at)))


def _mentions() -> Rows:
    return select(
        Tweet.id, Tweet.created_at, Tweet.author, Tweet.text,
        Span.start_char, Span.end_char, Span.label, Span.surface, Span.score,
    ).join(Tweet, Span.tweet_id == Tweet.id)  # fmt: skip


def _filtered(statement: Rows, chosen: Filter) -> Rows:
    statement = statement.where(Span.model_version_id == chosen.model_version_id)
    if chosen.label:
        statement = statement.where(func.lower(Span.label) == chosen.label.lower())
    if chosen.since or chosen.until:
        tweets = select(Tweet.id)
        if chosen.since:
            tweets = tweets.where(Tweet.created_at >= chosen.since)
        if chosen.until:
            tweets = tweets.where(Tweet.created_at < chosen.until)
        statement = statement.where(Span.tweet_id.in_(tweets))
    return statement


def _surfaces(session: Session, chosen: Filter, entity_ids: Sequence[int]) -> dict[int, str]:
    """Find the most frequent surface of each entity; of two as frequent the one that sorts first."""
    counts = _filtered(select(Span.entity_id, Span.surface, func.count()), chosen).where(Span.entity_id.in_(entity_ids))
    best: dict[int, tuple[int, str]] = {}
    for entity_id, surface, count in session.execute(counts.group_by(Span.entity_id, Span.surface)):
        best[entity_id] = min(best.get(entity_id, (0, "")), (-count, surface))
    return {entity_id: surface for entity_id, (_, surface) in best.items()}
