"""Stored annotations as plain rows, for programs outside."""

from collections import defaultdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Annotation, Span, Tweet

PAGE = 1000  # tweets


def annotated_tweets(
    session: Session, model_version_id: int, after: int = 0, limit: int = PAGE
) -> list[dict[str, Any]]:
    """Return the next tweets with an id above `after` that the version has read, with their spans, in order of id.

    Ids are strings (JSON numbers lose digits); `start` and `end` are code points into `text`, end exclusive. Page by
    page, so that no transaction stays open while somebody reads.
    """
    tweets = session.scalars(
        select(Tweet)
        .join(Annotation, Annotation.tweet_id == Tweet.id)
        .where(Annotation.model_version_id == model_version_id, Annotation.status == "done", Tweet.id > after)
        .order_by(Tweet.id)
        .limit(limit)
    ).all()
    if not tweets:
        return []
    spans = _spans(session, model_version_id, tweets[0].id, tweets[-1].id)
    return [_row(tweet, model_version_id, spans[tweet.id]) for tweet in tweets]


def _spans(session: Session, model_version_id: int, first: int, last: int) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    mine = select(Span).where(Span.model_version_id == model_version_id, Span.tweet_id.between(first, last))
    for span in session.scalars(mine.order_by(Span.tweet_id, Span.start_char)):
        found[span.tweet_id].append(
            {
                "start": span.start_char,
                "end": span.end_char,
                "label": span.label,
                "surface": span.surface,
                "score": round(span.score, 6),
            }
        )
    return found


def _row(tweet: Tweet, model_version_id: int, spans: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(tweet.id),
        "text": tweet.text,
        "created_at": tweet.created_at.isoformat() if tweet.created_at else None,
        "author": tweet.author,
        "language": tweet.language,
        "retweet_of": str(tweet.retweet_of) if tweet.retweet_of else None,
        "model_version": model_version_id,
        "spans": spans,
    }
