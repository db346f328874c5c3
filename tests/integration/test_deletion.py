"""A deleted tweet is gone everywhere, stays away, and disturbs no batch in flight."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from db import ledger, spans, tweets
from db.selection import Selection
from db.session import Database, open_database
from db.tables import Annotation, Batch, Tombstone, Tweet
from db.tables import Span as SpanRow
from tests.fake_tagger import FakeTagger, drain
from tests.ledger_tools import batches_of, enqueue_tweets, marks_of, new_version
from worker import enqueue as enqueueing
from worker import setbacks, storing, tasks
from worker.enqueue import enqueue
from worker.reannotate import reannotate
from worker.tasks import annotate_batch
from worker.tweet_files import Tweet as NewTweet


@pytest.fixture
def version_id(database: Database) -> int:
    return new_version(database)


def delete(database: Database, *ids: int) -> int:
    with database.write_session() as session:
        return tweets.delete(session, ids)


def stored(database: Database, column: Any = Tweet.id) -> list[int]:
    with database.read_session() as session:
        return list(session.scalars(select(column).order_by(column)))


def test_everything_of_a_tweet_is_removed(database: Database, version_id: int) -> None:
    enqueue_tweets(database, [1, 2, 3])
    drain(database, FakeTagger())
    waiting = enqueue_tweets(database, [4, 5])
    assert delete(database, 2, 5, 77, 2) == 2
    assert stored(database) == [1, 3, 4]
    assert stored(database, Tombstone.tweet_id) == [2, 5, 77]
    assert stored(database, SpanRow.tweet_id) == stored(database, Annotation.tweet_id) == [1, 3]
    assert [batch.tweet_ids for batch in batches_of(database, waiting)] == [[4]]
    assert delete(database, 2, 5) == 0, "deleted twice"
    tagger = FakeTagger()
    drain(database, tagger)
    assert tagger.calls == [["Ann 4"]]


def test_a_later_enqueue_honours_it(database: Database, version_id: int) -> None:
    enqueue_tweets(database, [1, 2])
    assert delete(database, 2, 3) == 1  # 3 was never stored
    rows = [NewTweet(number, f"Ann {number}", None, None, None, None) for number in (1, 2, 3, 4)]
    summary = enqueue(database, rows, "again")
    assert (summary.added, summary.known, summary.deleted) == (1, 1, 2)
    assert stored(database) == [1, 4]
    assert reannotate(database, version_id, Selection(), "all").added == 2


def test_a_deletion_that_fails_leaves_everything(database: Database, version_id: int) -> None:
    job_id = enqueue_tweets(database, [1, 2])
    with database.write_session() as session:
        tweets.delete(session, [1])
        session.rollback()
    assert (stored(database), stored(database, Tombstone.tweet_id)) == ([1, 2], [])
    assert batches_of(database, job_id)[0].tweet_ids == [1, 2]


def test_a_batch_in_flight_finishes_the_rest(database: Database, version_id: int) -> None:
    job_id = enqueue_tweets(database, [1, 2, 3])
    (batch,) = batches_of(database, job_id)
    tagger = FakeTagger(lambda texts: delete(database, 2))
    assert annotate_batch(database, batch.id, tagger.find), "it was disturbed"
    assert tagger.calls == [["Ann 1", "Ann 2", "Ann 3"]]
    assert marks_of(database, version_id) == {1: "done", 3: "done"}
    assert (stored(database), stored(database, SpanRow.tweet_id)) == ([1, 3], [1, 3])
    (batch,) = batches_of(database, job_id)
    assert (batch.status, batch.tweet_ids, batch.attempts) == (ledger.DONE, [1, 3], 1)


def test_a_batch_all_of_whose_tweets_are_deleted_ends(database: Database, version_id: int) -> None:
    waiting, in_flight = enqueue_tweets(database, [1, 2]), enqueue_tweets(database, [3])
    delete(database, 1, 2)
    (batch,) = batches_of(database, in_flight)
    assert annotate_batch(database, batch.id, FakeTagger(lambda texts: delete(database, 3)).find)
    drain(database, FakeTagger())
    assert [batch.status for batch in batches_of(database, waiting)] == [ledger.DONE]
    assert (stored(database), marks_of(database, version_id)) == ([], {})


def test_a_deleted_tweet_does_not_return_through_a_split(database: Database, version_id: int) -> None:
    job_id = enqueue_tweets(database, range(1, 5))
    (batch,) = batches_of(database, job_id)
    with database.write_session() as session:
        claimed = ledger.claim(session, batch.id, ledger.new_token(), 30.0)
        assert claimed is not None
        assert ledger.split(session, claimed, "a bug")
    delete(database, 2)
    drain(database, FakeTagger())
    assert marks_of(database, version_id) == {1: "done", 3: "done", 4: "done"}


def at_once(database_url: str, *works: Callable[[Database], Any]) -> list[Any]:
    """Run each function in a thread with connections of its own, all beginning together; return what they return."""
    begin = Barrier(len(works))

    def run(work: Callable[[Database], Any]) -> Any:
        own = open_database(database_url)
        begin.wait()
        try:
            return work(own)
        finally:
            own.close()

    with ThreadPoolExecutor(len(works)) as pool:
        running: list[Future[Any]] = [pool.submit(run, work) for work in works]
        return [one.result() for one in running]


def _do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a deadlock fail, which would be waited out."""
    for module in (tasks, storing, setbacks):
        monkeypatch.setattr(module, "patiently", lambda work, *arguments: work(*arguments))


