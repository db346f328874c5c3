"""`tweetspan reannotate`: stored tweets again, with another version."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from tagging.errors import QueryError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.selection import Selection

_KEYS = ("language", "author", "since", "until", "text")


@click.command("reannotate", short_help="Queue stored tweets for another version.")
@click.option("--model", default="active", show_default=True, help="A version's number.")
@click.option("--where", multiple=True, metavar="KEY=VALUE", help=f"Only tweets with this: {', '.join(_KEYS)}.")
@click.option("--batch-size", type=click.IntRange(1, 8192), default=2048, show_default=True, help="Tweets a batch.")
@click.option("--name", help="Of the job.  [default: reannotate with version N]")
def reannotate_command(model: str, where: tuple[str, ...], batch_size: int, name: str | None) -> None:
    """Queue stored tweets that a version has not read, every one or those for which each --where holds.

    What other versions have read stays beside it, under --model. `since` and `until` are written as for `entities`;
    `text` is looked for in the tweet.

    \b
    Examples:
      tweetspan reannotate --model 2
      tweetspan reannotate --model 2 --where language=en --where since=7d
    """
    from answers.wording import counted
    from commands.opening import opened
    from commands.rendering import progress_bar
    from db import model_versions
    from worker.handout import hand_out
    from worker.reannotate import reannotate

    with opened() as (settings, database), progress_bar() as progress:
        with database.read_session() as session:
            version_id = model_versions.find(session, model).id
            chosen = _selection(session, where)
        bar = progress.add_task("queueing", total=None)
        summary = reannotate(
            database,
            version_id,
            chosen,
            name or f"reannotate with version {version_id}",
            batch_size,
            lambda tweets: progress.advance(bar, tweets),
        )
        note = hand_out(settings, database) if summary.added else ""
    if not summary.added:
        click.echo(f"nothing to queue: version {version_id} has read every stored tweet that was asked for, if any")
        return
    batches = counted(summary.batches, "batch", "batches")
    click.echo(
        f"{counted(summary.added, 'tweet')} queued for version {version_id} in {batches} as job {summary.job_id}"
    )
    click.echo(note)


def _selection(session: Session, where: tuple[str, ...]) -> Selection:
    from answers.moments import parse_moment
    from db.selection import Selection, newest_tweet_time

    conditions: dict[str, str] = {}
    for condition in where:
        key, equals, value = condition.partition("=")
        if key not in _KEYS or not equals or not value:
            raise QueryError(f"--where {condition!r} is not KEY=VALUE with one of {', '.join(_KEYS)}")
        if key in conditions:
            raise QueryError(f"--where {key} is given twice; every condition must hold, so one of them is enough")
        conditions[key] = value
    newest = newest_tweet_time(session) if conditions.keys() & {"since", "until"} else None

    def moment(key: str) -> datetime | None:
        return parse_moment(conditions[key], newest) if key in conditions else None

    language, author, text = (conditions.get(key) for key in ("language", "author", "text"))
    return Selection(language, author, moment("since"), moment("until"), text)
