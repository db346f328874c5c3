"""The scores on a model card: micro and by label, in the three figures, with intervals where counts were kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.bootstrap import interval
from trainer.entity_counts import FIGURES, EntityCounts, f1, precision, recall

MICRO = "all labels"

_ABOUT = """- **official**: over the corpus's own tokens; where it writes "@" as a token of its own, so is this.
- **joined**: with "@" and "#" joined to the word behind them, so that a wrong handle counts once, not twice.
- **plain**: joined, without the entities that are a handle: the figure that owes nothing to handles."""

_HEADER = """| figure | label | F1 | interval | precision | recall | gold |
| --- | --- | ---: | --- | ---: | ---: | ---: |"""


@dataclass(frozen=True)
class Score:
    """Precision, recall and F1 of a label, in 0..1, with the 95 % interval of F1; None for what was not kept."""

    figure: str
    label: str
    f1: float
    precision: float | None = None
    recall: float | None = None
    interval: tuple[float, float] | None = None
    gold: int | None = None


def scores_of_counts(counts: Mapping[str, EntityCounts]) -> list[Score]:
    """Compute the scores of all labels together and of each, figure by figure."""
    return [
        _score(figure, label, table)
        for figure in FIGURES
        for label, table in (
            (MICRO, counts[figure].micro),
            *((label, counts[figure].of(label)) for label in counts[figure].labels),
        )
    ]


def scores_without_counts(kept: Mapping[str, Any]) -> list[Score]:
    """Return what the scores of an epoch tell, for a version whose counts were not kept: no intervals."""
    names = {"official": "overall_f1", "joined": "joined_f1", "plain": "plain_f1"}
    return [Score(figure, MICRO, kept[names[figure]]) for figure in FIGURES if names[figure] in kept]


def score_of(scores: Sequence[Score], figure: str) -> Score | None:
    """Find the score of all labels together in a figure."""
    return next((one for one in scores if (one.figure, one.label) == (figure, MICRO)), None)


def scores_table(scores: Sequence[Score], texts: int) -> str:
    """Write the scores as a table of Markdown, and what they mean."""
    told = (
        f"Strict entity scores on the validation split of {texts} texts (an entity is right if both boundaries and the "
        "label are). The interval is that of F1, at 95 %, by bootstrap over texts; gold is how many entities there are."
    )
    return "\n".join([told, "", _HEADER, *map(_row, scores), "", _ABOUT])


def _score(figure: str, label: str, table: Any) -> Score:
    total = table.sum(axis=0)
    rates = {name: float(rate(total)) for name, rate in (("f1", f1), ("precision", precision), ("recall", recall))}
    return Score(figure, label, **rates, interval=interval(table, f1), gold=int(total[2]))


def _row(score: Score) -> str:
    shown = f"{score.interval[0]:.3f} to {score.interval[1]:.3f}" if score.interval else "not kept"
    rates = ["-" if value is None else f"{value:.3f}" for value in (score.precision, score.recall)]
    gold = "-" if score.gold is None else str(score.gold)
    return f"| {' | '.join([score.figure, score.label, f'{score.f1:.3f}', shown, *rates, gold])} |"
