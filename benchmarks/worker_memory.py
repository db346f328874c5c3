"""Does a worker's memory stay flat? Run: python -m benchmarks.worker_memory

One real worker on a real PostgreSQL and Redis tags many batches with an instant tagger. Its memory (resident pages of
parent and child, a median over the neighbouring seconds) after the first batches and at the end, and their ratio.
The exit code is 1 if it grew by more than the promised 5 %; a process that is replaced on the way ends the run.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import psutil
from sqlalchemy import func, select

from benchmarks.delivery.postgresql_server import PostgresqlServer
from benchmarks.delivery.redis_server import RedisServer
from benchmarks.delivery.reference import register_versions
from db.session import Database, open_database
from db.tables import Batch
from settings import read_settings
from tests.processes import WorkerProcess, environment
from worker.enqueue import enqueue
from worker.tweet_files import Tweet

_WORKER = [sys.executable, "-m", "celery", "-A", "benchmarks.delivery.fake_worker", "worker", "--loglevel", "warning"]
_AT_ONCE = 500  # batches that are enqueued together
_NEIGHBOURS = 10  # samples, one a second
_LARGEST_RATIO = 1.05  # what the project promises

Sample = tuple[int, float, float]  # batches done; memory of parent and child, in MB


@click.command()
@click.option("--batches", default=10_000, show_default=True)
@click.option("--warm-up", default=500, show_default=True, help="Batches before the first look.")
@click.option("--size", default=16, show_default=True, help="Tweets a batch.")
def main(batches: int, warm_up: int, size: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="tweetspan-memory-") as name:
        folder = Path(name)
        postgresql, redis = PostgresqlServer(folder), RedisServer(folder)
        database = open_database(read_settings({"TWEETSPAN_DATABASE_URL": postgresql.url}).database_url)
        register_versions(database, 1)
        env = environment(folder, postgresql.url, f"redis+socket://{redis.socket}") | {"CHAOS_INSTANT": "1"}
        worker = WorkerProcess(_WORKER, env, folder / "log")
        try:
            started = time.monotonic()
            samples = list(_samples(database, worker, batches, size))
            is_flat = _report(samples, warm_up, time.monotonic() - started)
        finally:
            worker.stop()
            database.close()
            redis.stop()
            postgresql.stop()
    sys.exit(not is_flat)


def _samples(database: Database, worker: WorkerProcess, batches: int, size: int) -> Iterator[Sample]:
    """Keep the worker busy until all is done; look at it every second."""
    enqueued, seen = 0, set[int]()
    while (done := _done(database)) < batches:
        if done and (children := psutil.Process(worker.process.pid).children()):
            seen.update(child.pid for child in children)
            if len(seen) > len(children) or "begins anew" in worker.said:
                sys.exit("a process was replaced: its memory proves nothing")
            yield done, _megabytes([psutil.Process(worker.process.pid)]), _megabytes(children)
        if enqueued - done < _AT_ONCE and enqueued < batches:
            first = enqueued * size + 1
            ids = range(first, first + _AT_ONCE * size)
            enqueue(database, (Tweet(i, f"Ann meets Bob {i % 97}", None, None, None, None) for i in ids), "", size)
            enqueued += _AT_ONCE
        time.sleep(1)


def _done(database: Database) -> int:
    with database.read_session() as session:
        return session.scalars(select(func.count()).where(Batch.status == "done")).one()


def _megabytes(processes: list[psutil.Process]) -> float:
    return sum(process.memory_info().rss for process in processes) / 1e6


def _report(samples: list[Sample], warm_up: int, seconds: float) -> bool:
    after = [sample for sample in samples if sample[0] >= warm_up]
    print(f"{samples[-1][0]} batches in {seconds:.0f} s, {len(samples)} samples")
    print(f"{'MB':10}{'first':>10}{'last':>10}{'ratio':>8}")
    for name, column in (("parent", 1), ("child", 2)):
        _line(name, [sample[column] for sample in after])
    return _line("together", [parent + child for _, parent, child in after]) <= _LARGEST_RATIO


def _line(name: str, megabytes: list[float]) -> float:
    first, last = statistics.median(megabytes[:_NEIGHBOURS]), statistics.median(megabytes[-_NEIGHBOURS:])
    print(f"{name:10}{first:10.1f}{last:10.1f}{last / first:8.3f}")
    return last / first


if __name__ == "__main__":
    main()
