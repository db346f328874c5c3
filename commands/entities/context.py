"""`tweetspan entities context`."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, Unpack

import click

from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.questions.context import Context

_COLUMNS, _NARROWEST = 120, 16  # cells of a line that goes into a file, and on either side at least


@click.command("context", short_help="Show an entity's mentions in their words, one below the other.")
@click.argument("entity")
@click.option("--words", type=click.IntRange(0), default=5, show_default=True, help="On either side.")
@click.option("--limit", type=LIMIT, default=20, show_default=True)
@filter_options
@form_options
def context(entity: str, words: int, limit: int, as_json: bool, as_csv: bool, **asked: Unpack[Asked]) -> None:
    """Show the mentions of ENTITY with the words around them, newest tweets first, so that the eye runs down a column.

    Long contexts are cut at "…" to fit a line; --json and --csv have them whole. Offsets are code points into the
    tweet's text, end exclusive.

    \b
    Example: tweetspan entities context LOC:london --words 6
    """
    from answers.asked import chosen_filter
    from answers.rows import context_row
    from commands.opening import opened
    from db.coverage import cover
    from db.entity_lookup import look_up
    from db.questions.context import context

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        one = look_up(session, entity, chosen.model_version_id)
        found, coverage = context(session, one.id, chosen, words, limit), cover(session, chosen)
    rows = [context_row(one) for one in found]
    print_answer(rows, coverage, as_json, as_csv, lambda: _show(found), f"no mention of {entity!r}")


def _show(found: list[Context]) -> None:
    from rich.cells import cell_len

    from answers.wording import clean

    parts = [(clean(one.before), clean(one.surface), clean(one.after)) for one in found]
    heads = [f"{one.tweet_id:<19} {(one.created_at.date() if one.created_at else '-')!s:<10}  " for one in found]
    side = _room(max(map(len, heads)) + max(cell_len(surface) for _, surface, _ in parts))
    cut = [(_last_cells(before, side), surface, _first_cells(after, side)) for before, surface, after in parts]
    widest = max(cell_len(before) for before, _, _ in cut)
    for head, (before, surface, after) in zip(heads, cut, strict=True):
        space = " " * (widest - cell_len(before))
        bold = click.style(_isolated(surface), bold=True)
        click.echo(click.style(head, dim=True) + space + _isolated(before) + bold + _isolated(after))


def _room(taken: int) -> int:
    """Return how many cells are left on either side of the surface in a line of the terminal."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else _COLUMNS
    return max(_NARROWEST, (columns - taken) // 2)


def _first_cells(text: str, cells: int) -> str:
    from rich.cells import cell_len

    kept = text
    while cell_len(kept) > cells - (kept != text):
        kept = kept[:-1]
    return kept if kept == text else kept + "…"


def _last_cells(text: str, cells: int) -> str:
    from rich.cells import cell_len

    kept = text
    while cell_len(kept) > cells - (kept != text):
        kept = kept[1:]
    return kept if kept == text else "…" + kept


def _isolated(text: str) -> str:
    """Keep text from right to left apart, so that a terminal which turns it round leaves the other parts in place."""
    turns = any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    return f"\u2068{text}\u2069" if turns else text
