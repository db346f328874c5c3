"""How results look in a terminal: marked spans, tables, progress bars. Tweets are hostile text: they are cleaned."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

from answers.wording import clean

if TYPE_CHECKING:
    from rich.progress import Progress

_COLOURS = {"PER": "blue", "ORG": "magenta", "LOC": "green"}


class HasSpan(Protocol):
    """A tagged or a stored span."""

    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102


def marked(text: str, spans: Iterable[HasSpan]) -> str:
    """Write a text with its spans marked as `[surface](LABEL)`, in colour where the terminal has any."""
    parts: list[str] = []
    position = 0
    for span in spans:
        parts.append(clean(text[position : span.start]))
        colour = _COLOURS.get(span.label, "cyan")
        parts.append(click.style(f"[{clean(text[span.start : span.end])}]", fg=colour, bold=True))
        parts.append(click.style(f"({clean(span.label)})", fg=colour))
        position = span.end
    return "".join([*parts, clean(text[position:])])


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a table; numbers stand right."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    table = Table(box=SIMPLE, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        is_number = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(Text(clean(column)), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(_shown(value))) for value in row))
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(table)


def print_json(value: Any) -> None:
    """Print a value as JSON for machines."""
    click.echo(json.dumps(value, ensure_ascii=sys.stdout.isatty(), indent=2))  # no escapes reach a terminal


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show progress on standard error; silent when that is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns,
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        redirect_stdout=False,  # a file or pipe keeps what is meant for it
        redirect_stderr=False,
        transient=True,
    ) as progress:
        yield progress


@contextmanager
def transfer_bar() -> Iterator[Callable[[int, int | None], None]]:
    """Show files as they are moved; yields what to call with a file's bytes so far and its size."""
    with progress_bar() as progress:
        bar = progress.add_task("megabytes", total=None, visible=False)

        def on_block(moved: int, size: int | None) -> None:
            progress.update(bar, completed=moved / 1e6, total=size and size / 1e6, visible=True)

        yield on_block


@contextmanager
def paused(progress: Progress) -> Iterator[None]:
    """Take the bar away while something else is printed."""
    progress.stop()
    try:
        yield
    finally:
        progress.start()


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
