"""`tweetspan entities show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import click

from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from answers.asked import Asked
    from db.questions.show import EntityDetails


@click.command("show", short_help="Show what is known about one entity.")
@click.argument("entity")
@click.option("--limit", type=LIMIT, default=5, show_default=True, help="Of surface forms, authors, ...")
@filter_options
@form_options
def show(entity: str, limit: int, as_json: bool, as_csv: bool, **asked: Unpack[Asked]) -> None:
    """Show how often ENTITY is mentioned and since when, its labels, surface forms, aliases, top authors, and the
    entities it is most often mentioned with.

    An entity is written as its name, or with its label where several have that name: "PER:jane doe".

    \b
    Example: tweetspan entities show LOC:london --since 7d
    """
    from answers.asked import chosen_filter
    from answers.rows import details_row
    from commands.opening import opened
    from db.coverage import cover
    from db.entity_lookup import look_up
    from db.questions.show import show

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        one = look_up(session, entity, chosen.model_version_id)
        found, coverage = show(session, one.id, chosen, limit), cover(session, chosen)
    rows = _lines(found) if as_csv else [details_row(found)]
    print_answer(rows, coverage, as_json, as_csv, lambda: _show(found), "")


def _show(found: EntityDetails) -> None:
    from answers.wording import clean, counted
    from commands.rendering import print_table

    click.secho(clean(f"{found.shown} ({found.label}:{found.name})"), bold=True)
    if found.is_hidden:
        click.echo("hidden; it counts where you ask with --hidden")
    of = f"{found.share:.2%} of {counted(found.tweets_read, 'tweet')}"
    click.echo(f"{counted(found.mentions, 'mention')} in {counted(found.tweets, 'tweet')}, {of}")
    if found.first_seen and found.last_seen:
        click.echo(f"first seen {found.first_seen:%Y-%m-%d %H:%M}, last seen {found.last_seen:%Y-%m-%d %H:%M} (UTC)")
    for what, unit, counts in _tables(found):
        if counts:
            print_table([what, unit], counts)


def _tables(found: EntityDetails) -> list[tuple[str, str, Sequence[tuple[str, int]]]]:
    return [
        ("label", "mentions", found.labels),
        ("surface form", "mentions", found.surfaces),
        ("alias", "mentions", [(f"{one.label}:{one.name}", one.mentions) for one in found.aliases]),
        ("author", "tweets", found.authors),
        ("mentioned with", "tweets", [(f"{one.shown} ({one.label})", one.together) for one in found.related]),
    ]


def _lines(found: EntityDetails) -> list[dict[str, Any]]:
    """Write the details one below the other, for spreadsheets."""
    totals = [
        ("entity", "mentions", [(found.shown, found.mentions)]),
        ("entity", "tweets", [(found.shown, found.tweets)]),
    ]
    return [
        {"what": what, "value": value, "count": count, "unit": unit}
        for what, unit, counts in [*totals, *_tables(found)]
        for value, count in counts
    ]
