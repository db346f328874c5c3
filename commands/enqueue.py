"""`tweetspan enqueue`: store tweets and queue them for tagging."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from tagging.errors import TweetFileError
from worker.tweet_files import FORMATS

if TYPE_CHECKING:
    from rich.progress import Progress

    from db.session import Database
    from worker.enqueue import Summary
    from worker.tweet_files import BadRow, Tweet

_SHOWN_BAD_ROWS = 20
_EXIT_SOME_BAD = 3
_READING = "reading"
_LATELY = 60.0  # seconds within which a worker's heartbeat counts


@click.command("enqueue", short_help="Store tweets and queue them for tagging.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...|-")
@click.option("--format", "file_format", type=click.Choice(FORMATS), default="auto", help="[default: look at each row]")
@click.option("--batch-size", type=click.IntRange(1, 8192), default=2048, show_default=True, help="Tweets a batch.")
@click.option(
    "--max-waiting", type=click.IntRange(1), metavar="N", help="Wait while N batches are open.  [default: no bound]"
)
@click.option("--name", help="Of the job.  [default: the files' names]")
@click.option("--strict", is_flag=True, help="Stop at the first bad row; those before it are stored.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary for machines.")
def enqueue_command(
    files: tuple[str, ...],
    file_format: str,
    batch_size: int,
    max_waiting: int | None,
    name: str | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Store the tweets of FILES (- is standard input) and queue them for tagging.

    Reads JSONL of Twitter API v1.1 or v2 objects or pages, plain {"id", "text", ...}, and CSV with a header. Tweets
    that are stored already are passed over, so a file may come again. Bad rows are reported with their line and
    skipped; the exit code is then 3. Works while Redis is down: the batches wait in the database. With --max-waiting it
    stops reading while so many batches wait or are being tagged, so that a stream of any length can be piped in.

    \b
    Examples:
      tweetspan enqueue tweets.jsonl
      zcat archive.jsonl.gz | tweetspan enqueue -
      tail -f -n +1 stream.jsonl | tweetspan enqueue --max-waiting 100 -
    """
    from commands.opening import opened
    from commands.rendering import progress_bar
    from worker.backlog import Backlog
    from worker.enqueue import enqueue
    from worker.handout import hand_out

    _stop_on_sigterm()
    with ExitStack() as stack, opened() as (settings, database), progress_bar() as progress:
        opened_files = [(name, _open(name, stack)) for name in files]  # all of them, before the first is read
        report = _Report(progress, database, strict)
        backlog = Backlog(database, max_waiting, report.full) if max_waiting else None
        job = _storable(name or ", ".join(files))
        summary = enqueue(
            database, _read(opened_files, file_format), job, batch_size, report.bad, report.stored, backlog
        )
        note = hand_out(settings, database) if summary.added else ""
    _print_summary(summary, note, as_json)
    if summary.bad:
        sys.exit(_EXIT_SOME_BAD)


def _storable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()  # a file's name may be of any bytes


class _Report:
    """Shows how far it is, prints the first bad rows with their lines; counting the rest is the summary's."""

    def __init__(self, progress: Progress, database: Database, strict: bool) -> None:
        self._progress, self._database, self._strict = progress, database, strict
        self._bar = progress.add_task(_READING, total=None)
        self._bad = 0
        self._looked_for_workers = False

    def stored(self, summary: Summary) -> None:
        rows = summary.added + summary.known + summary.deleted + summary.bad
        self._progress.update(self._bar, description=_READING, completed=rows)

    def bad(self, row: BadRow) -> None:
        told = f"{row.source}:{row.line}: {row.reason}"
        if self._strict:
            raise TweetFileError(f"{told} (leave --strict out to skip bad rows)")
        self._bad += 1
        if self._bad <= _SHOWN_BAD_ROWS:
            self._print(told)
        elif self._bad == _SHOWN_BAD_ROWS + 1:
            self._print("further bad rows are only counted")

    def full(self) -> None:
        from worker.patience import patiently

        self._progress.update(self._bar, description="waiting for workers")
        if self._looked_for_workers:
            return
        self._looked_for_workers = True
        if not patiently(self._seen):
            self._print("waiting for workers, and none was seen lately; start one: tweetspan worker")

    def _seen(self) -> bool:
        from db import workers

        with self._database.read_session() as session:
            return bool(workers.seen_within(session, _LATELY))

    def _print(self, line: str) -> None:
        from commands.rendering import paused

        with paused(self._progress):
            click.echo(line, err=True)


def _stop_on_sigterm() -> None:
    """Let SIGTERM do what Ctrl-C does: what was read is stored."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _read(files: list[tuple[str, BinaryIO]], file_format: str) -> Iterator[Tweet | BadRow]:
    from worker.tweet_files import read_tweets

    for name, file in files:
        yield from read_tweets(file, name, file_format)


def _open(name: str, stack: ExitStack) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(name).open("rb"))
    except OSError as error:
        raise TweetFileError(f"cannot read {name}: {error.strerror}; check the path") from error


def _print_summary(summary: Summary, note: str, as_json: bool) -> None:
    from answers.wording import counted
    from commands.rendering import print_json

    if as_json:
        print_json(asdict(summary))
        return
    added = f"{counted(summary.added, 'tweet')} added in {counted(summary.batches, 'batch', 'batches')}"
    deleted = f", {summary.deleted} deleted before and kept out" if summary.deleted else ""
    click.echo(f"{added}, {summary.known} already there{deleted}, {counted(summary.bad, 'bad row')}")
    if note:
        click.echo(note)
