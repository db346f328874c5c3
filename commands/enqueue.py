"""`tweetspan enqueue`: store tweets and queue them for tagging."""

from __future__ import annotations

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
    from worker.enqueue import Summary
    from worker.tweet_files import BadRow, Tweet

_SHOWN_BAD_ROWS = 20
_EXIT_SOME_BAD = 3


@click.command("enqueue", short_help="Store tweets and queue them for tagging.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...|-")
@click.option("--format", "file_format", type=click.Choice(FORMATS), default="auto", help="[default: look at each row]")
@click.option("--batch-size", type=click.IntRange(1, 10_000), default=256, show_default=True, help="Tweets a batch.")
@click.option("--name", help="Of the job.  [default: the files' names]")
@click.option("--strict", is_flag=True, help="Stop at the first bad row; those before it are stored.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary for machines.")
def enqueue_command(
    files: tuple[str, ...], file_format: str, batch_size: int, name: str | None, strict: bool, as_json: bool
) -> None:
    """Store the tweets of FILES (- is standard input) and queue them for tagging.

    Reads JSONL of Twitter API v1.1 or v2 objects or pages, plain {"id", "text", ...}, and CSV with a header. Tweets
    that are stored already are passed over, so a file may come again. Bad rows are reported with their line and
    skipped; the exit code is then 3. Works while Redis is down: the batches wait in the database.

    \b
    Examples:
      tweetspan enqueue tweets.jsonl
      zcat archive.jsonl.gz | tweetspan enqueue -
    """
    from commands.opening import opened
    from commands.rendering import paused, progress_bar
    from worker.enqueue import enqueue
    from worker.handout import hand_out

    with ExitStack() as stack:
        for file in files:
            _open(file, stack)  # all of them, before the first is read
    with opened() as (settings, database), progress_bar() as progress:
        bar = progress.add_task("reading", total=None)

        def rows() -> Iterator[Tweet | BadRow]:
            for row in _read(files, file_format):
                progress.advance(bar)
                yield row

        def on_bad(row: BadRow) -> None:
            with paused(progress):
                report.add(row)

        report = _BadRowReport(strict)
        summary = enqueue(database, rows(), _storable(name or ", ".join(files)), batch_size, on_bad)
        note = hand_out(settings, database) if summary.added else ""
    _print_summary(summary, note, as_json)
    if summary.bad:
        sys.exit(_EXIT_SOME_BAD)


def _storable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()  # a file's name may be of any bytes


class _BadRowReport:
    """Prints the first bad rows with their lines; counting the rest is the summary's."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.count = 0

    def add(self, row: BadRow) -> None:
        told = f"{row.source}:{row.line}: {row.reason}"
        if self.strict:
            raise TweetFileError(f"{told} (leave --strict out to skip bad rows)")
        self.count += 1
        if self.count <= _SHOWN_BAD_ROWS:
            click.echo(told, err=True)
        elif self.count == _SHOWN_BAD_ROWS + 1:
            click.echo("further bad rows are only counted", err=True)


def _read(files: tuple[str, ...], file_format: str) -> Iterator[Tweet | BadRow]:
    from worker.tweet_files import read_tweets

    for name in files:
        with ExitStack() as stack:
            yield from read_tweets(_open(name, stack), name, file_format)


def _open(name: str, stack: ExitStack) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(name).open("rb"))
    except OSError as error:
        raise TweetFileError(f"cannot read {name}: {error.strerror}; check the path") from error


def _print_summary(summary: Summary, note: str, as_json: bool) -> None:
    from commands.rendering import counted, print_json

    if as_json:
        print_json(asdict(summary))
        return
    added = f"{counted(summary.added, 'tweet')} added in {counted(summary.batches, 'batch', 'batches')}"
    click.echo(f"{added}, {summary.known} already there, {counted(summary.bad, 'bad row')}")
    if note:
        click.echo(note)
