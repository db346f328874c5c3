"""Ask every question of a small and of a large database, and see how the time grows with what is stored.

Usage: python -m benchmarks.questions_growth [--spans 10000000] [--small 100000] [--sqlite] [--json FILE]

Both databases hold the same 200,000 entities over the same sixty days; the large one has more of everything. Questions
about all that is stored, and about a rare entity, should not grow (3 times at most); the others should cost no more for
each matching mention (1.5 times). DuckDB answers some of them over the exported Parquet of the large database, which it
reads with each question, as a tool without a database of its own would. Times are of the Python function, of PostgreSQL
(as for `benchmarks.enqueue_copy`) or SQLite, nothing else running. Full text is not measured here.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.enqueue_copy import fresh_database, server, sqlalchemy_url
from benchmarks.generated import Stream, fill
from benchmarks.questions_asked import FLAT, QUESTIONS, WEEK, Question
from db.session import Database, open_database
from db.tables import Entity
from tests.processes import ROOT, TWEETSPAN, environment

ENTITIES = 200_000
MOST_RUNS, FEWEST_RUNS, SECONDS = 21, 5, 10.0  # of a question
AskDuckDb = Callable[[Question], float | None]
_MENTIONS = """
    CREATE VIEW mentions AS SELECT id AS tweet_id, created_at, language, span.score AS score,
    span.entity.label AS label, span.entity.name AS name FROM (SELECT *, unnest(spans) AS span FROM read_parquet(?))
"""


@dataclass(frozen=True)
class Timing:
    """How long a question took, in milliseconds, and how many mentions it was about."""

    median: float
    p95: float
    runs: int
    mentions: int


@dataclass(frozen=True)
class Growth:
    """A question at both sizes; `ratio` is of the medians or, where time may grow, of the medians for each mention."""

    question: str
    most: float
    small: Timing
    large: Timing
    ratio: float
    duckdb: float | None  # milliseconds, of the large one


def measured(ask: Callable[[], Any]) -> list[float]:
    """Ask once to warm up, then several times; return the milliseconds, rising."""
    ask()
    taken: list[float] = []
    while len(taken) < FEWEST_RUNS or (len(taken) < MOST_RUNS and sum(taken) < SECONDS):
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)
    return sorted(1000 * one for one in taken)


def timing(database: Database, stream: Stream, question: Question) -> Timing:
    """Time one question."""
    with database.read_session() as session:
        mentions = question.about(session, stream)

    def ask() -> None:
        with database.read_session() as session:
            question.ask(session, stream)

    taken = measured(ask)
    return Timing(statistics.median(taken), taken[min(len(taken) - 1, int(0.95 * len(taken)))], len(taken), mentions)


@contextmanager
def exported(
    folder: Path, url: str, database: Database, stream: Stream
) -> Iterator[Callable[[Question], float | None]]:
    """Export to Parquet; yields what asks DuckDB, and returns the median in milliseconds."""
    file = folder / "annotations.parquet"
    began = time.perf_counter()
    command = [*TWEETSPAN, "export", "--format", "parquet", "--hidden", "--output", str(file)]
    subprocess.run(command, env=environment(folder, url), cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    print(f"exported {file.stat().st_size / 1e6:.0f} MB in {time.perf_counter() - began:.0f} s", flush=True)
    with duckdb.connect() as connection:
        connection.execute(_MENTIONS.replace("?", repr(str(file))))

        def ask(question: Question) -> float | None:
            if question.duckdb is None:
                return None
            values = _values(database, stream, question)
            return statistics.median(measured(lambda: connection.execute(question.duckdb, values).fetchall()))

        yield ask


def _values(database: Database, stream: Stream, question: Question) -> dict[str, Any]:
    statement = question.duckdb or ""
    values: dict[str, Any] = {name: moment for name, moment in WEEK.items() if f"${name}" in statement}
    if "$name" in statement:
        with database.read_session() as session:
            entity = session.get_one(Entity, stream.rare if "rare" in question.name else stream.common)
            values |= {"label": entity.label, "name": entity.name}
    return values


def run(folder: Path, urls: tuple[str, str], sizes: tuple[int, int]) -> Iterator[Growth]:
    """Fill both databases and ask."""
    databases = [open_database(url) for url in urls]
    streams = []
    for database, spans in zip(databases, sizes, strict=True):
        began = time.perf_counter()
        streams.append(fill(database, spans, ENTITIES))
        print(f"stored {spans:,} mentions in {time.perf_counter() - began:.0f} s", flush=True)
    with exported(folder, urls[1], databases[1], streams[1]) as ask_duckdb:
        for question in QUESTIONS:
            small, large = (timing(*one, question) for one in zip(databases, streams, strict=True))
            per_mention = 1 if question.most == FLAT else large.mentions / max(1, small.mentions)
            ratio = large.median / small.median / per_mention
            yield Growth(question.name, question.most, small, large, ratio, ask_duckdb(question))
    for database in databases:
        database.close()


def report(growths: Iterator[Growth]) -> list[Growth]:
    """Print a line for each question as it is measured."""
    print(f"{'milliseconds: median (95th percentile)':32} {'small':>16} {'large':>18} {'mentions':>10} "
          f"{'ratio':>6} {'most':>4} {'DuckDB':>8}")  # fmt: skip
    done = []
    for one in growths:
        done.append(one)
        small, large = (f"{side.median:.1f} ({side.p95:.1f})" for side in (one.small, one.large))
        beside = "" if one.duckdb is None else f"{one.duckdb:.0f}"
        missed = " missed" if one.ratio > one.most else ""
        print(f"{one.question:32} {small:>16} {large:>18} {one.large.mentions:>10,} {one.ratio:>6.2f} {one.most:>4} "
              f"{beside:>8}{missed}", flush=True)  # fmt: skip
    return done


def main() -> None:
    """Print the table; the exit code is 1 if a question grew more than it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spans", type=int, help="[default: 10000000, with --sqlite 1000000]")
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    sizes = (arguments.small, arguments.spans or (1_000_000 if arguments.sqlite else 10_000_000))
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, DuckDB {duckdb.__version__}")
    with tempfile.TemporaryDirectory(prefix="tweetspan-benchmark-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if arguments.sqlite:
            small, large = (f"sqlite:///{folder / size}.db" for size in ("small", "large"))
            done = report(run(folder, (small, large), sizes))
        else:
            with server(folder) as url, fresh_database(url) as one, fresh_database(url) as other:
                done = report(run(folder, (sqlalchemy_url(one), sqlalchemy_url(other)), sizes))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(one) for one in done], indent=2), encoding="utf-8")
    sys.exit(any(one.ratio > one.most for one in done))


if __name__ == "__main__":
    main()
