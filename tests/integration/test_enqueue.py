"""Tweets and their batches come into the database together, once, chunk by chunk."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db import jobs, ledger
from db.session import Database, open_database
from db.tables import Batch, Job
from db.tables import Tweet as TweetRow
from tagging.errors import JobError
from worker import enqueue as module
from worker.enqueue import Summary, enqueue
from worker.tweet_files import BadRow, Tweet


def tweet(tweet_id: int) -> Tweet:
    return Tweet(tweet_id, f"tweet {tweet_id}", None, None, None, None)


def tweets(first: int, last: int) -> Iterator[Tweet]:
    return map(tweet, range(first, last + 1))


def batches(database: Database) -> list[list[int]]:
    with database.read_session() as session:
        return list(session.scalars(select(Batch.tweet_ids).order_by(Batch.id)))


def stored_ids(database: Database) -> list[int]:
    with database.read_session() as session:
        return list(session.scalars(select(TweetRow.id).order_by(TweetRow.id)))


def test_tweets_are_cut_into_batches(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 10)
    summary = enqueue(database, tweets(1, 25), "job", batch_size=4)
    assert batches(database) == [
        [1, 2, 3, 4], [5, 6, 7, 8], [9, 10],
        [11, 12, 13, 14], [15, 16, 17, 18], [19, 20],
        [21, 22, 23, 24], [25],
    ]  # fmt: skip
    assert summary == Summary(added=25, batches=8, job_id=summary.job_id)
    with database.read_session() as session:
        job = session.scalars(select(Job)).one()
        assert (job.id, job.name) == (summary.job_id, "job")
        assert session.scalars(select(Batch.job_id).distinct()).all() == [job.id]
        assert set(session.scalars(select(Batch.status))) == {ledger.WAITING}


def test_every_column_is_stored(database: Database) -> None:
    enqueue(database, [Tweet(1, "Olá", None, "ana", "pt", 9)], "job")
    with database.read_session() as session:
        row = session.get_one(TweetRow, 1)
    assert (row.text, row.author, row.language, row.retweet_of) == ("Olá", "ana", "pt", 9)


def test_the_batch_size_that_is_set(database: Database) -> None:
    enqueue(database, tweets(1, 4100), "job")
    assert [len(ids) for ids in batches(database)] == [2048, 2048, 4]


def test_bad_rows_are_reported_and_what_is_around_them_is_stored(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK", 3)
    bad = [BadRow("file", line, "no id") for line in range(6)]
    rows = [bad[0], tweet(1), bad[1], bad[2], bad[3], bad[4], tweet(2), tweet(3), bad[5]]
    reported: list[BadRow] = []
    summary = enqueue(database, rows, "job", on_bad=reported.append)
    assert reported == bad
    assert stored_ids(database) == [1, 2, 3]
    assert batches(database) == [[1], [2, 3]]
    assert (summary.added, summary.known, summary.bad) == (3, 0, 6)


def test_known_tweets_get_no_second_batch(database: Database) -> None:
    enqueue(database, tweets(1, 10), "job")
    again = enqueue(database, tweets(1, 10), "again")
    assert again == Summary(known=10)
    more = enqueue(database, [tweet(11), tweet(3), tweet(12), tweet(11)], "more")
    assert (more.added, more.known, more.batches) == (2, 2, 1)
    assert batches(database) == [list(range(1, 11)), [11, 12]]
    with database.read_session() as session:
        assert session.scalars(select(Job.name).order_by(Job.id)).all() == ["job", "more"], "a job without batches"


def test_nothing_to_enqueue(database: Database) -> None:
    assert enqueue(database, [], "job") == Summary()
    assert enqueue(database, [BadRow("file", 1, "no id")], "job") == Summary(bad=1)
    assert batches(database) == []


def test_a_chunk_is_stored_as_a_whole_or_not_at_all(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 10)
    add_batches = ledger.add_batches

    def break_in_the_second_chunk(session: Any, job_id: int, ids: Any, *more: Any) -> dict[int, list[int]]:
        if 15 in ids:
            raise ConnectionError("gone")
        return add_batches(session, job_id, ids, *more)

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "add_batches", break_in_the_second_chunk)
        with pytest.raises(ConnectionError):
            enqueue(database, tweets(1, 30), "job", batch_size=4)
    assert stored_ids(database) == list(range(1, 11))
    assert batches(database) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]

    assert enqueue(database, tweets(1, 30), "again", batch_size=4).added == 20
    assert sorted(tweet_id for ids in batches(database) for tweet_id in ids) == list(range(1, 31))


@pytest.mark.parametrize("lost", [1, 2], ids=["the first", "the second"])
def test_an_answer_to_a_commit_that_is_lost_changes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    monkeypatch.setattr(module, "_CHUNK", 10)
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    write_session, commits = database.write_session, count(1)

    @contextmanager
    def forgetful() -> Iterator[Session]:
        with write_session() as session:
            yield session
        if next(commits) == lost:
            raise OperationalError("COMMIT", {}, Exception("the connection is gone"))

    monkeypatch.setattr(database, "write_session", forgetful)
    summary = enqueue(database, chain(tweets(1, 19), [tweet(3)]), "job", batch_size=4)
    assert summary == Summary(added=19, known=1, batches=6, job_id=summary.job_id)
    assert [len(ids) for ids in batches(database)] == [4, 4, 2, 4, 4, 1]
    with database.read_session() as session:
        assert session.scalars(select(Job.id)).all() == [summary.job_id]


def test_an_enqueue_whose_job_is_cancelled_stops(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 10)

    def cancel(summary: Summary) -> None:
        assert summary.job_id is not None
        with database.write_session() as session:
            jobs.cancel(session, summary.job_id)

    with pytest.raises(JobError, match=r"job 1 was cancelled; what was read before is stored"):
        enqueue(database, tweets(1, 50), "job", on_stored=cancel)
    assert 10 <= len(stored_ids(database)) < 50


def test_a_slow_stream_is_stored_as_it_comes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 1000, 2))  # two seconds from look to look, two looks a row
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    enqueue(database, tweets(1, 10), "job")
    assert batches(database) == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]]


def test_what_came_before_a_broken_input_stays(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 10)

    def broken() -> Iterator[Tweet]:
        yield from tweets(1, 15)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        enqueue(database, broken(), "job")
    assert stored_ids(database)[:10] == list(range(1, 11))
    assert list(chain.from_iterable(batches(database))) == stored_ids(database)


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    def peak(first: int, count: int) -> int:
        tracemalloc.start()
        try:
            enqueue(database, tweets(first, first + count - 1), "job")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    database = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    peak(1, 3000)  # fills caches
    few, many = peak(10_001, 8_000), peak(20_001, 32_000)  # four chunks and sixteen
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(TweetRow)) == 43_000
    database.close()
    assert many < 1.5 * few, (few, many)  # cycles wait for the collector; kept rows would make it 4
