"""`tweetspan entities trending`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import click

from commands.answers import LIMIT, form_options, print_answer
from commands.filters import filter_options

if TYPE_CHECKING:
    from answers.asked import Asked
    from db.filters import Filter
    from db.questions.trending import Trend


@click.command("trending", short_help="Find what is mentioned more than before.")
@click.option(
    "--against",
    type=click.Choice(["previous", "last-week"]),
    default="previous",
    show_default=True,
    help="The window just before, or the same one a week earlier.",
)
@click.option("--limit", type=LIMIT, default=10, show_default=True)
@filter_options
@form_options
def trending(against: Any, limit: int, as_json: bool, as_csv: bool, **asked: Unpack[Asked]) -> None:
    """Find the entities that a larger share of tweets mentions than before, with the newest of these tweets.

    The window is the day of the newest tweet that was read, in UTC, or what --since and --until say. G² is the
    log-likelihood ratio of the two shares, given how much those of most entities vary by themselves. What is listed is
    mentioned by five tweets or more, and has a G² that nothing reaches by chance in 19 questions of 20.

    \b
    Example: tweetspan entities trending --label ORG --against last-week
    """
    from answers.asked import chosen_filter
    from answers.rows import trend_row
    from commands.opening import opened
    from commands.rendering import marked, print_table
    from db.coverage import cover
    from db.questions.trending import trending, windows

    with opened() as (_, database), database.read_session() as session:
        chosen = chosen_filter(session, asked)
        compared = windows(session, chosen, against)
        found, coverage = trending(session, chosen, against, limit), cover(session, compared[0])

    def show() -> None:
        click.echo(_windows(*compared))
        rows = [[rank, one.shown, one.label, *_figures(one)] for rank, one in enumerate(found, start=1)]
        print_table(["", "entity", "label", "tweets", "share", "before", "share", "times", "G²"], rows)
        for rank, one in enumerate(found, start=1):
            click.secho(f"{rank}. tweets behind it", dim=True)
            for example in one.examples:
                click.echo(f"  {example.tweet_id}  {marked(example.text, [example])}")

    rows = [trend_row(one, *compared) for one in found]
    print_answer(rows, coverage, as_json, as_csv, show, f"nothing is trending: {_windows(*compared)}")


def _windows(window: Filter, before: Filter) -> str:
    now, then = (f"{one.since:%Y-%m-%d %H:%M} to {one.until:%Y-%m-%d %H:%M}" for one in (window, before))
    return f"{now} against {then} (UTC)"


def _figures(one: Trend) -> list[str | int]:
    share, share_before = one.tweets / one.tweets_read, one.tweets_before / one.tweets_read_before
    times = "new" if one.times is None else f"{one.times:.1f}"
    return [one.tweets, f"{share:.2%}", one.tweets_before, f"{share_before:.2%}", times, f"{one.score:.1f}"]
