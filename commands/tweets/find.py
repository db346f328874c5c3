"""`tweetspan tweets find`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked


@click.command("find", short_help="Find tweets by their words and entities.")
@click.argument("query", required=False)
@click.option(
    "--mentions", multiple=True, metavar="ENTITY", help='london, PER:"jane doe", or LOC:* for any; all must be there.'
)
@click.option("--limit", type=LIMIT, default=20, show_default=True)
@filter_options
@form_options
def find(
    query: str | None, mentions: tuple[str, ...], limit: int, as_json: bool, as_csv: bool, **asked: Unpack[Asked]
) -> None:
    """Find the tweets that hold the words of QUERY and mention the entities, newest first.

    All words must be there, whatever their case, "@" or "#". "in london" between quotes is a phrase, lond* any word
    that begins so, -paris a word that must not be there (write -- before a QUERY that begins with it). Offsets are code
    points into the tweet's text, end exclusive.

    \b
    Examples:
      tweetspan tweets find 'rain "in london" -paris'
      tweetspan tweets find 'flood*' --mentions PER:"jane doe" --mentions 'LOC:*'
    """
    from answers.asked import chosen_filter
    from answers.rows import found_tweet_row
    from answers.wording import clean
    from commands.opening import opened
    from commands.rendering import marked
    from db.coverage import cover
    from db.questions.find import find

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        found, coverage = find(session, query, mentions, chosen, limit), cover(session, chosen)

    def show() -> None:
        for one in found:
            when = one.created_at.strftime("%Y-%m-%d %H:%M") if one.created_at else "-"
            click.secho(f"{one.tweet_id}  {when}  {clean(one.author or '-')}", dim=True)
            click.echo(f"  {marked(one.text, one.mentions)}")

    rows = [found_tweet_row(one) for one in found]
    print_answer(rows, coverage, as_json, as_csv, show, "no tweet holds and mentions all that")
