"""Entities right, found and wanted in each text, in three figures; precision, recall and F1 of such counts.

official  over the corpus's own tokens where it came as tokens ("@" split off again), otherwise over our words
joined    over our words: "@" and "#" joined to what follows, so that a wrong handle counts once, not twice
plain     joined, without the entities that are a handle, gold and found: most entities of tweets are handles, so that
          the other two may rise by handles alone
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tagging.spans import Span, chunks, chunks_to_spans, spans_to_chunks
from tagging.words import words
from trainer.examples import Example, official_chunks

FIGURES = ("official", "joined", "plain")

_HANDLE = re.compile(r"[@＠]\w+")


class Reading(NamedTuple):
    """The entities of one text in one figure: spans from the edge of a token or word to that of another, score 1."""

    gold: list[Span]
    found: list[Span]


@dataclass(frozen=True)
class EntityCounts:
    """What each text adds: `table` has the shape (texts, labels, 3), the last axis being right, found and gold."""

    labels: tuple[str, ...]
    table: np.ndarray

    @property
    def micro(self) -> np.ndarray:
        """All labels together: (texts, 3)."""
        summed: np.ndarray = self.table.sum(axis=1)
        return summed

    @property
    def by_label(self) -> np.ndarray:
        """The labels side by side, for `macro_f1`: (texts, labels times 3)."""
        return self.table.reshape(len(self.table), 3 * len(self.labels))

    def of(self, label: str) -> np.ndarray:
        """One label: (texts, 3)."""
        return self.table[:, self.labels.index(label)]


def entity_counts(
    figure: str,
    examples: Sequence[Example],
    predicted: Sequence[Sequence[Span]],
    labels: Sequence[str] | None = None,
) -> EntityCounts:
    """Count the entities of each text in a figure; `predicted` are the spans found in each example's text.

    `labels` are by default those that occur, gold or found; give them where two models are compared.
    """
    return count([read(figure, *one) for one in zip(examples, predicted, strict=True)], labels)


def count(readings: Sequence[Reading], labels: Sequence[str] | None = None) -> EntityCounts:
    """Count the entities of each text: right are those found with the very boundaries and label of a gold one."""
    occurring = {entity.label for reading in readings for side in reading for entity in side}
    labels = tuple(sorted(occurring) if labels is None else labels)
    places = {label: place for place, label in enumerate(labels)}
    table = np.zeros((len(readings), len(labels), 3), dtype=int)
    for row, reading in zip(table, readings, strict=True):
        gold, found = set(reading.gold), set(reading.found)
        for column, entities in enumerate((gold & found, found, gold)):
            for entity in entities:
                row[places[entity.label], column] += 1
    return EntityCounts(labels, table)


def read(figure: str, example: Example, spans: Sequence[Span]) -> Reading:
    """Read gold and found spans of a text as a figure counts them."""
    if figure == "official" and example.tokens:
        gold, found = chunks(example.token_labels), official_chunks(example, spans)
        return Reading(chunks_to_spans(gold, example.tokens), chunks_to_spans(found, example.tokens))
    sides = [list(example.spans), list(spans)]
    if figure == "plain":
        sides = [_plain(example.text, side) for side in sides]
    offsets = words(example.text)
    return Reading(*(chunks_to_spans(spans_to_chunks(side, offsets), offsets) for side in sides))


def is_handle(surface: str) -> bool:
    """Tell whether a surface is a handle and nothing else."""
    return bool(_HANDLE.fullmatch(surface))


def precision(counts: np.ndarray) -> np.ndarray:
    """Right of found; 0 where nothing is found. Counts are (..., 3)."""
    return _share(counts[..., 0], counts[..., 1])


def recall(counts: np.ndarray) -> np.ndarray:
    """Right of gold; 0 where there is no gold. Counts are (..., 3)."""
    return _share(counts[..., 0], counts[..., 2])


def f1(counts: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall; 0 where there is neither found nor gold. Counts are (..., 3)."""
    return _share(2 * counts[..., 0], counts[..., 1] + counts[..., 2])


def macro_precision(counts: np.ndarray) -> np.ndarray:
    """Mean of the labels' precision. Counts are (..., labels times 3), as `EntityCounts.by_label` has them."""
    return _macro(precision, counts)


def macro_recall(counts: np.ndarray) -> np.ndarray:
    """Mean of the labels' recall, of counts as above."""
    return _macro(recall, counts)


def macro_f1(counts: np.ndarray) -> np.ndarray:
    """Mean of the labels' F1, of counts as above."""
    return _macro(f1, counts)


def _macro(statistic: Callable[[np.ndarray], np.ndarray], counts: np.ndarray) -> np.ndarray:
    if not counts.shape[-1]:
        return np.zeros(counts.shape[:-1])
    mean: np.ndarray = statistic(counts.reshape(*counts.shape[:-1], -1, 3)).mean(axis=-1)
    return mean


def _plain(text: str, spans: Sequence[Span]) -> list[Span]:
    """Leave out the spans that are a handle; one that only begins with a handle stays."""
    return [span for span in spans if not is_handle(span.surface(text))]


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    share: np.ndarray = np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
    return share
