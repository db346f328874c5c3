"""`tweetspan status`: how the work stands."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from db.session import Database
    from db.status import Status

_EVERY = 2.0  # seconds


@click.command("status", short_help="Show how the work stands.")
@click.option("--watch", is_flag=True, help="Again every two seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status_command(watch: bool, as_json: bool) -> None:
    """Show tweets and batches by state, the rate, workers seen lately and failures.

    \b
    Example: tweetspan status --watch
    """
    from commands.opening import opened

    with opened() as (_, database):
        _show(database, as_json)
        with suppress(KeyboardInterrupt):
            while watch:
                time.sleep(_EVERY)
                click.clear()
                _show(database, as_json)


def _show(database: Database, as_json: bool) -> None:
    from answers.work_rows import status_row
    from commands.rendering import print_json
    from db.status import read_status

    with database.read_session() as session:
        status = read_status(session)
    if as_json:
        print_json(status_row(status))
    else:
        _print(status)


def _print(status: Status) -> None:
    from answers.wording import clean

    batches = ", ".join(f"{count} {state}" for state, count in sorted(status.batches.items())) or "none"
    click.echo(f"tweets    {status.tweets} stored, {status.tweets_waiting} waiting or being tagged")
    for version_id, counts in status.read.items():
        name = f"version {version_id}{', the active one' if version_id == status.active_version else ''}"
        click.echo(f"read      {counts['done']} by {name}; {counts['dead']} dead")
    click.echo(f"spans     {status.spans}")
    click.echo(f"batches   {batches}")
    if status.oldest_waiting_seconds is not None:
        click.echo(f"oldest    waits for {status.oldest_waiting_seconds:.0f} s")
    click.echo(f"rate      {status.tweets_per_second:.1f} tweets/s over the last minute")
    seen = ", ".join(f"{name} ({seconds:.0f} s ago)" for name, seconds in status.workers.items())
    click.echo(f"workers   {seen or 'none running'}")
    for batch_id, error in status.troubled.items():
        click.echo(f"trouble   batch {batch_id} is tried again: {clean(error)}")
    for failure in status.failures:
        click.echo(f"dead      tweet {failure.tweet_id}, version {failure.model_version_id}: {clean(failure.error)}")
