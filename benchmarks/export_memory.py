"""Does an export's memory stay flat? Run: python -m benchmarks.export_memory

A million spans in a SQLite database are exported in each format, a quarter of them and all, each time by the command
as a process of its own. Peak memory of both, their ratio, and the rate. The exit code is 1 if a peak grew by a tenth.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from commands.export.formats import FORMATS
from db import model_versions
from db.bulk import copy_rows
from db.session import open_database
from db.tables import Annotation, Entity, Span, Tweet
from tests.ledger_tools import VERSION
from tests.processes import ROOT, TWEETSPAN, environment

_LARGEST_RATIO = 1.1
_PEOPLE = 5_000  # as many entities
_SPANS = 2  # a tweet
_CHUNK = 20_000  # tweets that are stored at once
_START = datetime(2024, 1, 1, tzinfo=UTC)
_COLUMNS: dict[type[Tweet] | type[Annotation] | type[Span], tuple[str, ...]] = {
    Tweet: ("id", "text", "created_at", "author", "language", "retweet_of"),
    Annotation: ("tweet_id", "model_version_id", "status", "annotated_at", "error"),
    Span: ("tweet_id", "model_version_id", "start_char", "end_char", "label", "surface", "score", "entity_id"),
}


@click.command()
@click.option("--spans", default=1_000_000, show_default=True)
def main(spans: int) -> None:
    """Measure and print a table."""
    tweets = spans // _SPANS
    with tempfile.TemporaryDirectory(prefix="tweetspan-export-") as name:
        home = Path(name)
        # In a process of its own: on Linux, a child's peak is at least what its parent held when it began.
        building = multiprocessing.get_context("spawn").Process(target=_build, args=(home, tweets))
        building.start()
        building.join()
        quarter = ["--until", (_START + timedelta(seconds=tweets // 4)).isoformat()]
        print(f"{spans:,} spans in {tweets:,} tweets; peaks in MB (10**6 bytes), of a quarter of them and of all")
        print(f"{'':14}{'quarter':>9}{'all':>9}{'ratio':>7}{'seconds':>9}{'spans/s':>10}{'file, MB':>10}")
        ratios = [_line(home, file_format, quarter, spans) for file_format in (*FORMATS, "ids")]
    sys.exit(max(ratios) > _LARGEST_RATIO)


def _build(home: Path, tweets: int) -> None:
    database = open_database(f"sqlite:///{home / 'tweetspan.db'}")
    with database.write_session() as session:
        model_versions.activate(session, model_versions.register(session, **VERSION).id)
        entities = ((number + 1, "PER", f"person {number}") for number in range(_PEOPLE))
        copy_rows(session, Entity, ("id", "label", "name"), entities)
    for first in range(0, tweets, _CHUNK):
        with database.write_session() as session:
            numbers = range(first, min(first + _CHUNK, tweets))
            copy_rows(session, Tweet, _COLUMNS[Tweet], map(_tweet, numbers))
            copy_rows(session, Annotation, _COLUMNS[Annotation], ((_id(one), 1, "done", 0.0, None) for one in numbers))
            copy_rows(session, Span, _COLUMNS[Span], (span for one in numbers for span in _spans(one)))
    database.close()


def _id(number: int) -> int:
    return 1_760_000_000_000_000_000 + number * 4_194_304


def _tweet(number: int) -> tuple[object, ...]:
    names = " meets ".join(f"Person {(number * 7 + one) % _PEOPLE}" for one in range(_SPANS))
    text = f"{names} this morning, says a tweet of about the usual length 🎉 https://example.org/{number}"
    return _id(number), text, _START + timedelta(seconds=number), f"author{number % 997}", "en", None


def _spans(number: int) -> Iterator[tuple[object, ...]]:
    start = 0
    for one in range(_SPANS):
        person = (number * 7 + one) % _PEOPLE
        surface = f"Person {person}"
        yield _id(number), 1, start, start + len(surface), "PER", surface, 0.9, person + 1
        start += len(surface) + len(" meets ")


def _line(home: Path, file_format: str, quarter: list[str], spans: int) -> float:
    form = ["--ids-only"] if file_format == "ids" else ["--format", file_format]
    some, _, _ = _export(home, [*form, *quarter])
    peak, seconds, size = _export(home, form)
    rate = f"{spans / seconds:,.0f}"
    print(f"{file_format:14}{some:9.0f}{peak:9.0f}{peak / some:7.2f}{seconds:9.1f}{rate:>10}{size:10.0f}", flush=True)
    return peak / some


def _export(home: Path, arguments: list[str]) -> tuple[float, float, float]:
    """Export to a file; return the process's peak memory in MB, its seconds and the size of the file in MB."""
    file = home / "exported"
    command = [*TWEETSPAN, "export", "--output", str(file), *arguments]
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment(home), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}: {said}")
    kilobyte = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * kilobyte / 1e6, time.perf_counter() - start, file.stat().st_size / 1e6


if __name__ == "__main__":
    main()