ROUNDS = 15


def test_deleting_and_finishing_at_once_do_not_deadlock(
    database_url: str, database: Database, version_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers store batches that overlap while two others delete their tweets, in opposite orders."""
    _do_not_wait(monkeypatch)
    size = 20
    ids = range(1, ROUNDS * size + 1)
    job_id = enqueue_tweets(database, ids, batch_size=size)
    reannotate(database, version_id, Selection(), "overlaps", batch_size=size - 3)
    with database.read_session() as session:
        batch_ids = list(session.scalars(select(Batch.id).order_by(Batch.id)))

    def work(part: list[int]) -> Callable[[Database], None]:
        def tag(own: Database) -> None:
            for batch_id in part:
                annotate_batch(own, batch_id, FakeTagger().find)

        return tag

    def delete_some(part: list[int]) -> Callable[[Database], None]:
        def remove(own: Database) -> None:
            for start in range(0, len(part), 7):
                delete(own, *part[start : start + 7])

        return remove

    some = [number for number in ids if number % 3]
    at_once(
        database_url,
        work(batch_ids[::2]), work(batch_ids[1::2]), delete_some(some[: len(some) // 2 + 50]), delete_some(some[::-1]),
    )  # fmt: skip
    drain(database, FakeTagger())
    kept = [number for number in ids if number % 3 == 0]
    assert stored(database) == stored(database, SpanRow.tweet_id) == kept
    assert marks_of(database, version_id) == dict.fromkeys(kept, "done")
    assert {batch.status for batch in batches_of(database, job_id)} == {ledger.DONE}
    with database.read_session() as session:
        assert session.scalars(select(Batch.setbacks).distinct()).all() == [0]


class Pause:
    """Stops a function on its way until a deletion, begun meanwhile, has had time to run into its locks."""

    def __init__(self) -> None:
        self._is_here, self._goes_on = threading.Event(), threading.Event()

    def wait(self) -> None:
        self._is_here.set()
        self._goes_on.wait(10)

    def delete_meanwhile(self, database: Database) -> None:
        self._is_here.wait(10)
        threading.Timer(0.5, self._goes_on.set).start()
        delete(database, 1)


def test_a_deletion_waits_for_a_finish_that_has_begun(
    database_url: str, database: Database, version_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (batch,) = batches_of(database, enqueue_tweets(database, [1, 2]))
    store, pause = spans.store, Pause()

    def wait_and_store(*arguments: Any) -> int:
        pause.wait()  # the batch is locked, its tweets are not
        return store(*arguments)

    monkeypatch.setattr(spans, "store", wait_and_store)
    _do_not_wait(monkeypatch)
    finished, _ = at_once(
        database_url, lambda own: annotate_batch(own, batch.id, FakeTagger().find), pause.delete_meanwhile
    )
    assert finished
    assert stored(database) == stored(database, SpanRow.tweet_id) == [2]


def test_an_enqueue_in_flight_does_not_bring_a_tweet_back(
    database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The enqueue has looked for tombstones and stored its tweets when the deletion begins, but not committed yet."""
    add, pause = tweets.add, Pause()

    def add_and_wait(*arguments: Any) -> list[int]:
        added = add(*arguments)
        pause.wait()
        return added

    monkeypatch.setattr(enqueueing.tweets, "add", add_and_wait)
    at_once(database_url, lambda own: enqueue_tweets(own, [1, 2]), pause.delete_meanwhile)
    assert (stored(database), stored(database, Tombstone.tweet_id)) == ([2], [1])
