"""`tweetspan failures`: the tweets that could not be tagged, why, and what to do with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from answers.moments import moment_text
from commands.tweet_ids import parse_tweet_ids
from tagging.errors import QueryError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.failures import Choice, Failure

_CHUNK = 2048  # tweets of one transaction
_NONE = "no such tweet is dead; see `tweetspan failures list`"


@click.group("failures")
def failures_command() -> None:
    """List, show, requeue and forget the tweets that could not be tagged."""


def _choice_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--model", help="Only those of this version."),
        click.option("--all", "everything", is_flag=True, help="All dead tweets."),
        click.option("--reason", help="Those whose error begins so; `failures list` shows them."),
        click.argument("ids", nargs=-1, metavar="[ID]...", callback=parse_tweet_ids),
    ):
        command = option(command)
    return command


@failures_command.command("list")
@click.option("--model", help="Only those of this version.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_failures(model: str | None, as_json: bool) -> None:
    """Count the dead tweets by version and reason.

    \b
    Example: tweetspan failures list
    """
    from answers.work_rows import reason_row
    from commands.opening import opened
    from commands.rendering import print_json, print_table
    from db import failures

    with opened() as (_, database), database.read_session() as session:
        found = failures.reasons(session, _choice(session, model=model))
    if as_json:
        print_json([reason_row(one) for one in found])
    elif found:
        rows = [[one.error, one.model_version_id, one.tweets, moment_text(one.latest)] for one in found]
        print_table(["reason", "version", "tweets", "latest (UTC)"], rows)
    else:
        click.echo("no tweet is dead")


@failures_command.command("show")
@_choice_options
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines; ids are strings.")
def show(limit: int, as_json: bool, **chosen: Any) -> None:
    """Show dead tweets with their reasons and texts, the latest first: those named, with a reason, or all.

    \b
    Example: tweetspan failures show 153928603371978755
    """
    from answers.work_rows import failure_row
    from commands.opening import opened
    from commands.rendering import print_json
    from db import failures

    with opened() as (_, database), database.read_session() as session:
        found = failures.listed(session, _choice(session, **chosen), limit)
    if as_json:
        print_json([failure_row(one) for one in found])
        return
    for one in found:
        _print(one)
    if not found:
        click.echo(_NONE)


@failures_command.command("requeue")
@_choice_options
def requeue(**chosen: Any) -> None:
    """Queue dead tweets again, for the version that could not tag them: those named, with a reason, or all.

    \b
    Example: tweetspan failures requeue --reason RuntimeError
    """
    from answers.wording import counted
    from commands.opening import opened
    from worker.handout import hand_out
    from worker.reannotate import requeue

    with opened() as (settings, database):
        with database.read_session() as session:
            choice = _choice(session, is_needed=True, **chosen)
        summary = requeue(database, choice, "failures requeue")
        note = hand_out(settings, database) if summary.added else ""
    if not summary.added:
        click.echo(_NONE)
        return
    batches = counted(summary.batches, "batch", "batches")
    click.echo(f"{counted(summary.added, 'tweet')} queued again in {batches} as job {summary.job_id}")
    click.echo(note)


@failures_command.command("forget")
@_choice_options
def forget(**chosen: Any) -> None:
    """Stop listing dead tweets: those named, with a reason, or all. They are not tagged, nor tried again.

    \b
    Example: tweetspan failures forget 153928603371978755
    """
    from answers.wording import counted
    from commands.opening import opened
    from db import failures

    count = 0
    with opened() as (_, database):
        with database.read_session() as session:
            choice = _choice(session, is_needed=True, **chosen)
        while True:
            with database.read_session() as session:
                picked = failures.pick(session, choice, _CHUNK)
            if not picked:
                break
            with database.write_session() as session:
                count += failures.forget(session, picked)
    click.echo(f"{counted(count, 'tweet')} forgotten" if count else _NONE)


def _choice(
    session: Session,
    ids: tuple[int, ...] = (),
    reason: str | None = None,
    everything: bool = False,
    model: str | None = None,
    is_needed: bool = False,
) -> Choice:
    from db import model_versions
    from db.failures import Choice

    if is_needed and [bool(ids), bool(reason), everything].count(True) != 1:
        raise QueryError("name the tweets by their ids, or by --reason, or say --all; see `tweetspan failures list`")
    version_id = None if model is None else model_versions.find(session, model).id
    return Choice(ids or None, reason or None, version_id)


def _print(one: Failure) -> None:
    from answers.wording import clean

    click.secho(f"{one.tweet_id}  version {one.model_version_id}  {moment_text(one.failed_at)}", dim=True)
    click.echo(f"  {clean(one.error)}")
    click.echo(f"  {clean(one.text)}")
