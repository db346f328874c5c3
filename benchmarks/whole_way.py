"""The whole way of a tweet, from a file to stored spans: real processes and servers, and the CPU time of each part."""

import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import psutil
from sqlalchemy import func, select, text

from benchmarks.delivery.postgresql_server import PostgresqlServer
from benchmarks.delivery.redis_server import RedisServer
from benchmarks.delivery.reference import register_versions
from benchmarks.enqueue_copy import Measured, measure
from db import ledger
from db.session import Database, open_database
from db.tables import Batch
from settings import read_settings
from tests.processes import TWEETSPAN, WorkerProcess, environment
from worker.tweet_files import Tweet

_WORKER = [sys.executable, "-m", "celery", "-A", "benchmarks.timed_worker", "worker", "--loglevel", "warning"]
_LOOK_EVERY = 0.1  # seconds


@dataclass(frozen=True)
class Parts:
    """Seconds: CPU by part, and the time that passed. `tagging` is a part of `child`."""

    tagging: float
    child: float
    parent: float
    postgresql: float
    redis: float
    passed: float

    def __sub__(self, other: Self) -> "Parts":
        return Parts(*(getattr(self, one.name) - getattr(other, one.name) for one in fields(self)))

    @property
    def outside(self) -> float:
        """CPU seconds that were not tagging."""
        return self.child - self.tagging + self.parent + self.postgresql + self.redis


class WholeWay:
    """A PostgreSQL and a Redis of our own with one registered version, a folder, and workers to be started."""

    def __init__(
        self, folder: Path, device: str = "cpu", settings: Mapping[str, str] | None = None, **version: object
    ) -> None:
        self.folder = folder
        self.postgresql, self.redis = PostgresqlServer(folder, settings), RedisServer(folder)
        self.database = open_database(read_settings({"TWEETSPAN_DATABASE_URL": self.postgresql.url}).database_url)
        register_versions(self.database, 1, **version)
        self.times = folder / "times"
        broker = f"redis+socket://{self.redis.socket}"
        self.env = environment(folder, self.postgresql.url, broker) | {"TIMED_FILE": str(self.times)}
        self.env["TWEETSPAN_DEVICE"] = device
        del self.env["OMP_NUM_THREADS"]

    @contextmanager
    def workers(self, count: int = 1, **env: str) -> Iterator[list[WorkerProcess]]:
        """Run workers for the time of a block."""
        with ExitStack() as stack:
            started = []
            for number in range(count):
                command = [*_WORKER, "-n", f"worker{number}"]
                started.append(WorkerProcess(command, self.env | env, self.folder / f"worker{number}.log"))
                stack.callback(started[-1].stop)
            yield started

    def enqueue(self, tweets: Iterable[Tweet], batch_size: int) -> Measured:
        """Store tweets by `tweetspan enqueue`, as a process of its own."""
        file = self.folder / "tweets.jsonl"
        write_tweets(file, tweets)
        return measure([*TWEETSPAN, "enqueue", "--batch-size", str(batch_size), str(file)], self.env)

    def wait_until_done(self, workers: Sequence[WorkerProcess]) -> None:
        """Return once no batch is open."""
        while not is_done(self.database):
            for worker in workers:
                assert worker.process.poll() is None, worker.said
            time.sleep(_LOOK_EVERY)

    def spent(self, workers: Sequence[WorkerProcess]) -> Parts:
        """Return what each part has computed so far."""
        parents = [psutil.Process(worker.process.pid) for worker in workers]
        server = psutil.Process(int((self.postgresql.data / "postmaster.pid").read_text().split()[0]))
        backends = sum(map(_seconds, server.children())) + sum(server.cpu_times()[2:4])  # the living, and the ended
        return Parts(
            tagging=sum(map(float, self.times.read_text().split())) if self.times.exists() else 0.0,
            child=sum(_seconds(child) for parent in parents for child in parent.children()),
            parent=sum(map(_seconds, parents)),
            postgresql=backends + _seconds(server),
            redis=_seconds(psutil.Process(self.redis._process.pid)),
            passed=time.perf_counter(),
        )

    def empty(self) -> None:
        """Take away all tweets and what was made of them."""
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("TRUNCATE tweets, batches, jobs, entities, entity_counts, hour_counts CASCADE"))
            connection.execute(text("VACUUM"))
            connection.execute(text("CHECKPOINT"))

    def stop(self) -> None:
        """End both servers."""
        self.database.close()
        self.redis.stop()
        self.postgresql.stop()


@contextmanager
def whole_way(device: str = "cpu", settings: Mapping[str, str] | None = None, **version: object) -> Iterator[WholeWay]:
    """Set it up for the time of a block, with settings of PostgreSQL by name."""
    with tempfile.TemporaryDirectory(prefix="tweetspan-benchmark-") as name:
        way = WholeWay(Path(name), device, settings, **version)
        try:
            yield way
        finally:
            way.stop()


def write_tweets(file: Path, tweets: Iterable[Tweet]) -> None:
    """Write tweets as plain objects, one a line."""
    with file.open("w", encoding="utf-8") as lines:
        for one in tweets:
            row = one._asdict() | {"created_at": one.created_at and one.created_at.isoformat()}
            lines.write(json.dumps(row) + "\n")


def is_done(database: Database) -> bool:
    """Tell whether no batch is open."""
    with database.read_session() as session:
        return ledger.is_empty(session)


def batches_done(database: Database) -> int:
    """Count the finished batches."""
    with database.read_session() as session:
        return session.scalars(select(func.count()).where(Batch.status == ledger.DONE)).one()


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
