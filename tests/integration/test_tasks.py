"""One batch from claim to marks, and every way in which it can go wrong; with a tagger that needs no torch."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from celery.signals import worker_process_shutdown
from sqlalchemy import delete, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from db import jobs, ledger, model_versions, tweets
from db import spans as span_store
from db.events import Event, totals
from db.session import Database
from db.tables import Annotation, Batch, Tweet
from db.tables import Span as SpanRow
from tagging.errors import CheckpointError, PoisonTweetError, UnfitProcessError
from tests.fake_tagger import FakeTagger, drain
from tests.ledger_tools import VERSION, FakeClock, claim
from worker import lease, setbacks, storing, tasks
from worker.behind import Behind
from worker.enqueue import enqueue
from worker.tasks import annotate_batch
from worker.tweet_files import Tweet as NewTweet


@pytest.fixture
def version_id(database: Database) -> int:
    with database.write_session() as session:
        version_id = model_versions.register(session, **VERSION).id
        model_versions.activate(session, version_id)
        return version_id


def add_batch(database: Database, count: int) -> int:
    """Enqueue the tweets 1 ("Ann 1") to `count`; return the id of their batch."""
    enqueue(database, [NewTweet(number, f"Ann {number}", None, None, None, None) for number in range(1, count + 1)], "")
    with database.read_session() as session:
        return session.scalars(select(Batch.id)).one()


def batch(database: Database, batch_id: int) -> Batch:
    with database.read_session() as session:
        return session.get_one(Batch, batch_id)


def marks(database: Database) -> dict[int, str]:
    with database.read_session() as session:
        return {row.tweet_id: row.status for row in session.scalars(select(Annotation))}


def tagged(database: Database) -> list[int]:
    with database.read_session() as session:
        assert set(session.scalars(select(SpanRow.surface))) <= {"Ann"}
        return list(session.scalars(select(SpanRow.tweet_id).order_by(SpanRow.tweet_id)))


def delete_tweets(database: Database, *ids: int) -> None:
    with database.write_session() as session:
        session.execute(delete(Tweet).where(Tweet.id.in_(ids)))


def test_a_batch_is_annotated_once(database: Database, version_id: int) -> None:
    batch_id = add_batch(database, 3)
    tagger = FakeTagger()
    assert annotate_batch(database, batch_id, tagger.find)
    assert tagger.calls == [["Ann 1", "Ann 2", "Ann 3"]]
    assert marks(database) == {1: "done", 2: "done", 3: "done"}
    assert tagged(database) == [1, 2, 3]
    assert batch(database, batch_id).status == ledger.DONE
    assert not annotate_batch(database, batch_id, tagger.find), "it was annotated again"
    assert not annotate_batch(database, 12345, tagger.find)
    assert len(tagger.calls) == 1


def test_the_tagger_is_that_of_the_version_of_the_claim(database: Database, version_id: int) -> None:
    asked: list[int] = []

    def find(wanted: int) -> FakeTagger:
        asked.append(wanted)
        return FakeTagger()

    assert annotate_batch(database, add_batch(database, 1), find)
    assert asked == [version_id]
    with database.read_session() as session:
        assert session.scalars(select(SpanRow.model_version_id)).all() == [version_id]


def test_poison_tweets_are_dead_and_the_rest_is_done(database: Database, version_id: int) -> None:
    def trouble(texts: Sequence[str]) -> None:
        if bad := {index: f"{text} is poison" for index, text in enumerate(texts) if text in ("Ann 4", "Ann 2")}:
            raise PoisonTweetError(bad)

    batch_id = add_batch(database, 5)
    assert annotate_batch(database, batch_id, FakeTagger(trouble).find)
    assert marks(database) == {1: "done", 2: "dead", 3: "done", 4: "dead", 5: "done"}
    assert tagged(database) == [1, 3, 5]
    with database.read_session() as session:
        errors = session.scalars(select(Annotation.error).where(Annotation.status == "dead").order_by("tweet_id")).all()
    assert errors == ["Ann 2 is poison", "Ann 4 is poison"]
    assert batch(database, batch_id).status == ledger.DONE


def test_a_poison_tweet_that_is_deleted_meanwhile_is_not_counted(database: Database, version_id: int) -> None:
    def trouble(texts: Sequence[str]) -> None:
        if "Ann 1" in texts:
            with database.write_session() as session:
                tweets.delete(session, [1])
            raise PoisonTweetError({0: "poison"})

    batch_id = add_batch(database, 2)
    assert annotate_batch(database, batch_id, FakeTagger(trouble).find)
    assert marks(database) == {2: "done"}
    assert batch(database, batch_id).dead_tweets == 0


def test_a_batch_of_poison_alone_ends_too(database: Database, version_id: int) -> None:
    def trouble(texts: Sequence[str]) -> None:
        raise PoisonTweetError({0: "poison"})

    assert annotate_batch(database, add_batch(database, 2), FakeTagger(trouble).find)
    assert marks(database) == {1: "dead", 2: "dead"}


def test_a_tweet_that_breaks_the_tagger_is_found_and_dies_alone(
    database: Database, version_id: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(setbacks, "_DELAY", 0)

    def trouble(texts: Sequence[str]) -> None:
        if "Ann 13" in texts:
            raise RuntimeError(f"a bug that quotes {texts[-1]}")

    add_batch(database, 40)
    tagger = FakeTagger(trouble)
    drain(database, tagger)
    assert marks(database) == dict.fromkeys(range(1, 41), "done") | {13: "dead"}
    assert tagged(database) == [number for number in range(1, 41) if number != 13]
    sizes = [len(texts) for texts in tagger.calls if "Ann 13" in texts]
    assert sizes == [40, 40, 3, 1, 1, 1], "twice together, once as a child, three times alone"
    assert "tweet 13 is dead: RuntimeError" in caplog.messages
    assert not [said for said in caplog.messages if "Ann" in said]
    with database.read_session() as session:
        happened = totals(session)
    assert (happened[Event.CLAIMS], happened[Event.TWEETS_CLAIMED]) == (len(tagger.calls), sum(map(len, tagger.calls)))


def test_a_plain_exception_counts_and_waits(database: Database, version_id: int, fake_clock: FakeClock) -> None:
    def trouble(texts: Sequence[str]) -> None:
        raise RuntimeError("a bug")

    batch_id = add_batch(database, 2)
    assert not annotate_batch(database, batch_id, FakeTagger(trouble).find)
    stored = batch(database, batch_id)
    assert (stored.status, stored.attempts, stored.error) == (ledger.WAITING, 1, "RuntimeError: a bug")
    assert stored.next_attempt_at == fake_clock.time + setbacks._DELAY
    assert marks(database) == {}


def test_a_tagger_that_answers_too_little_is_a_failure(database: Database, version_id: int) -> None:
    tagger = FakeTagger()
    tagger.tag = lambda texts, progress=None: [[]]  # type: ignore[method-assign]
    batch_id = add_batch(database, 2)
    assert not annotate_batch(database, batch_id, tagger.find)
    assert (batch(database, batch_id).attempts, marks(database)) == (1, {})


TRANSIENT = [
    OperationalError("SELECT", {}, Exception("the connection is gone")),
    InterfaceError("SELECT", {}, Exception("the connection is closed")),
    ConnectionResetError("reset"),
    CheckpointError("the folder is not there yet"),
    pytest.param(MemoryError("full")),
]


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
def test_a_transient_failure_is_given_back(
    database: Database, version_id: int, fake_clock: FakeClock, error: Exception
) -> None:
    def trouble(texts: Sequence[str]) -> None:
        raise error

    batch_id = add_batch(database, 2)
    assert not annotate_batch(database, batch_id, FakeTagger(trouble).find)
    stored = batch(database, batch_id)
    assert (stored.status, stored.attempts, stored.setbacks, stored.lease_token) == (ledger.WAITING, 0, 1, None)
    assert stored.next_attempt_at is not None
    assert 2.5 <= stored.next_attempt_at - fake_clock.time <= 5
    assert type(error).__name__ in (stored.error or "")
    fake_clock.time += 5
    assert annotate_batch(database, batch_id, FakeTagger().find)


def test_the_wait_grows_with_the_setbacks(database: Database, version_id: int, fake_clock: FakeClock) -> None:
    def trouble(texts: Sequence[str]) -> None:
        raise ConnectionResetError("reset")

    batch_id = add_batch(database, 2)
    for longest in (5, 10, 20, 40, 80, 160, 300, 300):
        annotate_batch(database, batch_id, FakeTagger(trouble).find)
        wait = (batch(database, batch_id).next_attempt_at or 0) - fake_clock.time
        assert longest / 2 <= wait <= longest
        fake_clock.time += longest
    assert batch(database, batch_id).attempts == 0


def test_a_process_that_is_told_to_stop_gives_its_batch_back(database: Database, version_id: int) -> None:
    def stop(texts: Sequence[str]) -> None:
        raise SystemExit(0)

    batch_id = add_batch(database, 2)
    with pytest.raises(SystemExit):
        annotate_batch(database, batch_id, FakeTagger(stop).find)
    stored = batch(database, batch_id)
    assert (stored.status, stored.attempts, stored.setbacks, stored.next_attempt_at) == (ledger.WAITING, 0, 0, None)


def test_an_unfit_process_counts_the_attempt_and_ends(database: Database, version_id: int) -> None:
    def trouble(texts: Sequence[str]) -> None:
        raise UnfitProcessError("an illegal memory access")

    batch_id = add_batch(database, 2)
    with pytest.raises(SystemExit):
        annotate_batch(database, batch_id, FakeTagger(trouble).find)
    stored = batch(database, batch_id)
    assert (stored.status, stored.attempts) == (ledger.WAITING, 1)
    assert stored.error == "UnfitProcessError: an illegal memory access"


def test_a_database_that_is_away_for_a_moment_costs_nothing(
    database: Database, version_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    tagger, finish, answers = FakeTagger(), ledger.finish, iter([False, False, True])

    def away(session: Session, *arguments: Any) -> bool:
        done = finish(session, *arguments)
        if not next(answers):
            raise OperationalError("UPDATE", {}, Exception("the connection is gone"))
        return done

    monkeypatch.setattr(ledger, "finish", away)
    batch_id = add_batch(database, 2)
    assert annotate_batch(database, batch_id, tagger.find)
    assert len(tagger.calls) == 1
    assert (batch(database, batch_id).attempts, marks(database)) == (1, {1: "done", 2: "done"})


def test_a_model_that_cannot_be_loaded_is_given_back(database: Database, version_id: int) -> None:
    def find(wanted: int) -> FakeTagger:
        raise CheckpointError("the model folder is missing")

    batch_id = add_batch(database, 2)
    assert not annotate_batch(database, batch_id, find)
    stored = batch(database, batch_id)
    assert (stored.status, stored.attempts) == (ledger.WAITING, 0)
    assert stored.error == "CheckpointError: the model folder is missing"


def test_without_an_active_version_the_batch_waits(database: Database) -> None:
    batch_id = add_batch(database, 2)
    try:
        assert not annotate_batch(database, batch_id, FakeTagger().find)
    finally:
        assert (batch(database, batch_id).status, batch(database, batch_id).attempts) == (ledger.WAITING, 0)


def test_a_lease_that_is_lost_meanwhile_stores_nothing(
    database: Database, version_id: int, fake_clock: FakeClock
) -> None:
    batch_id = add_batch(database, 2)
    others: list[ledger.Claim] = []

    def hang(texts: Sequence[str]) -> None:
        fake_clock.time += lease.LEASE + 1
        with database.write_session() as session:
            claimed = claim(session, batch_id, lease.LEASE)
        assert claimed is not None
        others.append(claimed)

    assert not annotate_batch(database, batch_id, FakeTagger(hang).find)
    assert (marks(database), tagged(database)) == ({}, [])
    assert batch(database, batch_id).lease_token == others[0].token
    with database.write_session() as session:
        assert ledger.finish(session, others[0])


def test_a_failure_after_the_lease_was_lost_does_not_disturb_the_next_owner(
    database: Database, version_id: int, fake_clock: FakeClock
) -> None:
    batch_id = add_batch(database, 2)

    def hang_and_break(texts: Sequence[str]) -> None:
        fake_clock.time += lease.LEASE + 1
        with database.write_session() as session:
            assert claim(session, batch_id, lease.LEASE)
        raise RuntimeError("a bug")

    assert not annotate_batch(database, batch_id, FakeTagger(hang_and_break).find)
    assert (batch(database, batch_id).status, batch(database, batch_id).attempts) == (ledger.LEASED, 2)


def test_tweets_that_were_deleted_are_passed_over(database: Database, version_id: int) -> None:
    batch_id = add_batch(database, 4)
    delete_tweets(database, 1)
    tagger = FakeTagger(lambda texts: delete_tweets(database, 3))  # while they are being tagged
    assert annotate_batch(database, batch_id, tagger.find)
    assert tagger.calls == [["Ann 2", "Ann 3", "Ann 4"]]
    assert marks(database) == {2: "done", 4: "done"}
    assert tagged(database) == [2, 4]


def test_a_batch_that_lost_all_its_tweets_is_done_however_often_it_failed(
    database: Database, version_id: int, fake_clock: FakeClock
) -> None:
    batch_id = add_batch(database, 2)
    for _ in range(3):
        with database.write_session() as session:
            claim(session, batch_id)
        fake_clock.time += lease.LEASE + 1
    with database.write_session() as session:
        tweets.delete(session, [1, 2])
    assert not annotate_batch(database, batch_id, FakeTagger().find)
    assert (batch(database, batch_id).status, marks(database)) == (ledger.DONE, {})


def test_marked_tweets_never_reach_the_tagger(database: Database, version_id: int) -> None:
    batch_id = add_batch(database, 3)
    with database.write_session() as session:
        span_store.mark_dead(session, version_id, [2], "dead before")
    tagger = FakeTagger()
    assert annotate_batch(database, batch_id, tagger.find)
    assert tagger.calls == [["Ann 1", "Ann 3"]]
    assert marks(database) == {1: "done", 2: "dead", 3: "done"}

    with database.write_session() as session:  # a second batch with the same tweets
        session.execute(update(Batch).values(status=ledger.WAITING))
    assert annotate_batch(database, batch_id, tagger.find)
    assert len(tagger.calls) == 1
    assert batch(database, batch_id).status == ledger.DONE


def two_batches(database: Database) -> list[int]:
    """Enqueue the tweets 1 and 2, each in a batch of its own; return their ids."""
    rows = [NewTweet(number, f"Ann {number}", None, None, None, None) for number in (1, 2)]
    enqueue(database, rows, "", batch_size=1)
    with database.read_session() as session:
        return list(session.scalars(select(Batch.id).order_by(Batch.id)))


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Until this is set, no transaction begins that stores a batch."""
    goes_on, finish = threading.Event(), storing._finish

    def wait_and_finish(*arguments: Any) -> bool:
        assert goes_on.wait(10)
        return finish(*arguments)

    monkeypatch.setattr(storing, "_finish", wait_and_finish)
    return goes_on


