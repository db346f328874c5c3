"""`tweetspan entities compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from answers.wording import covered
from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.questions.compare import Contrast


@click.command("compare", short_help="Find what one side mentions more or less than another.")
@click.option(
    "--against",
    "differences",
    multiple=True,
    required=True,
    metavar="KEY=VALUE",
    help="How the other side differs: author, language, since, until or model. Several may be given.",
)
@click.option("--limit", type=LIMIT, default=20, show_default=True)
@filter_options
@form_options
def compare(differences: tuple[str, ...], limit: int, as_json: bool, as_csv: bool, **asked: Unpack[Asked]) -> None:
    """Find the entities that are over- or under-represented in one window, author, language or version of the model.

    The filters say what one side is, and --against in what the other differs from it. A share is of the tweets of its
    side that were read; G² is the log-likelihood of the two, below zero where an entity is under-represented. Where
    nothing differs, one entity in a thousand is beyond 10.8.

    \b
    Examples:
      tweetspan entities compare --language en --against language=pt
      tweetspan entities compare --since 7d --against since=14d --against until=7d
      tweetspan entities compare --model 2 --against model=1
    """
    from answers.asked import two_sides
    from answers.rows import contrast_row
    from commands.opening import opened
    from commands.rendering import print_table
    from db.coverage import cover
    from db.questions.compare import compare

    with opened() as (_, database), database.read_session() as session:
        one, other = two_sides(session, asked, differences)
        found = compare(session, one, other, limit)
        coverage, against = cover(session, one), covered(cover(session, other))

    def show() -> None:
        columns = ["mentions", "tweets", "share"]
        there = [f"{column} there" for column in columns]
        print_table(["entity", "label", *columns, *there, "G²"], [_figures(contrast) for contrast in found])
        click.secho(f"there: {against}", dim=True)

    rows = [contrast_row(contrast) for contrast in found]
    print_answer(rows, coverage, as_json, as_csv, show, f"no entity is mentioned; there: {against}")


def _figures(one: Contrast) -> list[str | int]:
    return [
        one.shown, one.label, one.mentions, one.tweets, f"{one.rate:.2%}",
        one.other_mentions, one.other_tweets, f"{one.other_rate:.2%}", f"{one.score:+.1f}",
    ]  # fmt: skip
