"""`tweetspan tweets delete`."""

from __future__ import annotations

import sys
from itertools import chain, islice
from typing import TextIO

import click

from commands.tweet_ids import parse_tweet_ids, read_tweet_ids
from tagging.errors import QueryError

_CHUNK = 10_000  # tweets of one transaction, which reads every open batch
_SHOWN_BAD_LINES = 20
_EXIT_SOME_BAD = 3


@click.command("delete", short_help="Remove tweets for good.")
@click.argument("ids", nargs=-1, metavar="[ID]...", callback=parse_tweet_ids)
@click.option(
    "--file", type=click.File(encoding="utf-8-sig", errors="replace"), help="One id a line; - is standard input."
)
def delete(ids: tuple[int, ...], file: TextIO | None) -> None:
    """Remove tweets with their spans and marks, and take them out of the queue.

    Their ids stay behind, so that a later enqueue does not bring them back; also the ids of tweets that were never
    stored. Batches that are being tagged go on without them. Lines that hold no id are reported and passed over; the
    exit code is then 3.

    \b
    Examples:
      tweetspan tweets delete 153928603371978755
      tweetspan tweets delete --file deleted-ids.txt
    """
    from answers.wording import counted
    from commands.opening import opened
    from db import tweets

    if not ids and file is None:
        raise QueryError("no tweet is named; give ids, or --file with one id a line")
    stored = others = bad = 0

    def on_bad(number: int, reason: str) -> None:
        nonlocal bad
        bad += 1
        if bad <= _SHOWN_BAD_LINES:
            click.echo(f"line {number}: {reason}", err=True)

    wanted = chain(ids, read_tweet_ids(file or (), on_bad))
    with opened() as (_, database):
        while chunk := set(islice(wanted, _CHUNK)):
            with database.write_session() as session:
                removed = tweets.delete(session, chunk)
            stored += removed
            others += len(chunk) - removed
    click.echo(f"{counted(stored, 'tweet')} deleted, {others} not stored; none of them can return")
    if bad:
        click.echo(f"{counted(bad, 'line')} held no id", err=True)
        sys.exit(_EXIT_SOME_BAD)
