"""Does a backlog of a million batches slow the ledger or fill Redis? Run: python -m benchmarks.dispatch_backlog

On a real PostgreSQL and a real Redis, medians at a short and at a long backlog in the same run, and their ratio: a
dispatch into an empty Redis, one into a full Redis, a claim with its finish, and the look whether anything is open.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
from sqlalchemy import text

from benchmarks.delivery.postgresql_server import PostgresqlServer
from benchmarks.delivery.redis_server import RedisServer
from db import jobs, ledger, model_versions
from db.session import Database, open_database
from tests.ledger_tools import VERSION, claim
from worker.dispatch import FULL, dispatch
from worker.messages import QUEUE

_IDS = 32  # in each batch
_INSERT = """
    INSERT INTO batches (job_id, tweet_ids, status, attempts, created_at)
    SELECT :job, array_agg(n * :size + i), 'waiting', 0, 0
    FROM generate_series(1, :count) n, generate_series(1, :size) i GROUP BY n
"""


@click.command()
@click.option("--short", default=1_000, show_default=True, help="Batches.")
@click.option("--long", default=1_000_000, show_default=True, help="Batches.")
@click.option("--repeats", default=50, show_default=True)
def main(short: int, long: int, repeats: int) -> None:
    """Measure at both backlogs and print a table."""
    with tempfile.TemporaryDirectory(prefix="tweetspan-backlog-") as name:
        postgresql, redis = PostgresqlServer(Path(name)), RedisServer(Path(name))
        database = open_database(postgresql.url.replace("postgresql://", "postgresql+psycopg://"))
        try:
            job_id = _prepare(database)
            _add(database, job_id, short)
            before = _measure(database, redis, repeats)
            _add(database, job_id, long - short)
            after = _measure(database, redis, repeats)
            print(f"medians of {repeats}, in milliseconds; batches of {_IDS} ids")
            print(f"{'':34}{short:>12,}{long:>12,}{'ratio':>8}")
            for what, milliseconds in before.items():
                print(f"{what:34}{milliseconds:12.2f}{after[what]:12.2f}{after[what] / milliseconds:8.2f}")
            print(f"messages in Redis at the end: {redis.messages()}")
        finally:
            database.close()
            redis.stop()
            postgresql.stop()


def _prepare(database: Database) -> int:
    with database.write_session() as session:
        model_versions.activate(session, model_versions.register(session, **VERSION).id)
        return jobs.open_job(session, "backlog")


def _add(database: Database, job_id: int, count: int) -> None:
    with database.write_session() as session:
        session.execute(text(_INSERT), {"job": job_id, "count": count, "size": _IDS})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE batches"))


def _measure(database: Database, redis: RedisServer, repeats: int) -> dict[str, float]:
    handed: list[int] = []

    def top_up() -> int:
        return dispatch(database, redis.client)

    def empty_and_top_up() -> None:
        redis.client.delete(QUEUE)
        assert top_up() == FULL
        handed.extend(redis.batch_ids())

    def tag() -> None:
        with database.write_session() as session:
            claimed = claim(session, handed.pop())
        assert claimed is not None
        with database.write_session() as session:
            assert ledger.finish(session, claimed)

    def look() -> None:
        with database.read_session() as session:
            assert not ledger.is_empty(session)

    filling = _median(empty_and_top_up, min(repeats, 10))  # a short backlog has no more
    return {
        f"dispatch of {FULL} batches": filling,
        "dispatch into a full Redis": _median(top_up, repeats),
        "claim and finish": _median(tag, repeats),
        "is anything open?": _median(look, repeats),
    }


def _median(work: Callable[[], object], repeats: int) -> float:
    seconds: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1000


if __name__ == "__main__":
    main()
