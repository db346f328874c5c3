"""PostgreSQL's own pace: COPY of the rows that a worker has stored, into the same tables, in batches as large."""

import time
from collections.abc import Iterator, Sequence

import psycopg
from sqlalchemy import select

from benchmarks.whole_way import WholeWay
from db.tables import Batch

TABLES = {"tweets": "id", "annotations": "tweet_id", "spans": "tweet_id"}

Copied = list[dict[str, bytes]]  # of each batch, the rows of each table in COPY's binary form


def read(way: WholeWay) -> Copied:
    """Read what is stored of each batch's tweets."""
    with way.database.read_session() as session:
        batches = session.scalars(select(Batch.tweet_ids).order_by(Batch.id)).all()
    with psycopg.connect(way.postgresql.url) as connection:
        return [{table: _rows(connection, table, ids) for table in TABLES} for ids in batches]


def store(way: WholeWay, copied: Copied) -> float:
    """Copy it all into emptied tables, a transaction for each batch; return the seconds. Entities stay."""
    with psycopg.connect(way.postgresql.url, autocommit=True) as connection:
        connection.execute("TRUNCATE tweets, batches, jobs, entity_counts, hour_counts CASCADE")
        connection.execute("VACUUM")
        connection.execute("CHECKPOINT")
        start = time.perf_counter()
        for batch in copied:
            with connection.transaction(), connection.cursor() as cursor:
                for table, rows in batch.items():
                    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                        copy.write(rows)
        return time.perf_counter() - start


def _rows(connection: psycopg.Connection, table: str, ids: Sequence[int]) -> bytes:
    listed = ",".join(map(str, ids))
    query = f"SELECT * FROM {table} WHERE {TABLES[table]} = ANY('{{{listed}}}') ORDER BY {TABLES[table]}"
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
        return b"".join(_bytes(copy))


def _bytes(copy: psycopg.Copy) -> Iterator[bytes]:
    return (bytes(part) for part in copy)
