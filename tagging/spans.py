"""Spans and IOB2 labels: pure functions between the two. Standard library only.

Offsets are Unicode code points into the stored text, end exclusive: ``text[start:end]`` is the surface of the span.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

OUTSIDE = "O"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """An entity mention: `text[start:end]` (code points, end exclusive) is a `label` (PER, ORG, LOC, ...).

    `score` lies in 0..1: the probability that start, end and label are right, as far as the tagger is calibrated (see
    `tagging.calibration`); gold spans have 1.
    """

    start: int
    end: int
    label: str
    score: float = 1.0

    def surface(self, text: str) -> str:
        """Return the marked characters."""
        return text[self.start : self.end]


class Chunk(NamedTuple):
    """A run of words of one entity: words `first` to `last`, `last` included."""

    first: int
    last: int
    label: str


def chunks(labels: Sequence[str]) -> list[Chunk]:
    """Read IOB2 labels as entities, repairing invalid ones as seqeval's default mode and conlleval do.

    An entity begins at every B- and at an I- that does not continue an entity of the same label: ``O I-PER`` and
    ``B-LOC I-PER`` both begin a PER. Nothing is dropped, nothing is relabelled.
    """
    found: list[Chunk] = []
    for position, tag in enumerate(labels):
        prefix, _, label = tag.partition("-")
        if prefix == OUTSIDE:
            continue
        continues = prefix == "I" and found and found[-1].last == position - 1 and found[-1].label == label
        if continues:
            found[-1] = found[-1]._replace(last=position)
        else:
            found.append(Chunk(position, position, label))
    return found


def iob2(entities: Iterable[Chunk], length: int) -> list[str]:
    """Write entities over `length` words as IOB2 labels: the inverse of `chunks`. Entities must not overlap."""
    labels = [OUTSIDE] * length
    for first, last, label in entities:
        labels[first] = f"B-{label}"
        labels[first + 1 : last + 1] = [f"I-{label}"] * (last - first)
    return labels


def label_list(entity_labels: Iterable[str]) -> list[str]:
    """List the IOB2 labels for entity labels, O first: the index is the class of the network.

    >>> label_list(["PER", "LOC"])
    ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC']
    """
    return [OUTSIDE, *(f"{prefix}-{label}" for label in entity_labels for prefix in "BI")]


def spans_to_chunks(spans: Iterable[Span], words: Sequence[tuple[int, int]]) -> list[Chunk]:
    """Find the words that each span covers; a boundary inside a word moves out to the word's edge.

    `words` are (start, end) offsets in rising order. A span without any word is left out; of two spans that would
    share a word the earlier one keeps it.
    """
    found: list[Chunk] = []
    position = 0
    for span in sorted(spans):
        while position < len(words) and words[position][1] <= span.start:
            position += 1
        last = position
        while last < len(words) and words[last][0] < span.end:
            last += 1
        if last > position:
            found.append(Chunk(position, last - 1, span.label))
            position = last
    return found


def chunks_to_spans(entities: Iterable[Chunk], words: Sequence[tuple[int, int]]) -> list[Span]:
    """Turn runs of words into spans."""
    return [Span(words[first][0], words[last][1], label) for first, last, label in entities]
