"""spaCy's training data: a text with its entities a line, as `Example.from_dict` takes them.

Not a DocBin, spaCy's binary form: that holds spaCy's own tokens, and only as a whole, so it cannot be streamed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands.export.formats import Notes, Pages, Provenance, Sink
    from db.exports import ExportedTweet


def write(pages: Pages, output: Sink, provenance: Provenance) -> Notes:
    """Write JSON objects with text, entities as (start, end, label), and where they come from."""
    for page in pages:
        output.write("".join(map(_line, page)).encode())
    return {}


def _line(tweet: ExportedTweet) -> str:
    entities = [(span.start, span.end, span.label) for span in tweet.spans]
    meta = {"id": str(tweet.id), "model_version": tweet.model_version_id}
    return json.dumps({"text": tweet.text, "entities": entities, "meta": meta}, ensure_ascii=False) + "\n"
