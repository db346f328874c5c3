"""A bounded backlog: a stream longer than the bound passes through it, and the bound holds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import func, select

from db import ledger, model_versions
from db.session import Database
from db.tables import Batch
from db.tables import Tweet as TweetRow
from tests.ledger_tools import VERSION, claim
from worker import backlog as module
from worker import enqueue as enqueuing
from worker.backlog import Backlog
from worker.enqueue import enqueue
from worker.tweet_files import Tweet


@pytest.fixture(autouse=True)
def _short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL_EVERY", 0.01)


def tweets(count: int) -> Iterator[Tweet]:
    return (Tweet(number, "text", None, None, None, None) for number in range(1, count + 1))


def activate_version(database: Database) -> None:
    with database.write_session() as session:
        model_versions.activate(session, model_versions.register(session, **VERSION).id)


def waiting(database: Database) -> list[int]:
    with database.read_session() as session:
        return list(session.scalars(select(Batch.id).where(Batch.status == ledger.WAITING)))


def finish(database: Database, batch_id: int) -> None:
    with database.write_session() as session:
        claimed = claim(session, batch_id)
        assert claimed is not None
        assert ledger.finish(session, claimed)


def work(database: Database, most: int, is_over: Event) -> int:
    """Finish batches one by one until the stream is over; return the longest backlog seen."""
    longest = 0
    while True:
        was_over = is_over.wait(0.01)  # asked first: what comes last is seen below
        found = waiting(database)
        longest = max(longest, len(found))
        assert longest <= most
        if found:
            finish(database, found[0])
        elif was_over:
            return longest


@pytest.mark.parametrize(("most", "chunk"), [(3, 2048), (7, 20)], ids=["below a chunk", "above a chunk"])
def test_a_stream_passes_through_a_bounded_backlog(
    database: Database, monkeypatch: pytest.MonkeyPatch, most: int, chunk: int
) -> None:
    monkeypatch.setattr(enqueuing, "_CHUNK", chunk)
    activate_version(database)
    is_over = Event()
    with ThreadPoolExecutor(1) as worker:
        working = worker.submit(work, database, most, is_over)
        try:
            summary = enqueue(database, tweets(200), "job", batch_size=5, backlog=Backlog(database, most))
        finally:
            is_over.set()
        assert 1 <= working.result(60) <= most
    assert (summary.added, summary.batches) == (200, 40)
    with database.read_session() as session:
        assert ledger.is_empty(session)
        assert session.scalar(select(func.count()).select_from(TweetRow)) == 200


def test_an_interrupt_while_waiting_loses_nothing_that_was_read(database: Database) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enqueue(database, tweets(100), "job", batch_size=5, backlog=Backlog(database, 2, interrupt))
    with database.read_session() as session:
        ids = [tweet_id for batch in session.scalars(select(Batch.tweet_ids)) for tweet_id in batch]
        assert session.scalars(select(TweetRow.id).order_by(TweetRow.id)).all() == sorted(ids) == list(range(1, 21))


def test_leased_batches_count_and_ended_ones_do_not(database: Database) -> None:
    activate_version(database)
    enqueue(database, tweets(6), "job", batch_size=1)
    one, other, *_ = waiting(database)
    finish(database, one)
    with database.write_session() as session:
        assert claim(session, other)
    with database.read_session() as session:
        assert [ledger.open_batches(session, limit) for limit in (1, 4, 5, 100)] == [1, 4, 5, 5]
