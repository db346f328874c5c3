"""`tweetspan entities`: ask what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from commands.tweet_ids import parse_tweet_id

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.entities import Filter, Mention


@click.group("entities")
def entities_command() -> None:
    """Ask which entities the tweets mention, and where."""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="For machines; ids are strings."),
        click.option("--model", default="active", show_default=True, help="A version's number."),
        click.option("--until", help="Before then, written likewise."),
        click.option(
            "--since",
            help="From then on: 2024-03-05, 2024-03-05T14:00 (UTC), or 12h, 7d, 2w back from the newest tweet.",
        ),
        click.option("--label", help="PER, ORG, LOC, or what the corpus has."),
    ):
        command = option(command)
    return command


@entities_command.command("top")
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True)
@_filters
def top(limit: int, as_json: bool, **chosen: Any) -> None:
    """Count the entities with most mentions.

    \b
    Example: tweetspan entities top --label LOC --since 7d
    """
    from commands.opening import opened
    from commands.rendering import print_json, print_table
    from db import entities

    with opened() as (_, database), database.read_session() as session:
        asked = _chosen(session, **chosen)
        found = entities.top(session, asked, limit)
        told = "" if found else _what_was_asked(session, asked)
    if as_json:
        print_json([{**asdict(one), "model_version": asked.model_version_id} for one in found])
    elif found:
        rows = [[rank, one.surface, one.label, one.mentions, one.tweets] for rank, one in enumerate(found, start=1)]
        print_table(["", "entity", "label", "mentions", "tweets"], rows)
    else:
        click.echo(f"no entity matches{told}")


@entities_command.command("search", short_help="Find the tweets that mention an entity.")
@click.argument("text")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@_filters
def search(text: str, limit: int, as_json: bool, **chosen: Any) -> None:
    """Find the tweets that mention an entity whose name contains TEXT, whatever its case, "@" or "#".

    Offsets are code points into the tweet's text, end exclusive.

    \b
    Example: tweetspan entities search london
    """
    from commands.opening import opened
    from commands.rendering import marked, print_json
    from db import entities

    with opened() as (_, database), database.read_session() as session:
        asked = _chosen(session, **chosen)
        found = entities.search(session, text, asked, limit)
        told = "" if found else _what_was_asked(session, asked)
    if as_json:
        print_json([{**_mention(one), "model_version": asked.model_version_id} for one in found])
        return
    for one in found:
        when = one.created_at.strftime("%Y-%m-%d %H:%M") if one.created_at else "-"
        click.secho(f"{one.tweet_id}  {when}  {one.label} {one.start}-{one.end}  score {one.score:.2f}", dim=True)
        click.echo(f"  {marked(one.text, [one])}")
    if not found:
        click.echo(f"no mention of {text!r}{told}")


@entities_command.command("tweet")
@click.argument("tweet_id", metavar="ID", callback=lambda context, option, value: parse_tweet_id(value))
@click.option("--model", default="active", show_default=True, help="A version's number.")
@click.option("--json", "as_json", is_flag=True, help="For machines; ids are strings.")
def tweet(tweet_id: int, model: str, as_json: bool) -> None:
    """Show one tweet with its spans marked.

    \b
    Example: tweetspan entities tweet 153928603371978755
    """
    from commands.opening import opened
    from commands.rendering import clean, marked, print_json, print_table
    from db import entities, model_versions

    with opened() as (_, database), database.read_session() as session:
        version_id = model_versions.find(session, model).id
        found = entities.read_tweet(session, tweet_id, version_id)
    mentions = [_mention(one) for one in found.mentions]
    if as_json:
        print_json(
            {
                "id": str(tweet_id),
                "text": found.text,
                "model_version": version_id,
                "status": found.status,
                "error": found.error,
                "spans": mentions,
            }
        )
        return
    click.echo(marked(found.text, found.mentions))
    if found.status != "done":
        click.echo(
            f"{found.status}: {clean(found.error or '')}"
            if found.status
            else "not read yet by this version; see `tweetspan status`"
        )
    elif found.mentions:
        rows = [[one.surface, one.label, one.start, one.end, one.score] for one in found.mentions]
        print_table(["surface", "label", "start", "end", "score"], rows)


def _chosen(session: Session, model: str, label: str | None, since: str | None, until: str | None) -> Filter:
    from commands.windows import parse_moment
    from db import entities, model_versions

    newest = entities.newest_tweet_time(session) if since or until else None
    return entities.Filter(
        model_version_id=model_versions.find(session, model).id,
        label=label,
        since=parse_moment(since, newest) if since else None,
        until=parse_moment(until, newest) if until else None,
    )


def _what_was_asked(session: Session, asked: Filter) -> str:
    """Say what an empty answer covers: label, window, and how much the version has read."""
    from db.status import coverage

    read, stored = coverage(session, asked.model_version_id)
    label = f" with label {asked.label}" if asked.label else ""
    since = f" since {asked.since:%Y-%m-%d %H:%M}" if asked.since else ""
    until = f" until {asked.until:%Y-%m-%d %H:%M}" if asked.until else ""
    return f"{label}{since}{until}; version {asked.model_version_id} has read {read} of {stored} tweets"


def _mention(one: Mention) -> dict[str, Any]:
    when = one.created_at.isoformat() if one.created_at else None
    return {**asdict(one), "tweet_id": str(one.tweet_id), "created_at": when, "score": round(one.score, 4)}
