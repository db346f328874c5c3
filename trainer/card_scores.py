"""The scores on a model card, from the evaluations that are kept of a version."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.entity_counts import FIGURES
from trainer.origins import corpus_origins, named

_ABOUT = """An entity is right if both boundaries and the label are. Intervals are at 95 %, by bootstrap over texts.
What is found at handles that nobody annotated counts neither as right nor as wrong; published scores count it as wrong.

- **official**: over the corpus's own tokens; where it writes "@" as a token of its own, so is this.
- **joined**: with "@" and "#" joined to the word behind them, so that a wrong handle counts once, not twice.
- **plain**: joined, without the entities that are a handle: the figure that owes nothing to handles."""

_HEADER = """| figure | label | F1 | precision | recall | gold entities |
| --- | --- | --- | --- | --- | ---: |"""


@dataclass(frozen=True)
class Measured:
    """An evaluation: the corpus by its registered name, and `results` as `trainer.evaluation` gives them as a dict."""

    corpus: str
    split: str
    texts: int
    results: Mapping[str, Any]

    def micro(self, figure: str) -> Mapping[str, Any]:
        """Return the rates of all labels together in a figure."""
        rates: Mapping[str, Any] = self.results["figures"][figure]["micro"]
        return rates


def scores_section(measured: Sequence[Measured]) -> str:
    """Write a table of Markdown for each evaluation, and what the figures mean."""
    if not measured:
        return "No evaluation of this version was kept."
    return "\n\n".join([*(f"On {_place(one)}:\n\n{_table(one)}" for one in measured), _ABOUT])


def calibration_sentence(measured: Measured) -> str:
    """Say how far scores and shares of right spans are apart, if any span was found."""
    found = measured.results["calibration"].get("all entities")
    if not found:
        return ""
    return (
        f" On {_place(measured)} the expected calibration error is {found['ece']:.3f} ({found['ece_low']:.3f} to "
        f"{found['ece_high']:.3f}; {found['spans']} spans; a perfect model would show about {found['floor']:.3f})."
    )


def _place(measured: Measured) -> str:
    place = f"{measured.texts} texts of {named(corpus_origins(measured.corpus))}"
    return place if measured.split == "all" else f"{place} ({measured.split})"


def _table(measured: Measured) -> str:
    return "\n".join([_HEADER, *_rows(measured)])


def _rows(measured: Measured) -> Iterator[str]:
    for figure in FIGURES:
        by_label = {"all": measured.micro(figure), **measured.results["figures"][figure]["by_label"]}
        for label, rates in by_label.items():
            cells = [figure, label, *(_estimate(rates[name]) for name in ("f1", "precision", "recall"))]
            yield f"| {' | '.join(cells)} | {rates['gold']} |"


def _estimate(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"
