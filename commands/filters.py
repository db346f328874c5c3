"""The filters that every question takes, as options."""

from __future__ import annotations

from collections.abc import Callable

import click

from commands.min_scores import min_score_option

_OPTIONS = (
    click.option("--label", help="PER, ORG, LOC, or what the corpus has."),
    click.option(
        "--since",
        help="From then on: 2024-03-05, 2024-03-05T14:00 (UTC), or 12h, 7d, 2w back from the newest tweet.",
    ),
    click.option("--until", help="Before then, written likewise."),
    click.option("--model", default="active", show_default=True, help="A version's number."),
    min_score_option("Mentions with at least this score"),
    click.option("--text", "text_query", metavar="QUERY", help='Of the tweet: rain "in london" lond* -paris.'),
    click.option("--language", help="Of the tweet: en, pt, ..."),
    click.option("--author", help="Of the tweet."),
    click.option("--originals", is_flag=True, help="Leave retweets out."),
    click.option(
        "--kind", type=click.Choice(["all", "plain", "handles"]), default="all", help="Of mentions: @ or not."
    ),
    click.option("--hidden", is_flag=True, help="Count hidden entities, too."),
)


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the filters; they come as the keywords of `answers.asked.Asked`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
