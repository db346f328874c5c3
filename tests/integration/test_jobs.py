"""Jobs: how far they are in every state, and how they are cancelled while workers hold some of their batches."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select, update

from db import jobs, ledger
from db.jobs import Progress
from db.selection import Selection
from db.session import Database
from db.tables import Batch, Job
from tagging.errors import JobError, PoisonTweetError
from tests.fake_tagger import FakeTagger, drain
from tests.ledger_tools import FakeClock, batches_of, claim, enqueue_tweets, marks_of, new_version
from worker import setbacks
from worker.reannotate import reannotate
from worker.tasks import annotate_batch


@pytest.fixture(autouse=True)
def version_id(database: Database) -> int:
    """The active version."""
    return new_version(database)


@pytest.fixture(autouse=True)
def _without_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setbacks, "_DELAY", 0)


def progress(database: Database, job_id: int) -> Progress:
    with database.read_session() as session:
        return jobs.progress(session, job_id)


def counts(database: Database, job_id: int) -> tuple[int, int, int, int, int]:
    """Count tweets that are waiting, leased, done, dead and cancelled."""
    found = progress(database, job_id)
    assert found.open == found.waiting + found.leased
    return found.waiting, found.leased, found.done, found.dead, found.cancelled


def claim_batch(database: Database, batch_id: int) -> ledger.Claim:
    with database.write_session() as session:
        claimed = claim(session, batch_id)
    assert claimed is not None
    return claimed


def cancel(database: Database, job_id: int) -> int:
    with database.write_session() as session:
        return jobs.cancel(session, job_id)


def statuses(database: Database, job_id: int) -> list[str]:
    return [batch.status for batch in batches_of(database, job_id)]


def test_a_job_is_counted_from_waiting_to_done(database: Database) -> None:
    other = enqueue_tweets(database, [100])
    job_id = enqueue_tweets(database, range(1, 6), batch_size=2)
    assert counts(database, job_id) == (5, 0, 0, 0, 0)
    first = batches_of(database, job_id)[0].id

    def look(texts: Sequence[str]) -> None:
        assert counts(database, job_id) == (3, 2, 0, 0, 0)

    assert annotate_batch(database, first, FakeTagger(look).find)
    assert counts(database, job_id) == (3, 0, 2, 0, 0)
    assert (progress(database, job_id).state, progress(database, job_id).total) == ("running", 5)
    drain(database, FakeTagger())
    assert counts(database, job_id) == (0, 0, 5, 0, 0)
    assert progress(database, job_id).state == "done"
    assert counts(database, other) == (0, 0, 1, 0, 0)


def test_poison_split_and_buried_tweets_are_counted_once(database: Database) -> None:
    def trouble(texts: Sequence[str]) -> None:
        if "Ann 13" in texts:
            raise RuntimeError("a bug that does not say which tweet")
        if "Ann 2" in texts:
            raise PoisonTweetError({texts.index("Ann 2"): "poison"})

    job_id = enqueue_tweets(database, range(1, 21))
    first = batches_of(database, job_id)[0].id
    for _ in range(ledger.FAILURES_BEFORE_SPLIT + 1):
        annotate_batch(database, first, FakeTagger(trouble).find)
    assert set(statuses(database, job_id)) == {ledger.SPLIT, ledger.WAITING}
    assert counts(database, job_id) == (20, 0, 0, 0, 0), "parent and children are counted both"
    drain(database, FakeTagger(trouble))
    assert ledger.DEAD in statuses(database, job_id)
    assert counts(database, job_id) == (0, 0, 18, 2, 0)
    assert progress(database, job_id).total == 20


def test_a_batch_that_died_before_its_dead_were_counted_is_dead(database: Database) -> None:
    job_id = enqueue_tweets(database, [1])
    with database.write_session() as session:
        session.execute(update(Batch).values(status=ledger.DEAD, dead_tweets=0))
    assert counts(database, job_id) == (0, 0, 0, 1, 0)


def test_a_job_is_found_by_its_number_or_its_newest_name(database: Database) -> None:
    first, second = enqueue_tweets(database, [1]), enqueue_tweets(database, [2])
    with database.read_session() as session:
        assert jobs.find(session, str(first)) == first
        assert jobs.find(session, "test") == second
        assert [one.job_id for one in jobs.newest(session, 10)] == [second, first]
        assert [one.job_id for one in jobs.newest(session, 1)] == [second]
        for wrong in ("no such job", "12345", "9" * 30, ""):
            with pytest.raises(JobError, match="tweetspan jobs list"):
                jobs.find(session, wrong)


def test_cancelled_batches_are_never_tagged_and_leased_ones_are_finished(
    database: Database, version_id: int, fake_clock: FakeClock
) -> None:
    """Of five batches one is tagged, one given back, one failed, one expired, and one waits."""
    job_id = enqueue_tweets(database, range(1, 11), batch_size=2)
    other = enqueue_tweets(database, [100])
    tagged, returned, failed, expired, _ = (batch.id for batch in batches_of(database, job_id))
    held, returned_one, failed_one, expired_one = (
        claim_batch(database, one) for one in (tagged, returned, failed, expired)
    )
    assert cancel(database, job_id) == 1
    assert counts(database, job_id) == (0, 8, 0, 0, 2)
    assert progress(database, job_id).state == "cancelled"
    with database.write_session() as session:
        assert ledger.finish(session, held)
        assert ledger.give_back(session, returned_one, "ConnectionError: away", 5.0)
        assert ledger.fail(session, failed_one, "RuntimeError: a bug", 5.0)
    fake_clock.time += 31  # the lease of the fourth is over
    tagger = FakeTagger()
    drain(database, tagger)
    assert tagger.calls == [["Ann 100"]]
    assert statuses(database, job_id) == [ledger.DONE, *[ledger.CANCELLED] * 4]
    assert counts(database, job_id) == (0, 0, 2, 0, 8)
    assert counts(database, other) == (0, 0, 1, 0, 0)
    with database.write_session() as session:
        assert ledger.is_empty(session)
        assert not ledger.finish(session, expired_one), "a zombie writes into a cancelled batch"


def test_a_batch_is_finished_whose_job_is_cancelled_while_it_is_tagged(database: Database, version_id: int) -> None:
    job_id = enqueue_tweets(database, range(1, 5), batch_size=2)
    first = batches_of(database, job_id)[0].id
    assert annotate_batch(database, first, FakeTagger(lambda texts: cancel(database, job_id)).find)
    assert marks_of(database, version_id) == {1: "done", 2: "done"}
    assert counts(database, job_id) == (0, 0, 2, 0, 2)


def test_a_suspect_batch_of_a_cancelled_job_is_not_split(database: Database, fake_clock: FakeClock) -> None:
    job_id = enqueue_tweets(database, range(1, 5))
    (batch,) = batches_of(database, job_id)
    for _ in range(ledger.FAILURES_BEFORE_SPLIT):
        claim_batch(database, batch.id)
        fake_clock.time += 31
    assert cancel(database, job_id) == 0
    assert not annotate_batch(database, batch.id, FakeTagger().find)
    assert statuses(database, job_id) == [ledger.CANCELLED]


def test_a_claim_whose_answer_was_lost_may_find_its_job_cancelled(database: Database) -> None:
    job_id = enqueue_tweets(database, [1])
    (batch,) = batches_of(database, job_id)
    token = ledger.new_token()
    with database.write_session() as session:
        assert ledger.claim(session, batch.id, token, 30.0)
    cancel(database, job_id)
    for _ in range(2):
        with database.write_session() as session:
            assert ledger.claim(session, batch.id, token, 30.0) is None
    assert statuses(database, job_id) == [ledger.CANCELLED]


def test_what_is_queued_for_a_cancelled_job_later_is_cancelled_too(database: Database) -> None:
    job_id = enqueue_tweets(database, [1])
    assert cancel(database, job_id) == 1
    with database.write_session() as session:
        ledger.add_batches(session, job_id, [1])  # an enqueue that was still reading
    tagger = FakeTagger()
    drain(database, tagger)
    assert (tagger.calls, counts(database, job_id)) == ([], (0, 0, 0, 0, 2))
    assert cancel(database, job_id) == 0


def test_the_time_of_a_cancellation_is_that_of_the_first(database: Database, fake_clock: FakeClock) -> None:
    job_id, first = enqueue_tweets(database, [1]), fake_clock.time
    cancel(database, job_id)
    fake_clock.time += 60
    cancel(database, job_id)
    with database.read_session() as session:
        assert session.scalars(select(Job.cancelled_at)).one() == first


def test_the_tweets_of_a_cancelled_job_can_be_queued_again(database: Database, version_id: int) -> None:
    job_id = enqueue_tweets(database, range(1, 6), batch_size=2)
    assert annotate_batch(database, batches_of(database, job_id)[0].id, FakeTagger().find)
    cancel(database, job_id)
    summary = reannotate(database, version_id, Selection(), "again")
    assert (summary.added, summary.batches) == (3, 1)
    drain(database, FakeTagger())
    assert marks_of(database, version_id) == dict.fromkeys(range(1, 6), "done")
