"""CSV: a span a row. Tweets without a span have none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commands.export.formats import Notes, Pages, Provenance, Sink
    from db.exports import ExportedTweet

COLUMNS = (
    "tweet_id", "created_at", "author", "language", "retweet_of", "start", "end", "label", "surface", "score",
    "entity_label", "entity", "model_version", "text",
)  # fmt: skip


def write(pages: Pages, output: Sink, provenance: Provenance) -> Notes:
    """Write rows with every text in quotes, ids too, so that programs read back what is stored.

    Nothing is put before a "=" or "@" against formulas: it would change the texts, to which the offsets belong.
    """
    output.write(_lines([COLUMNS]))
    for page in pages:
        output.write(_lines(row for tweet in page for row in _rows(tweet)))
    return {}


def _rows(tweet: ExportedTweet) -> Iterator[tuple[Any, ...]]:
    created_at = tweet.created_at.isoformat() if tweet.created_at else None
    retweet_of = str(tweet.retweet_of) if tweet.retweet_of else None
    of_tweet = (str(tweet.id), created_at, tweet.author, tweet.language, retweet_of)
    for span in tweet.spans:
        of_span = (span.start, span.end, span.label, span.surface, span.score, span.entity_label, span.entity_name)
        yield *of_tweet, *of_span, tweet.model_version_id, tweet.text


def _lines(rows: Any) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerows(rows)
    return text.getvalue().encode()
