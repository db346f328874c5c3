"""An annotated text, and the repair that joins "@" and "#" to the word behind them. Standard library only.

Corpora that come as tokens are turned into text here: tokens joined by spaces, a lone "@" or "#" joined to what
follows, as it stands in a tweet. The Broad Twitter Corpus writes "@" as a token of its own, with a label of its own;
only `official_chunks`, the scoring of such a corpus by its own tokens, splits it off again.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tagging.spans import Chunk, Span, chunks, chunks_to_spans, iob2, spans_to_chunks
from tagging.words import words

HANDLE = re.compile(r"[@＠]\w+")
_SIGNS = ("@", "#")


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its gold spans; where the corpus came as tokens, also their offsets and IOB2 labels.

    `unannotated` are words that nobody looked at (see trainer/unannotated.py): neither trained on nor judged.
    """

    text: str
    spans: tuple[Span, ...]
    tokens: tuple[tuple[int, int], ...] = ()
    token_labels: tuple[str, ...] = ()
    unannotated: frozenset[tuple[int, int]] = frozenset()

    def word_labels(self) -> list[str]:
        """Return the IOB2 label of each of `words(text)`; a span that ends inside a word takes the whole word."""
        offsets = words(self.text)
        return iob2(spans_to_chunks(self.spans, offsets), len(offsets))


@dataclass(frozen=True)
class Corpus:
    """Named splits of examples.

    `sources` and `changes` tell where they came from and what was done to them since, for the registry:
    `trainer.corpus.load_corpus` and `trainer.corpus_repairs.change` repeat it.
    """

    name: str
    splits: dict[str, tuple[Example, ...]]
    changes: tuple[str, ...] = ()
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def entity_labels(self) -> tuple[str, ...]:
        """The entity labels of all splits, sorted: ('LOC', 'ORG', 'PER')."""
        return tuple(sorted({span.label for split in self.splits.values() for one in split for span in one.spans}))

    @property
    def sizes(self) -> dict[str, int]:
        """The number of texts in each split."""
        return {name: len(split) for name, split in self.splits.items()}

    @property
    def fingerprint(self) -> str:
        """SHA-256 over every text, span, token and label of every split, in order."""
        digest = hashlib.sha256()
        for name, split in sorted(self.splits.items()):
            digest.update(f"split {name}\n".encode())
            for one in split:
                spans = [(span.start, span.end, span.label) for span in one.spans]
                marks = [sorted(one.unannotated)] if one.unannotated else []
                told = [one.text, spans, one.tokens, one.token_labels, *marks]
                digest.update(json.dumps(told).encode() + b"\n")
        return digest.hexdigest()


def from_tokens(tokens: Sequence[str], labels: Sequence[str]) -> Example:
    """Make an Example from a corpus's tokens and IOB2 labels (invalid IOB2 is repaired as `chunks` says)."""
    offsets = _join(tokens)
    text = "".join(_spaced(tokens, offsets))
    units, unit_labels = _units(tokens, offsets, labels)
    return Example(text, tuple(chunks_to_spans(chunks(unit_labels), units)), tuple(offsets), tuple(labels))


def official_chunks(example: Example, spans: Sequence[Span]) -> list[Chunk]:
    """Project spans of the text onto the corpus's own tokens, the way its gold is written.

    A "@" token that begins a span becomes an entity of its own with the same label; a "#" token that begins one is
    left outside. That is how 97 % of the Broad Twitter Corpus's handles (sections E to H) and 95 % of its labelled
    hashtags are annotated. An example that did not come as tokens is read by our words.
    """
    if not example.tokens:
        return spans_to_chunks(spans, words(example.text))
    projected: list[Chunk] = []
    for first, last, label in spans_to_chunks(spans, example.tokens):
        sign = example.text[slice(*example.tokens[first])]
        if sign in _SIGNS and first < last:
            if sign == "@":
                projected.append(Chunk(first, first, label))
            first += 1
        projected.append(Chunk(first, last, label))
    return projected


def _join(tokens: Sequence[str]) -> list[tuple[int, int]]:
    offsets: list[tuple[int, int]] = []
    position = 0
    for token in tokens:
        offsets.append((position, position + len(token)))
        position += len(token) + (token not in _SIGNS)
    return offsets


def _spaced(tokens: Sequence[str], offsets: Sequence[tuple[int, int]]) -> list[str]:
    end = 0
    parts: list[str] = []
    for token, (start, stop) in zip(tokens, offsets, strict=True):
        parts.append(" " * (start - end) + token)
        end = stop
    return parts


def _units(
    tokens: Sequence[str], offsets: Sequence[tuple[int, int]], labels: Sequence[str]
) -> tuple[list[tuple[int, int]], list[str]]:
    """Merge each sign with the token behind it; the unit takes that token's label, or the sign's if it goes on."""
    units: list[tuple[int, int]] = []
    unit_labels: list[str] = []
    pending: tuple[int, str] | None = None  # start and label of a sign that waits for its token
    for token, (start, end), label in zip(tokens, offsets, labels, strict=True):
        if pending is not None:
            start, sign_label = pending
            label = sign_label if label.startswith("I-") else label
        is_last = end == offsets[-1][1]
        if token in _SIGNS and not is_last:
            pending = (start, label)
            continue
        pending = None
        units.append((start, end))
        unit_labels.append(label)
    return units, unit_labels
