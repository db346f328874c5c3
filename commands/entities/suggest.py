"""`tweetspan entities suggest-merges`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.questions.suggest import Candidate, Suggestion


@click.command("suggest-merges", short_help="Propose entities that may be one.")
@click.option("--limit", type=LIMIT, default=20, show_default=True)
@filter_options
@form_options
def suggest_merges(limit: int, as_json: bool, as_csv: bool, **asked: Unpack[Asked]) -> None:
    """Propose pairs of entities that may be one, with what speaks for it and the command that merges them.

    They bear the same name under two labels, or are a handle and a full name, a name and its initials, or one letter
    apart. Only the 2,000 most mentioned entities are compared. Nothing is merged until you say so.

    \b
    Example: tweetspan entities suggest-merges --label PER
    """
    from answers.asked import chosen_filter
    from answers.rows import suggestion_row
    from commands.opening import opened
    from db.coverage import cover
    from db.questions.suggest import suggest_merges

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        found, coverage = suggest_merges(session, chosen, limit), cover(session, chosen)
    rows = [{**suggestion_row(one), "command": _command(one)} for one in found]
    print_answer(rows, coverage, as_json, as_csv, lambda: _show(found), "nothing to suggest")


def _show(found: list[Suggestion]) -> None:
    from answers.wording import clean

    for one in found:
        click.echo(clean(f"{_called(one.entity)}, {_called(one.into)}: {one.evidence}"))
        click.secho(f"  {_command(one)}", dim=True)
    click.echo()


def _called(one: Candidate) -> str:
    return f"{one.shown} ({one.label}, {one.mentions:,})"


def _command(one: Suggestion) -> str:
    import shlex

    from answers.wording import clean

    names = (shlex.quote(clean(f"{entity.label}:{entity.name}")) for entity in (one.entity, one.into))
    return f"tweetspan entities merge {' '.join(names)}"