def test_a_batch_is_stored_while_the_next_is_tagged(
    database: Database, version_id: int, held_up: threading.Event
) -> None:
    first, second = two_batches(database)
    behind = Behind()
    assert annotate_batch(database, first, FakeTagger().find, behind)
    assert (batch(database, first).status, tagged(database)) == (ledger.LEASED, [])
    assert annotate_batch(database, second, FakeTagger(lambda texts: held_up.set()).find, behind)
    behind.wait()
    assert (batch(database, first).status, batch(database, second).status) == (ledger.DONE, ledger.DONE)
    assert tagged(database) == [1, 2]


def test_a_batch_that_failed_before_is_alone_in_its_process(
    database: Database, version_id: int, held_up: threading.Event, fake_clock: FakeClock
) -> None:
    """Whatever ends the process now, ends it by this batch."""
    failed, other = two_batches(database)
    with database.write_session() as session:
        assert claim(session, failed, lease.LEASE)
    fake_clock.time += lease.LEASE + 1
    behind, seen = Behind(), list[str]()
    assert annotate_batch(database, other, FakeTagger().find, behind)
    threading.Timer(0.2, held_up.set).start()
    look = FakeTagger(lambda texts: seen.append(batch(database, other).status))
    assert annotate_batch(database, failed, look.find, behind)
    assert (seen, batch(database, failed).status) == ([ledger.DONE], ledger.DONE)


