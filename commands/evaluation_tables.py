"""An evaluation in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from answers.wording import clean
from commands.rendering import print_table

if TYPE_CHECKING:
    from commands.evaluating import Report
    from trainer.error_kinds import ErrorExample
    from trainer.estimates import Estimate, Rates
    from trainer.evaluation import Evaluation, FigureScores

_SHOWN, _LONGEST = 3, 30  # examples of an error in a table, characters of each surface


def show(report: Report) -> None:
    """Print an evaluation as tables. In brackets stand 95 % intervals over texts."""
    found = report.evaluation
    split = "" if report.split == "all" else f", {report.split}"
    click.echo(clean(f"{report.model} on {report.corpus}{split}: {found.texts:,} texts"))
    print_table(["figure", "entities", "gold", "found", "precision", "recall", "F1"], _figure_rows(found))
    tokens = found.tokens
    click.echo(f"tokens: accuracy {tokens.accuracy:.4f}, weighted F1 {tokens.weighted_f1:.4f}, of {tokens.tokens:,}")
    if raw := found.characters:
        click.echo(f"raw texts: F1 {told(raw.exact.f1)} at exact offsets, {told(raw.characters.f1)} of characters,")
        click.echo(f"  of {raw.texts:,} texts, {raw.exact.gold:,} entities, {raw.characters.gold:,} characters in them")
    click.echo('\nThe errors, with "@" joined to its handle:')
    rows = [[one.kind, one.count, "; ".join(map(told_error, one.examples[:_SHOWN]))] for one in found.errors]
    print_table(["kind", "entities", "most frequent"], rows)
    click.echo("The parts:")
    print_table(["of", "part", "gold", "found", "F1"], list(_slice_rows(found)))
    click.echo("The scores as probabilities:")
    columns = ["of", "spans", "right", "calibration error", "of a perfect model", "Brier", "of the best constant"]
    print_table(columns, _calibration_rows(found))


def told(one: Estimate) -> str:
    """Write a figure with its interval."""
    return f"{one.value:.3f} ({one.low:.3f}–{one.high:.3f})"


def told_error(one: ErrorExample) -> str:
    """Write what gold and tagger say of an entity: "Rome" LOC → ORG."""
    gold, found = (
        None if surface is None else f"{_short(surface)} {label}"
        for surface, label in ((one.gold, one.gold_label), (one.found, one.found_label))
    )
    if gold and found and one.gold == one.found:
        found = one.found_label
    said = " → ".join(side for side in (gold, found) if side)
    return said if one.count == 1 else f"{said} ×{one.count}"


def _figure_rows(found: Evaluation) -> list[list[Any]]:
    return [row for name, figure in found.figures.items() for row in _rows_of(name, figure)]


def _rows_of(name: str, figure: FigureScores) -> Iterator[list[Any]]:
    yield [name, "all", *_rates(figure.micro)]
    for label, rates in figure.by_label.items():
        yield ["", label, *_rates(rates)]
    means = (figure.macro_precision, figure.macro_recall, figure.macro_f1)
    yield ["", "mean of labels", "", "", *map(told, means)]
    yield ["", "whatever the label", *_rates(figure.type_blind)]


def _rates(rates: Rates) -> list[Any]:
    return [rates.gold, rates.found, told(rates.precision), told(rates.recall), told(rates.f1)]


def _slice_rows(found: Evaluation) -> Iterator[list[Any]]:
    for group, parts in groupby(found.slices, lambda part: part.group):
        for place, part in enumerate(parts):
            yield [group if place == 0 else "", part.name, part.rates.gold, part.rates.found, told(part.rates.f1)]


def _calibration_rows(found: Evaluation) -> list[list[Any]]:
    return [
        [
            name,
            one.spans,
            one.right,
            f"{one.ece:.3f} ({one.ece_low:.3f}–{one.ece_high:.3f})",
            f"{one.floor:.3f} (to {one.floor_high:.3f})",
            one.brier,
            one.brier_of_constant,
        ]
        for name, one in found.calibration.items()
    ]


def _short(surface: str) -> str:
    return surface if len(surface) <= _LONGEST else f"{surface[:_LONGEST]}…"
