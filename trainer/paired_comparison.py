"""Two taggers on the same annotated texts: by how much they differ, how sure that is, and in which texts."""

from collections.abc import Sequence
from dataclasses import dataclass

from tagging.spans import Span
from trainer.bootstrap import Difference, paired
from trainer.entity_counts import FIGURES, EntityCounts, entity_counts, f1
from trainer.examples import Example

Predictions = Sequence[Sequence[Span]]


@dataclass(frozen=True)
class Row:
    """The F1 of both in a figure, of one label or of all (None), and their difference, second less first."""

    figure: str
    label: str | None
    gold: int
    first: float
    second: float
    difference: Difference


def compare_predictions(examples: Sequence[Example], first: Predictions, second: Predictions) -> list[Row]:
    """Compare what two models found in the examples' texts, by paired bootstrap: all labels together, then each."""
    labels = sorted({span.label for texts in (first, second) for spans in texts for span in spans} | _gold(examples))
    rows = []
    for figure in FIGURES:
        one, other = (entity_counts(figure, examples, predicted, labels) for predicted in (first, second))
        rows += [_row(figure, label, one, other) for label in (None, *labels)]
    return rows


def differing(first: Predictions, second: Predictions) -> list[int]:
    """Return the positions of the texts in which the two did not find the same entities."""
    pairs = enumerate(zip(first, second, strict=True))
    return [position for position, (one, other) in pairs if _keys(one) != _keys(other)]


def _row(figure: str, label: str | None, first: EntityCounts, second: EntityCounts) -> Row:
    one, other = (counts.of(label) if label else counts.micro for counts in (first, second))
    gold, *scores = int(one[:, 2].sum()), *(float(f1(table.sum(axis=0))) for table in (one, other))
    return Row(figure, label, gold, scores[0], scores[1], paired(one, other, f1))


def _gold(examples: Sequence[Example]) -> set[str]:
    return {span.label for example in examples for span in example.spans}


def _keys(spans: Sequence[Span]) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label) for span in spans]
