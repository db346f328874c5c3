"""The filters that every question takes, and how an answer says what it covers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict

import click

from commands.min_scores import MinScores, known, min_score_option
from tagging.errors import QueryError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from db.coverage import Coverage
    from db.filters import Filter


class Asked(TypedDict):
    """The values of the options below, as a command gets them."""

    model: str
    label: str | None
    since: str | None
    until: str | None
    min_score: MinScores
    language: str | None
    author: str | None
    originals: bool
    kind: str
    hidden: bool
    text_query: str | None


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
    """Give a command the filters; they come as the keywords of `Asked`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen_filter(session: Session, asked: Asked) -> Filter:
    """Look up what the options name. Raises QueryError or ModelVersionError that says what there is."""
    from db import model_versions
    from db.entity_lookup import known_label
    from db.filters import Filter

    since, until = _window(session, asked["since"], asked["until"])
    kind: Any = asked["kind"]
    min_score, min_scores = known(session, asked["min_score"])
    return Filter(
        model_version_id=model_versions.find(session, asked["model"]).id,
        label=None if asked["label"] is None else known_label(session, asked["label"]),
        since=since,
        until=until,
        min_score=min_score,
        min_scores=min_scores,
        language=legible(asked["language"]),
        author=legible(asked["author"]),
        retweets=not asked["originals"],
        kind=kind,
        hidden=asked["hidden"],
        query=asked["text_query"],
    )


def legible(text: str | None) -> str | None:
    """Replace what came as bytes that are no UTF-8: no database takes it."""
    return text and text.encode("utf-8", "replace").decode()


def _window(session: Session, since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    from commands.windows import parse_moment
    from db.selection import newest_tweet_time

    if since is None and until is None:
        return None, None
    newest = newest_tweet_time(session)
    start, end = (None if text is None else parse_moment(text, newest) for text in (since, until))
    if start and end and start >= end:
        raise QueryError(f"the window from {since!r} until {until!r} is empty; give an end after its beginning")
    return start, end


def covered(coverage: Coverage) -> str:
    """Say what an answer covers, in a line."""
    tweets = f"{coverage.tweets:,} of {coverage.tweets_total:,} tweets"
    mentions = f"{coverage.mentions:,} of {coverage.mentions_total:,} mentions"
    return f"from {tweets} that version {coverage.model_version_id} has read, and {mentions} in them"
