"""Which tweets are most worth a person's time?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice, zip_longest
from typing import Any

from sqlalchemy import Select, Subquery, func, select, union_all
from sqlalchemy.orm import Session, aliased

from db import tweets
from db.counts import EVER
from db.entity_lookup import labels_of
from db.filters import Filter, mentions, read_tweets
from db.questions.audit import spans_of
from db.tables import Annotation, Entity, EntityCount, EntityView, HourCount, Tweet
from tagging.spans import Span

_COMPARED = 20_000  # tweets, the newest ids, in which two versions are compared
_SPARE = 5  # candidates for each tweet that is wanted: several may be of one tweet, or have one text
_RARE = 3  # mentions up to which an entity is rare


@dataclass(frozen=True)
class ReviewTweet:
    """A tweet with the mentions that count in it, and why a person should look at it."""

    tweet_id: int
    text: str
    spans: tuple[Span, ...]
    reasons: tuple[str, ...]


def for_review(session: Session, chosen: Filter, limit: int) -> list[ReviewTweet]:
    """Return the tweets most worth a person's time, each with its reasons, and each text once.

    There are three rankings, of which one tweet each is taken in turn; one that stands in several comes at the first of
    its places, with all its reasons:

    - the mentions with the lowest scores, lowest first;
    - the tweets in which the latest other version found other spans, most such spans first: the 20,000 highest ids
      that both have read are compared;
    - entities with at most three mentions by this version, fewest first, then those that were found latest, except
      those that somebody has merged, renamed or hidden; one tweet each, that with the highest id.

    Reads the scores of all mentions that count once, and otherwise a bounded number of rows.
    """
    rankings = [
        _by_score(session, chosen, limit),
        _by_disagreement(session, chosen, limit),
        _rare(session, chosen, limit),
    ]
    reasons: dict[int, list[str]] = {}
    for tweet_id, reason in _in_turn(rankings):
        reasons.setdefault(tweet_id, []).append(reason)
    texts = tweets.texts(session, list(reasons))
    first: dict[str, int] = {}
    for tweet_id in reasons:
        first.setdefault(texts[tweet_id], tweet_id)
    wanted = list(islice(first.values(), limit))
    spans = spans_of(session, chosen, wanted)
    return [ReviewTweet(one, texts[one], spans[one], tuple(reasons[one])) for one in wanted]


def _in_turn(rankings: list[dict[int, str]]) -> Iterator[tuple[int, str]]:
    turns = zip_longest(*(ranking.items() for ranking in rankings))
    return (one for one in chain.from_iterable(turns) if one is not None)


def _by_score(session: Session, chosen: Filter, limit: int) -> dict[int, str]:
    found = mentions(session, chosen)
    lowest = select(found.c.tweet_id, found.c.score).order_by(found.c.score, found.c.tweet_id).limit(limit * _SPARE)
    ranking: dict[int, str] = {}
    for tweet_id, score in session.execute(lowest):
        ranking.setdefault(tweet_id, f"a score of {score:.2f}")
    return ranking


def _by_disagreement(session: Session, chosen: Filter, limit: int) -> dict[int, str]:
    other = _latest_other_version(session, chosen.model_version_id)
    if other is None:
        return {}
    marked = aliased(Annotation)
    both = read_tweets(session, chosen, Tweet.id).join(marked, marked.tweet_id == Tweet.id)
    both = both.where(marked.model_version_id == other, marked.status == "done")
    compared = both.order_by(Tweet.id.desc()).limit(_COMPARED).subquery()
    found = [_spans(mentions(session, replace(chosen, model_version_id=one)), compared) for one in
             (chosen.model_version_id, other)]  # fmt: skip
    spans = union_all(*found).subquery()
    columns = (spans.c.tweet_id, spans.c.start_char, spans.c.end_char, spans.c.label)
    found_once = select(spans.c.tweet_id).group_by(*columns).having(func.count() == 1).subquery()
    differing = select(found_once.c.tweet_id, func.count().label("spans")).group_by(found_once.c.tweet_id)
    most_first = differing.order_by(func.count().desc(), found_once.c.tweet_id.desc()).limit(limit * _SPARE)
    versions = f"versions {chosen.model_version_id} and {other} disagree on"
    return {row.tweet_id: f"{versions} {row.spans} span{'s' * (row.spans > 1)}" for row in session.execute(most_first)}


def _latest_other_version(session: Session, model_version_id: int) -> int | None:
    others = select(func.max(HourCount.model_version_id)).where(HourCount.model_version_id != model_version_id)
    return session.scalar(others)


def _spans(found: Subquery, compared: Subquery) -> Select[Any]:
    columns = (found.c.tweet_id, found.c.start_char, found.c.end_char, found.c.label)
    return select(*columns).where(found.c.tweet_id.in_(select(compared.c.id)))


def _rare(session: Session, chosen: Filter, limit: int) -> dict[int, str]:
    names = _rare_entities(session, chosen, limit * _SPARE)
    found = mentions(session, chosen, list(names))
    newest = select(found.c.entity_id, func.max(found.c.tweet_id).label("tweet_id")).group_by(found.c.entity_id)
    latest = {row.entity_id: row.tweet_id for row in session.execute(newest)}
    ranking: dict[int, str] = {}
    for entity_id, reason in names.items():
        if entity_id in latest:
            ranking.setdefault(latest[entity_id], reason)
    return ranking


def _rare_entities(session: Session, chosen: Filter, limit: int) -> dict[int, str]:
    """Return a reason for each of the rarest entities, rarest first, by the maintained counts."""
    mine = (EntityCount.model_version_id == chosen.model_version_id, EntityCount.day == EVER)
    untouched = ~select(EntityView).where(EntityView.entity_id == Entity.id).exists()
    rows: list[Any] = []
    for label in [chosen.label] if chosen.label else labels_of(session, chosen.model_version_id):
        of_label = (EntityCount.label == label, EntityCount.mentions <= _RARE, untouched)
        rarest = select(Entity.id, Entity.label, Entity.name, EntityCount.mentions)
        rarest = rarest.join(Entity, Entity.id == EntityCount.entity_id).where(*mine, *of_label)
        rows += session.execute(rarest.order_by(EntityCount.mentions, Entity.id.desc()).limit(limit))
    rows.sort(key=lambda row: (row.mentions, -row.id))
    return {
        row.id: f"{row.label}:{row.name} has {row.mentions} mention{'s' * (row.mentions > 1)}" for row in rows[:limit]
    }
