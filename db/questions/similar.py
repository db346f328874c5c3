"""Which tweets are about the same as this one? Those that share entities with it, rare ones weighing more."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from math import fsum, log
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.counts import EVER
from db.entity_lookup import members, shown_names
from db.filters import Filter, mentions
from db.questions.reading import read_tweet
from db.search_words import search_words
from db.tables import Entity, EntityCount, Tweet
from db.windows import tweets_read
from tagging.errors import QueryError

_LOOKED_AT = 5000  # tweets at most, those of the rarest entities first, of each the newest ids
_NOT_SAID = re.compile(r"https?://\S+|@\w+|\brt\b", re.IGNORECASE)  # in what retweets and copies of a text differ


@dataclass(frozen=True)
class WeighedEntity:
    """An entity of a tweet; `tweets` mention it, and `weight` is log(tweets that were read / these), at least 0."""

    entity_id: int
    shown: str
    label: str
    name: str
    tweets: int
    weight: float


@dataclass(frozen=True)
class SimilarTweet:
    """A tweet that shares entities with another; `score` is the sum of their weights, the heaviest stands first."""

    tweet_id: int
    created_at: datetime | None
    author: str | None
    text: str
    score: float
    shared: list[WeighedEntity]


def similar(session: Session, tweet_id: int, chosen: Filter, limit: int = 10) -> list[SimilarTweet]:
    """Return the tweets with the highest scores, newest first among equals, those without a time last.

    The tweet's own retweets, and what they retweet, are left out; of tweets that retweet the same one, or that say the
    same but for handles and links, the best one stands for all. At most 5,000 tweets are looked at: those of the rarest
    entity first, and of each entity those with the highest ids. Raises QueryError as `weighed_entities` does.
    Source: Spärck Jones 1972, A statistical interpretation of term specificity.
    """
    entities = {one.entity_id: one for one in weighed_entities(session, tweet_id, chosen)}
    source = session.get_one(Tweet, tweet_id)
    shared = _shared(session, chosen, entities, _candidates(session, chosen, entities, source))
    scores = {other: fsum(entities[one].weight for one in ids) for other, ids in shared.items()}
    rows: Sequence[Any] = session.execute(
        select(Tweet.id, Tweet.created_at, Tweet.author, Tweet.text, Tweet.retweet_of)
        .where(is_one_of(session, Tweet.id, scores))
    ).all()  # fmt: skip
    ranked = sorted(rows, key=lambda row: (-scores[row.id], row.created_at is None, _age(row.created_at), -row.id))
    return [
        SimilarTweet(
            row.id, row.created_at, row.author, row.text, scores[row.id],
            [one for key, one in entities.items() if key in shared[row.id]],
        )
        for row in islice(_distinct(ranked, source), limit)
    ]  # fmt: skip


def weighed_entities(session: Session, tweet_id: int, chosen: Filter) -> list[WeighedEntity]:
    """Return the entities that a tweet mentions, the rarest first; the filter's conditions on tweets are left aside.

    Tweets are counted over all that the version has read; of an entity with aliases, one that mentions two of them
    counts twice. Raises QueryError if the tweet is not stored, or was not read by the version.
    """
    reading = read_tweet(session, tweet_id, chosen.model_version_id)
    if reading.status != "done":
        raise QueryError(f"tweet {tweet_id} was not read by version {chosen.model_version_id}; see `tweetspan status`")
    found = mentions(session, chosen.of_any_tweet())
    ids = select(found.c.entity_id).where(found.c.tweet_id == tweet_id).distinct()
    entities = session.execute(select(Entity.id, Entity.label, Entity.name).where(Entity.id.in_(ids))).all()
    total = tweets_read(session, chosen.of_any_tweet())
    shown = shown_names(session, chosen, [one.id for one in entities])
    weighed = []
    for one in entities:
        tweets = min(total, _tweets_of(session, chosen, members(session, one.id)))
        weighed.append(WeighedEntity(one.id, shown[one.id], one.label, one.name, tweets, log(total / tweets)))
    return sorted(weighed, key=lambda one: (one.tweets, one.name, one.label))


def _tweets_of(session: Session, chosen: Filter, entity_ids: Collection[int]) -> int:
    mine = (EntityCount.model_version_id == chosen.model_version_id, EntityCount.day == EVER)
    ever = select(func.sum(EntityCount.tweets)).where(*mine, EntityCount.entity_id.in_(entity_ids))
    return int(session.scalars(ever).one())


def _candidates(session: Session, chosen: Filter, entities: Collection[int], source: Tweet) -> set[int]:
    """Return tweets that mention one of the entities, given rarest first, up to the bound."""
    original = source.retweet_of or source.id
    candidates: set[int] = set()
    for member in [member for entity_id in entities for member in members(session, entity_id)]:
        found = mentions(session, chosen, [member])
        newest = (
            select(found.c.tweet_id)
            .join(Tweet, Tweet.id == found.c.tweet_id)
            .where(Tweet.id.not_in([source.id, original]))
            .where(or_(Tweet.retweet_of.is_(None), Tweet.retweet_of != original))
            .distinct()
            .order_by(found.c.tweet_id.desc())
        )
        left = _LOOKED_AT - len(candidates)
        candidates.update(session.scalars(newest.limit(left)))
    return candidates


def _shared(
    session: Session, chosen: Filter, entities: Collection[int], candidates: Collection[int]
) -> dict[int, set[int]]:
    """Return which of the entities each candidate mentions."""
    everyone = [member for entity_id in entities for member in members(session, entity_id)]
    found = mentions(session, chosen.of_any_tweet(), everyone)
    pairs = select(found.c.tweet_id, found.c.entity_id).where(is_one_of(session, found.c.tweet_id, candidates))
    shared: dict[int, set[int]] = defaultdict(set)
    for tweet_id, entity_id in session.execute(pairs.distinct()):
        shared[tweet_id].add(entity_id)
    return shared


def _age(moment: datetime | None) -> float:
    return -moment.timestamp() if moment else 0.0


def _distinct(ranked: Sequence[Any], source: Tweet) -> Iterator[Any]:
    """Pass over tweets that retweet, or say, what one before them does, or the source."""
    originals, said = {source.retweet_of or source.id}, {_said(source.text)}
    for row in ranked:
        original, words = row.retweet_of or row.id, _said(row.text)
        if original not in originals and words not in said:
            yield row
        originals.add(original)
        said.add(words)


def _said(text: str) -> tuple[str, ...]:
    return tuple(search_words(_NOT_SAID.sub(" ", text)) or search_words(text))
