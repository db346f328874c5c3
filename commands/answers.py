"""How an answer is written: a table for people, JSON or CSV for programs, each saying what it covers."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from datetime import datetime

    from db.coverage import Coverage

Row = dict[str, Any]


class HasTweet(Protocol):
    """A row about a tweet."""

    @property
    def tweet_id(self) -> int: ...  # noqa: D102
    @property
    def created_at(self) -> datetime | None: ...  # noqa: D102
    @property
    def author(self) -> str | None: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102


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
    from commands.filters import covered
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


def tweet_columns(one: HasTweet) -> Row:
    """Write the tweet of a row for programs."""
    return {
        "tweet_id": str(one.tweet_id),
        "created_at": one.created_at.isoformat() if one.created_at else None,
        "author": one.author,
        "text": one.text,
    }


def _print_csv(rows: Sequence[Row]) -> None:
    if rows:
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(_cleaned, rows) if sys.stdout.isatty() else rows)


def _cleaned(row: Row) -> Row:
    from commands.rendering import clean

    return {name: clean(value) if isinstance(value, str) else value for name, value in row.items()}
