"""An evaluation as one HTML file: nothing is loaded from elsewhere, no script runs."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from answers.wording import clean
from commands.evaluation_plots import balance_plot, errors_plot, figures_plot, reliability_plot, slices_plot
from commands.evaluation_tables import told

if TYPE_CHECKING:
    from commands.evaluating import Report
    from trainer.error_kinds import ErrorExample
    from trainer.evaluation import Evaluation

_AROUND = 60  # characters shown on either side of an error


def html(report: Report) -> str:
    """Write a report as an HTML page with plots. All that comes from texts and corpora is escaped and cleaned."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def plain(value: Any) -> Any:
        return clean(value) if type(value) is str else value  # Markup is a str of its own kind

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"told": told, "around": _around}
    found = report.evaluation
    parts = [(name, list(own)) for name, own in groupby(found.slices, lambda part: part.group)]
    return environment.get_template("evaluation.html.jinja").render(
        report=report,
        found=found,
        joined=found.figures["joined"].micro,
        figures_plot=Markup(figures_plot(found.figures, found.texts)),  # noqa: S704 (made here)
        balance_plot=Markup(balance_plot(found.figures["joined"], found.texts)),  # noqa: S704
        errors_plot=Markup(errors_plot(found.errors)),  # noqa: S704
        slices=[(name, Markup(slices_plot(own, found.texts))) for name, own in parts],  # noqa: S704
        calibration=[(name, one, Markup(reliability_plot(one))) for name, one in found.calibration.items()],  # noqa: S704
        **_matrix(found),
    )


def _matrix(found: Evaluation) -> dict[str, Any]:
    """Arrange which label is found for which: rows of gold labels and at the end none, columns of found ones."""
    counts = {(one.gold, one.found): one.count for one in found.confusions}
    labels = sorted({label for pair in counts for label in pair if label})
    rows = []
    for gold in [*labels, None]:
        row = [counts.get((gold, other), 0) for other in [*labels, None]]
        rows.append((gold, row, sum(row)))
    return {"labels": labels, "confusions": rows}


def _around(one: ErrorExample) -> tuple[str, str, str]:
    """Cut the text of an error into what stands before it, itself, and what stands behind."""
    before, after = one.text[: one.start], one.text[one.end :]
    return (
        before if len(before) <= _AROUND else f"…{before[-_AROUND:]}",
        one.text[one.start : one.end],
        after if len(after) <= _AROUND else f"{after[:_AROUND]}…",
    )
