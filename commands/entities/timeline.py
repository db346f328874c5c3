"""`tweetspan entities timeline`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from commands.answers import form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.entity_lookup import EntityRef
    from db.questions.timeline import Period

_WIDEST = 40  # characters of a bar


@click.command("timeline", short_help="Count mentions by hour, day or week.")
@click.argument("entity", required=False)
@click.option("--by", type=click.Choice(["hour", "day", "week"]), default="day", show_default=True)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw it, too, as .png or .svg.")
@filter_options
@form_options
def timeline(
    entity: str | None, by: Any, plot: Path | None, as_json: bool, as_csv: bool, **asked: Unpack[Asked]
) -> None:
    """Count the mentions of ENTITY, or all mentions, by hour, day or week in UTC, raw and as a share of all tweets.

    The share is that of the tweets with a mention. It is not known where all mentions of all tweets are counted. Tweets
    without a time stand outside.

    \b
    Example: tweetspan entities timeline london --by week --plot london.png
    """
    from answers.asked import chosen_filter
    from answers.rows import period_row
    from commands.opening import opened
    from db.coverage import cover
    from db.entity_lookup import look_up
    from db.questions.timeline import timeline

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        found = look_up(session, entity, chosen.model_version_id) if entity is not None else None
        periods = timeline(session, chosen, by, found.id if found else None)
        coverage = cover(session, chosen)
    if plot is not None:
        _draw(periods, found, by, plot)
    rows = [period_row(period) for period in periods]
    print_answer(rows, coverage, as_json, as_csv, lambda: _show(periods, by), "no tweet with a time matches")


def _draw(periods: Sequence[Period], entity: EntityRef | None, by: str, path: Path) -> None:
    from answers.plots import save_figure, timeline_figure

    title = f"Mentions of {entity.name} ({entity.label})" if entity else "Mentions of entities"
    save_figure(timeline_figure(periods, title, by), path)
    click.echo(f"plot: {path}", err=True)


def _show(periods: Sequence[Period], by: str) -> None:
    from commands.rendering import print_table

    most = max(period.mentions for period in periods) or 1
    when = "%Y-%m-%d %H:%M" if by == "hour" else "%Y-%m-%d"
    rows = [
        [
            period.start.strftime(when),
            period.tweets,
            period.mentions,
            "-" if period.share is None else f"{period.share:.2%}",
            "█" * round(_WIDEST * period.mentions / most) or ("▏" if period.mentions else ""),
        ]
        for period in periods
    ]
    print_table([by, "tweets", "mentions", "share", ""], rows)
