"""Stored annotations as typed rows, page by page, for programs outside."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session, aliased

from db.bulk import is_one_of
from db.filters import Filter, mentions, read_tweets
from db.model_versions import find
from db.tables import Entity, EntityView, Span, Tweet

PAGE = 1000  # tweets
OFFSETS = "Unicode code points into the text, end exclusive"


@dataclass(frozen=True, slots=True)
class ExportedSpan:
    """A span: `text[start:end]` (code points, end exclusive) is the surface, `label` what the version called it.

    `entity_label` and `entity_name` are those of the entity that it counts for, merges applied: the name that somebody
    gave it, or its normalised one.
    """

    start: int
    end: int
    label: str
    surface: str
    score: float
    entity_label: str
    entity_name: str


@dataclass(frozen=True, slots=True)
class ExportedTweet:
    """A tweet that a version has read, with the spans that a filter leaves, in their order."""

    id: int
    text: str
    created_at: datetime | None
    author: str | None
    language: str | None
    retweet_of: int | None
    model_version_id: int
    spans: tuple[ExportedSpan, ...]


def annotated_tweets(
    session: Session,
    chosen: Filter,
    entity_ids: Collection[int] | None = None,
    after: int = 0,
    limit: int = PAGE,
) -> list[ExportedTweet]:
    """Return the next chosen tweets with an id above `after` that the version has read, in the order of their ids.

    Tweets without a span are among them, unless the filter asks for something of spans (label, score, kind), or
    `entity_ids` for spans that were found as one of these entities (see `db.entity_lookup.members`). Call it in a new
    session for each page, so that no transaction stays open while somebody reads.
    """
    statement = read_tweets(
        session, chosen, Tweet.id, Tweet.text, Tweet.created_at, Tweet.author, Tweet.language, Tweet.retweet_of
    )
    found = mentions(session, chosen.of_any_tweet(), entity_ids)
    if entity_ids is not None:  # by the index of its mentions, however few of the tweets they stand in
        statement = statement.where(Tweet.id.in_(select(found.c.tweet_id).where(found.c.tweet_id > after)))
    elif _asks_for_spans(chosen):  # tweet by tweet, so that a page does not look at those of the pages behind it
        statement = statement.where(exists().where(found.c.tweet_id == Tweet.id))
    tweets: Sequence[Any] = session.execute(statement.where(Tweet.id > after).order_by(Tweet.id).limit(limit)).all()
    spans = _spans(session, chosen, entity_ids, [tweet.id for tweet in tweets])
    of_version = chosen.model_version_id
    return [ExportedTweet(*(*tweet, of_version, tuple(spans[tweet.id]))) for tweet in tweets]


def provenance(session: Session, chosen: Filter, entity: str | None = None) -> dict[str, Any]:
    """Say where exported spans come from: the version and its hashes, the filter, the unit of offsets, the time."""
    version = find(session, str(chosen.model_version_id))
    asked = {one.name: getattr(chosen, one.name) for one in fields(chosen) if one.name != "model_version_id"}
    moments = {name: value.isoformat() for name, value in asked.items() if isinstance(value, datetime)}
    return {
        "model_version": version.id,
        "base_model": version.base_model,
        "artifact_hash": version.artifact_hash,
        "corpus": version.corpus,
        "corpus_fingerprint": version.corpus_fingerprint,
        "offsets": OFFSETS,
        "filter": {**asked, **moments, "entity": entity},
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _asks_for_spans(chosen: Filter) -> bool:
    return chosen.label is not None or not chosen.takes_any_score or chosen.kind != "all"


def _spans(
    session: Session, chosen: Filter, entity_ids: Collection[int] | None, tweet_ids: Collection[int]
) -> dict[int, list[ExportedSpan]]:
    found = mentions(session, chosen.of_any_tweet(), entity_ids)
    root, view = aliased(Entity), aliased(EntityView)
    same_span = and_(
        Span.tweet_id == found.c.tweet_id,
        Span.model_version_id == chosen.model_version_id,
        Span.start_char == found.c.start_char,
    )
    statement = (
        select(
            Span.tweet_id, Span.start_char, Span.end_char, Span.label, Span.surface, Span.score,
            root.label.label("entity_label"), root.name.label("entity_name"), view.name.label("given_name"),
        )
        .join(found, same_span)
        .join(root, root.id == found.c.entity_id)
        .outerjoin(view, view.entity_id == root.id)
        .where(is_one_of(session, Span.tweet_id, tweet_ids))
        .order_by(Span.tweet_id, Span.start_char)
    )  # fmt: skip
    spans: dict[int, list[ExportedSpan]] = defaultdict(list)
    for tweet_id, start, end, label, surface, score, entity_label, name, given in session.execute(statement):
        row = ExportedSpan(start, end, label, surface, round(score, 6), entity_label, given or name)
        spans[tweet_id].append(row)
    return spans
