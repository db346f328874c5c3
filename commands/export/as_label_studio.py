"""Label Studio: tasks with predictions to correct, and the labelling configuration of their project.

Its front end counts offsets in code points, as we do (until 2022 it counted UTF-16 units).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from commands.export.formats import Notes, Pages, Provenance, Sink
    from db.exports import ExportedTweet


def write(pages: Pages, output: Sink, provenance: Provenance) -> Notes:
    """Write a JSON array of tasks, a task a line."""
    separator = "[\n"
    for tweet in chain.from_iterable(pages):
        output.write(f"{separator}{json.dumps(_task(tweet), ensure_ascii=False)}".encode())
        separator = ",\n"
    output.write(b"[]\n" if separator == "[\n" else b"\n]\n")
    return {}


def label_config(labels: Iterable[str]) -> str:
    """Write the labelling configuration that the tasks fit."""
    lines = "".join(f"    <Label value={quoteattr(label)}/>\n" for label in labels)
    text = '  <Text name="text" value="$text"/>\n'
    return f'<View>\n  <Labels name="label" toName="text">\n{lines}  </Labels>\n{text}</View>\n'


def _task(tweet: ExportedTweet) -> dict[str, Any]:
    prediction: dict[str, Any] = {
        "model_version": f"tweetspan {tweet.model_version_id}",
        "result": [region(one.start, one.end, one.label, one.surface, one.score) for one in tweet.spans],
    }
    if tweet.spans:
        # So that Label Studio can show the least sure first.
        prediction["score"] = min(span.score for span in tweet.spans)
    data = {
        "text": tweet.text,
        "tweet_id": str(tweet.id),
        "created_at": tweet.created_at.isoformat() if tweet.created_at else None,
        "author": tweet.author,
        "language": tweet.language,
    }
    return {"data": data, "predictions": [prediction]}


def region(start: int, end: int, label: str, surface: str, score: float) -> dict[str, Any]:
    """Write a span as a region of the annotation."""
    return {
        "id": f"{start}-{end}",
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "score": score,
        "value": {"start": start, "end": end, "text": surface, "labels": [label]},
    }