def test_the_lease_is_renewed_while_a_batch_waits_for_the_one_before(
    database: Database, version_id: int, held_up: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_batches(database)
    renewals, renew = list[int](), ledger.renew

    def note_and_renew(session: Session, claimed: ledger.Claim, seconds: float) -> bool:
        renewals.append(claimed.batch_id)
        if len(renewals) == 2:
            held_up.set()
        return renew(session, claimed, seconds)

    monkeypatch.setattr(ledger, "renew", note_and_renew)
    monkeypatch.setattr(lease, "LEASE", 4.5)
    behind = Behind()
    assert annotate_batch(database, first, FakeTagger().find, behind)
    assert annotate_batch(database, second, FakeTagger().find, behind)
    behind.wait()
    assert set(renewals) == {second}
    assert tagged(database) == [1, 2]


def test_the_end_of_a_process_waits_for_what_it_stores() -> None:
    goes_on, done = threading.Event(), list[bool]()
    tasks._storing.do(lambda: done.append(goes_on.wait(10)))
    threading.Timer(0.2, goes_on.set).start()
    worker_process_shutdown.send(sender=None, pid=0, exitcode=0)
    assert done == [True]


def test_what_goes_wrong_behind_a_task_is_recorded_with_its_batch(
    database: Database, version_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(span_store, "store", break_down)
    behind = Behind()
    batch_id = add_batch(database, 2)
    assert annotate_batch(database, batch_id, FakeTagger().find, behind)
    behind.wait()
    stored = batch(database, batch_id)
    assert (stored.status, stored.attempts, stored.error) == (ledger.WAITING, 1, "RuntimeError: a bug")


def test_a_database_that_stays_away_behind_a_task_is_told(
    database: Database, version_id: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("a secret text", {}, Exception("the connection is gone"))

    for module in (storing, setbacks):
        monkeypatch.setattr(module, "patiently", away)
    monkeypatch.setattr(tasks, "look_up", lambda *_: {})
    behind = Behind()
    batch_id = add_batch(database, 2)
    assert annotate_batch(database, batch_id, FakeTagger().find, behind)
    behind.wait()
    assert batch(database, batch_id).status == ledger.LEASED
    assert f"batch {batch_id} is left: the database stays away: the connection is gone" in caplog.text
    assert "secret" not in caplog.text


def claim_for_a_second(database: Database) -> tuple[ledger.Claim, float]:
    with database.write_session() as session:
        claimed = claim(session, add_batch_id(session), 1.0)
    assert claimed is not None
    expires = batch(database, claimed.batch_id).lease_expires_at
    assert expires is not None
    return claimed, expires


def add_batch_id(session: Session) -> int:
    ledger.add_batches(session, jobs.open_job(session, "test"), [1])
    return session.scalars(select(Batch.id)).one()


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The answers of `ledger.renew`, as they come."""
    answers: list[bool] = []
    renew = ledger.renew

    def renew_and_note(*arguments: Any) -> bool:
        answers.append(renew(*arguments))
        return answers[-1]

    monkeypatch.setattr(ledger, "renew", renew_and_note)
    return answers


def wait_for(renewals: list[bool], count: int) -> None:
    deadline = time.monotonic() + 10
    while len(renewals) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert renewals == [True] * count


def test_a_lease_is_renewed_with_progress_only(database: Database, version_id: int, renewals: list[bool]) -> None:
    claimed, expires = claim_for_a_second(database)
    with lease.renewed(database, claimed, every=0.02) as progress:
        wait_for(renewals, 1)  # the beginning counts as progress
        time.sleep(0.3)
        assert len(renewals) == 1, "renewed though it hangs"
        progress()
        wait_for(renewals, 2)  # it went on
        time.sleep(0.2)
        assert len(renewals) == 2
    progress()
    time.sleep(0.1)
    assert len(renewals) == 2, "the thread goes on"
    assert (batch(database, claimed.batch_id).lease_expires_at or 0.0) > expires + lease.LEASE / 2


def test_renewal_survives_a_database_that_is_gone_for_a_while(
    database: Database, version_id: int, renewals: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed, _ = claim_for_a_second(database)
    write_session = database.write_session

    def is_gone() -> Any:
        monkeypatch.setattr(database, "write_session", write_session)
        raise OperationalError("BEGIN", {}, Exception("the connection is gone"))

    monkeypatch.setattr(database, "write_session", is_gone)
    with lease.renewed(database, claimed, every=0.02) as progress:
        for _ in range(1000):
            if renewals:
                break
            progress()
            time.sleep(0.01)
    assert renewals, "the thread died"
