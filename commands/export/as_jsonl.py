"""JSONL: a tweet a line, with its spans."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commands.export.formats import Notes, Pages, Provenance, Sink
    from db.exports import ExportedSpan, ExportedTweet


def write(pages: Pages, output: Sink, provenance: Provenance) -> Notes:
    """Write JSON objects; ids are strings, since JSON's numbers lose their digits in many programs."""
    for page in pages:
        output.write("".join(json.dumps(_row(tweet), ensure_ascii=False) + "\n" for tweet in page).encode())
    return {}


def span_row(span: ExportedSpan) -> dict[str, Any]:
    """Write a span with the entity that it counts for."""
    return {
        "start": span.start,
        "end": span.end,
        "label": span.label,
        "surface": span.surface,
        "score": span.score,
        "entity": {"label": span.entity_label, "name": span.entity_name},
    }


def _row(tweet: ExportedTweet) -> dict[str, Any]:
    return {
        "id": str(tweet.id),
        "text": tweet.text,
        "created_at": tweet.created_at.isoformat() if tweet.created_at else None,
        "author": tweet.author,
        "language": tweet.language,
        "retweet_of": str(tweet.retweet_of) if tweet.retweet_of else None,
        "model_version": tweet.model_version_id,
        "spans": [span_row(span) for span in tweet.spans],
    }
