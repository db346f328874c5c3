"""`tweetspan entities search`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.questions.search import How


@click.command("search", short_help="Find the tweets that mention an entity.")
@click.argument("text")
@click.option(
    "--how",
    type=click.Choice(["substring", "exact", "prefix", "fuzzy"]),
    default="substring",
    show_default=True,
    help="How TEXT and the name match; fuzzy: up to two letters differ.",
)
@click.option("--limit", type=LIMIT, default=20, show_default=True)
@filter_options
@form_options
def search(text: str, how: How, limit: int, as_json: bool, as_csv: bool, **asked: Unpack[Asked]) -> None:
    """Find the tweets that mention an entity whose name contains TEXT, whatever its case, "@" or "#".

    With --how it is TEXT, begins with it, or differs from it by a letter, in TEXT of six letters and more by two.
    Offsets are code points into the tweet's text, end exclusive.

    \b
    Examples:
      tweetspan entities search london
      tweetspan entities search "jane do" --how prefix
    """
    from answers.asked import chosen_filter
    from answers.rows import mention_row
    from commands.opening import opened
    from commands.rendering import marked
    from db.coverage import cover
    from db.questions.search import search

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        found, coverage = search(session, text, chosen, limit, how), cover(session, chosen)

    def show() -> None:
        for one in found:
            when = one.created_at.strftime("%Y-%m-%d %H:%M") if one.created_at else "-"
            click.secho(f"{one.tweet_id}  {when}  {one.label} {one.start}-{one.end}  score {one.score:.2f}", dim=True)
            click.echo(f"  {marked(one.text, [one])}")

    rows = [mention_row(one) for one in found]
    print_answer(rows, coverage, as_json, as_csv, show, f"no mention of {text!r}")
