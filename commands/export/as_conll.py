"""CoNLL: a word and its IOB2 label a line, an empty line between tweets.

There are no lines of remarks: neither `tweetspan train` nor spaCy could tell them from words.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tagging.spans import Chunk, Span, chunks_to_spans, iob2, spans_to_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commands.export.formats import Notes, Pages, Provenance, Sink
    from db.exports import ExportedTweet

    Offsets = Sequence[tuple[int, int]]


def write(pages: Pages, output: Sink, provenance: Provenance) -> Notes:
    """Write the words that the tagger sees; count what whole words cannot hold."""
    notes: Counter[str] = Counter()
    for page in pages:
        output.write("".join(_sentence(tweet, notes) for tweet in page).encode())
    return notes


def _sentence(tweet: ExportedTweet, notes: Counter[str]) -> str:
    from tagging.words import words

    offsets = words(tweet.text)
    if not offsets:
        notes["tweets without a word left out"] += 1
        return ""
    spans = [Span(span.start, span.end, span.label) for span in tweet.spans]
    chunks = spans_to_chunks(spans, offsets)
    notes.update(_differences(spans, chunks, offsets))
    labels = iob2(chunks, len(offsets))
    lines = (f"{tweet.text[start:end]}\t{label}\n" for (start, end), label in zip(offsets, labels, strict=True))
    return "".join(lines) + "\n"


def _differences(spans: Sequence[Span], chunks: Sequence[Chunk], offsets: Offsets) -> dict[str, int]:
    same = len(set(spans) & set(chunks_to_spans(chunks, offsets)))
    left_out = len(spans) - len(chunks)
    return {"spans widened to whole words": len(chunks) - same, "spans within another's words left out": left_out}
