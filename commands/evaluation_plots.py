"""The plots of an evaluation, as SVG whose colours are the page's, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from answers.plots import as_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trainer.error_kinds import ErrorKind
    from trainer.estimates import Estimate
    from trainer.evaluation import FigureScores
    from trainer.reliability import Reliability
    from trainer.slices import Slice

# Colours that stand for the page's variables, which matplotlib cannot name.
_INK, _FAINT, _LINE, _FIRST, _SECOND, _THIRD = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
_VARIABLES = {
    _INK: "var(--ink)", _FAINT: "var(--faint)", _LINE: "var(--line)",
    _FIRST: "var(--first)", _SECOND: "var(--second)", _THIRD: "var(--third)",
}  # fmt: skip
_STYLE: dict[Any, Any] = {
    "figure.facecolor": "none", "axes.facecolor": "none", "font.size": 10, "text.color": _INK,
    "axes.labelcolor": _FAINT, "axes.edgecolor": _LINE, "axes.spines.top": False, "axes.spines.right": False,
    "axes.spines.left": False, "axes.grid": True, "axes.axisbelow": True, "grid.color": _LINE, "grid.linewidth": 0.6,
    "xtick.color": _FAINT, "ytick.color": _INK, "xtick.bottom": False, "ytick.left": False, "text.parse_math": False,
    "axes.labelsize": 9, "xtick.labelsize": 9,
}  # fmt: skip
_WIDTH = 4.6  # inches


def figures_plot(figures: dict[str, FigureScores], texts: int) -> str:
    """Draw the F1 of all entities and of each label, in the three figures."""
    series = {
        name: {"all": one.micro.f1} | {label: rates.f1 for label, rates in one.by_label.items()}
        for name, one in figures.items()
    }
    return _compared(series, (_FIRST, _SECOND, _THIRD), f"F1, with its 95 % interval over {texts:,} texts")


def balance_plot(joined: FigureScores, texts: int) -> str:
    """Draw precision beside recall of all entities and of each label."""
    rates = {"all": joined.micro, **joined.by_label}
    series = {
        "precision, joined": {label: one.precision for label, one in rates.items()},
        "recall, joined": {label: one.recall for label, one in rates.items()},
    }
    return _compared(series, (_INK, _FAINT), f"rate, with its 95 % interval over {texts:,} texts")


def slices_plot(parts: Sequence[Slice], texts: int) -> str:
    """Draw the F1 of the parts of one group, with their sizes."""
    names = [f"{part.name}\n{part.rates.gold:,} gold, {part.rates.found:,} found" for part in parts]
    figure, axes = _rows(names, 0.5, left=1.85, right=0.5)
    _whiskers(axes, range(len(parts)), [part.rates.f1 for part in parts], _SECOND)
    for row, part in enumerate(parts):
        axes.text(1.03, row, f"{part.rates.f1.value:.2f}", va="center", color=_INK)
    axes.set_xlabel(f"F1, 95 % interval over {texts:,} texts")
    return _svg(figure)


def errors_plot(kinds: Sequence[ErrorKind]) -> str:
    """Draw how many entities each kind of error has."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _rows([kind.kind for kind in kinds], 0.42, left=1.95, right=0.5)
    counts = [kind.count for kind in kinds]
    axes.barh(range(len(kinds)), counts, height=0.6, color=_FIRST)
    longest = max([*counts, 1])
    axes.set_xlim(0, longest)
    for row, count in enumerate(counts):
        axes.text(count + longest * 0.02, row, f"{count:,}", va="center", color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("entities, mentions joined")
    return _svg(figure)


def reliability_plot(measured: Reliability) -> str:
    """Draw the share of right spans over their mean score, bin by bin, beside the diagonal of a perfect model."""
    figure, axes = _figure(3.6, left=0.55, right=0.15, bottom=0.5, top=0.1)
    bins = measured.bins
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.vlines(
        [one.score for one in bins], [one.low for one in bins], [one.high for one in bins], color=_FIRST, lw=1.4
    )
    axes.plot([one.score for one in bins], [one.right for one in bins], "o", color=_FIRST, markersize=5)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("mean score of the spans in a bin")
    axes.set_ylabel("share that is right, 95 % interval")
    return _svg(figure)


def _compared(series: dict[str, dict[str, Estimate]], colours: Sequence[str], told: str) -> str:
    """Draw several series of estimates beside each other, in a row for each name."""
    names = list(dict.fromkeys(name for estimates in series.values() for name in estimates))
    figure, axes = _rows(names, 0.62, left=0.6, top=0.4)
    for place, (estimates, colour) in enumerate(zip(series.items(), colours, strict=True)):
        name, shown = estimates
        offset = 0.24 * (place - (len(series) - 1) / 2)
        _whiskers(axes, [names.index(label) + offset for label in shown], list(shown.values()), colour, name)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, handletextpad=0.4, frameon=False,
        fontsize=9, labelcolor=_INK,
    )  # fmt: skip
    axes.set_xlabel(told)
    return _svg(figure)


def _figure(height: float, left: float, right: float, bottom: float, top: float) -> tuple[Figure, Axes]:
    """Make a figure whose margins are given in inches, so that labels fit whatever the height."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height))
        figure.subplots_adjust(left / _WIDTH, bottom / height, 1 - right / _WIDTH, 1 - top / height)
        return figure, figure.subplots()


def _rows(names: Sequence[str], row: float, left: float, right: float = 0.15, top: float = 0.1) -> tuple[Figure, Axes]:
    """Make axes with a row for each name, the first on top, from 0 to 1."""
    figure, axes = _figure(len(names) * row + 0.5 + top, left, right, 0.5, top)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.grid(visible=False, axis="y")
    return figure, axes


def _whiskers(axes: Axes, rows: Sequence[float], shown: Sequence[Estimate], colour: str, name: str = "") -> None:
    axes.hlines(rows, [one.low for one in shown], [one.high for one in shown], color=colour, linewidth=2.2, alpha=0.55)
    axes.plot([one.value for one in shown], rows, "o", color=colour, markersize=5.5, label=name, clip_on=False)


def _svg(figure: Figure) -> str:
    svg = as_svg(figure)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg
