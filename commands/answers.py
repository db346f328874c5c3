"""How an answer is written: a table for people, JSON or CSV for programs, each saying what it covers."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from db.coverage import Coverage

Row = Mapping[str, object]

LIMIT = click.IntRange(1, 1_000_000)  # of rows


def form_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--json` and `--csv`; they come as `as_json` and `as_csv`."""
    command = click.option("--csv", "as_csv", is_flag=True, help="For spreadsheets.")(command)
    return click.option("--json", "as_json", is_flag=True, help="For machines; ids are strings.")(command)


def print_answer(
    rows: Sequence[Row], coverage: Coverage, as_json: bool, as_csv: bool, show: Callable[[], None], none: str
) -> None:
    """Print rows for a program, or call `show` for people; where there are none, say `none`.

    Each row holds the columns in their order. What the answer covers stands in the JSON, below a table, and, since CSV
    has no place for it, on standard error.
    """
    from answers.wording import covered
    from commands.rendering import print_json

    if as_json:
        print_json({"covers": asdict(coverage), "rows": list(rows)})
        return
    if as_csv:
        _print_csv(rows)
    elif rows:
        show()
    else:
        click.echo(none)
    click.secho(covered(coverage), dim=True, err=as_csv)


def _print_csv(rows: Sequence[Row]) -> None:
    from answers.rows import flat

    if rows:
        flattened = [flat(row) for row in rows]
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(_cleaned, flattened) if sys.stdout.isatty() else flattened)


def _cleaned(row: Row) -> dict[str, object]:
    from answers.wording import clean

    return {name: clean(value) if isinstance(value, str) else value for name, value in row.items()}
