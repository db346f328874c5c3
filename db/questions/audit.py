"""Which tweets should a person judge, so that a version's errors can be measured?"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db.bulk import is_one_of
from db.coverage import Coverage, cover
from db.entity_lookup import labels_of
from db.filters import Filter, mentions, read_tweets
from db.tables import Tweet
from tagging.errors import QueryError
from tagging.spans import Span

_PRIME = 2**31 - 1  # so that no product leaves 63 bits


@dataclass(frozen=True)
class AuditTweet:
    """A tweet to be judged, with the mentions that were found in it and count."""

    tweet_id: int
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Audit:
    """Tweets drawn uniformly from those that a filter takes; `mentions` are counts over all of those, by label."""

    chosen: Filter
    seed: int
    coverage: Coverage
    mentions: dict[str, int]
    tweets: list[AuditTweet]


def draw_audit(session: Session, chosen: Filter, tweets: int, seed: int) -> Audit:
    """Draw tweets that the version has read, with and without mentions, each as likely as any other.

    The same seed draws the same tweets from the same ones, in both databases, and fewer of them are the first of more.
    Tweets are ordered by a hash of their ids, and the first are taken: one pass over the version's marks and over the
    mentions that count, without sorting them. Strata of tweets with and without mentions were tried: they made the
    intervals of frequent labels 8 % narrower and those of rare ones much wider. Raises QueryError if no tweet is left.
    """
    numbered = _in_random_order(Tweet.id, seed)
    drawn = session.execute(
        read_tweets(session, chosen, Tweet.id, Tweet.text).order_by(numbered, Tweet.id).limit(tweets)
    ).all()
    if not drawn:
        raise QueryError(
            f"version {chosen.model_version_id} has read no tweet that the filter takes; ask for more, "
            "or see `tweetspan status`"
        )
    spans = spans_of(session, chosen, [row.id for row in drawn])
    rows = [AuditTweet(row.id, row.text, spans[row.id]) for row in drawn]
    return Audit(chosen, seed, cover(session, chosen), _mentions_by_label(session, chosen), rows)


def spans_of(session: Session, chosen: Filter, tweet_ids: Sequence[int]) -> dict[int, tuple[Span, ...]]:
    """Return the mentions that count in each of these chosen tweets, none or more, in the order of the text."""
    found = mentions(session, chosen.of_any_tweet())
    columns = (found.c.tweet_id, found.c.start_char, found.c.end_char, found.c.label, found.c.score)
    rows = session.execute(select(*columns).where(is_one_of(session, found.c.tweet_id, tweet_ids)))
    spans: dict[int, list[Span]] = defaultdict(list)
    for row in rows:
        spans[row.tweet_id].append(Span(row.start_char, row.end_char, row.label, row.score))
    return {tweet_id: tuple(sorted(spans[tweet_id])) for tweet_id in tweet_ids}


def _mentions_by_label(session: Session, chosen: Filter) -> dict[str, int]:
    found = mentions(session, chosen)
    counted = {label: count for label, count in session.execute(select(found.c.label, func.count()).group_by("label"))}
    labels = [chosen.label] if chosen.label else sorted({*labels_of(session, chosen.model_version_id), *counted})
    return {label: counted.get(label, 0) for label in labels}


def _in_random_order(column: Any, seed: int) -> ColumnElement[int]:
    """Return the SQL of a random number for each id: a polynomial of degree 3, drawn by the seed, modulo a prime.

    Any four ids are ordered independently, which is what variances rest on (Wegman and Carter 1981).
    """
    random = Random(seed)  # noqa: S311 (no secret)
    value: Any = random.randrange(1, _PRIME)
    for _ in range(3):
        value = (value * (column % _PRIME) + random.randrange(_PRIME)) % _PRIME
    numbered: ColumnElement[int] = value
    return numbered
