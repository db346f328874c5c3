"""`tweetspan jobs`: what was queued together, and how far it is."""

from __future__ import annotations

import sys
import time
from math import inf
from typing import TYPE_CHECKING, Any

import click

from answers.moments import moment_text
from tagging.errors import JobError

if TYPE_CHECKING:
    from db.jobs import Progress
    from db.session import Database

_EVERY = 1.0  # seconds
_SHARE = 0.1  # of the time at most is spent on looking: a job of 100 million tweets is not counted in a moment
_EXIT_SOME_DEAD, _EXIT_CANCELLED, _EXIT_TIMEOUT = 3, 4, 124


@click.group("jobs")
def jobs_command() -> None:
    """List, show, cancel and await jobs: each enqueue, reannotate and requeue is one."""


@jobs_command.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_jobs(limit: int, as_json: bool) -> None:
    """List the newest jobs with their tweets by state.

    \b
    Example: tweetspan jobs list
    """
    from answers.work_rows import job_row
    from commands.opening import opened
    from commands.rendering import print_json, print_table
    from db import jobs

    with opened() as (_, database), database.read_session() as session:
        found = jobs.newest(session, limit)
    if as_json:
        print_json([job_row(one) for one in found])
    elif found:
        columns = ["job", "name", "queued (UTC)", "state", "tweets", "waiting", "leased", "done", "dead", "cancelled"]
        print_table(columns, [_row(one) for one in found])
    else:
        click.echo("no job yet; run `tweetspan enqueue FILE`")


@jobs_command.command("show")
@click.argument("job")
def show(job: str) -> None:
    """Show how far one JOB is, as JSON; JOB is its number, or a name: of several jobs the newest.

    \b
    Example: tweetspan jobs show 3
    """
    from answers.work_rows import job_row
    from commands.opening import opened
    from commands.rendering import print_json
    from db import jobs

    with opened() as (_, database), database.read_session() as session:
        print_json(job_row(jobs.progress(session, jobs.find(session, job))))


@jobs_command.command("cancel")
@click.argument("job")
def cancel(job: str) -> None:
    """Take the waiting batches of a JOB out of the queue.

    Batches that are being tagged are finished. The tweets stay stored; `tweetspan reannotate` queues those that were
    not read.

    \b
    Example: tweetspan jobs cancel 3
    """
    from answers.wording import counted
    from commands.opening import opened
    from db import jobs

    with opened() as (_, database), database.write_session() as session:
        job_id = jobs.find(session, job)
        found = jobs.progress(session, job_id)
        if not found.open:
            raise JobError(f"job {job_id} is {found.state}: nothing of it is left; see `tweetspan jobs show {job_id}`")
        batches = jobs.cancel(session, job_id)
    click.echo(f"job {job_id} is cancelled: {counted(batches, 'batch', 'batches')} taken out of the queue")
    if found.leased:
        click.echo(f"{counted(found.leased, 'tweet')} in the hands of workers will be finished")


@jobs_command.command("wait")
@click.argument("job")
@click.option("--timeout", type=click.FloatRange(min=0), help="Seconds.  [default: none]")
def wait(job: str, timeout: float | None) -> None:
    """Wait until nothing of a JOB waits or is being tagged; an enqueue that still reads may add to it later.

    The exit code is 0 if every tweet was tagged, 3 if some are dead (see `tweetspan failures`), 4 if the job was
    cancelled, and 124 if the time was up before.

    \b
    Example: tweetspan jobs wait 3 && tweetspan entities top
    """
    from commands.opening import opened
    from db import jobs

    deadline = inf if timeout is None else time.monotonic() + timeout
    with opened() as (_, database):
        with database.read_session() as session:
            job_id = jobs.find(session, job)
        found = _await(database, job_id, deadline)
    click.echo(
        f"job {job_id} is {found.state}: {found.done} done, {found.dead} dead, {found.cancelled} cancelled, "
        f"{found.open} open"
    )
    sys.exit(_exit_code(found))


def _await(database: Database, job_id: int, deadline: float) -> Progress:
    from commands.rendering import progress_bar
    from worker.patience import patiently

    with progress_bar() as bar:
        task = bar.add_task(f"job {job_id}", total=None)
        while True:
            began = time.monotonic()
            found = patiently(_progress, database, job_id)
            took = time.monotonic() - began
            bar.update(task, total=found.total, completed=found.total - found.open)
            left = deadline - time.monotonic()
            if not found.open or left <= 0:
                return found
            time.sleep(min(left, max(_EVERY, took / _SHARE)))


def _progress(database: Database, job_id: int) -> Progress:
    from db import jobs

    with database.read_session() as session:
        return jobs.progress(session, job_id)


def _exit_code(found: Progress) -> int:
    if found.open:
        return _EXIT_TIMEOUT
    if found.state == "cancelled":
        return _EXIT_CANCELLED
    return _EXIT_SOME_DEAD if found.dead else 0


def _row(one: Progress) -> list[Any]:
    counts = [one.total, one.waiting, one.leased, one.done, one.dead, one.cancelled]
    return [one.job_id, one.name, moment_text(one.created_at), one.state, *counts]
