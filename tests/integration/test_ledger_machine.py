"""The ledger and the marks under any order of deliveries, crashes, failures and time: nothing lost, nothing doubled."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, func, select

from db import clock, ledger, model_versions, spans, tweets
from db.ledger import Claim
from db.session import Database
from db.tables import Annotation, Base, Batch
from db.tables import Span as SpanRow
from tagging.spans import Span
from tests.ledger_tools import VERSION, FakeClock

LEASE, DELAY, REPUBLISH_AFTER = 30.0, 5.0, 60.0

workers = st.integers(1, 3)
positions = st.integers(0, 50)


def text(tweet_id: int) -> str:
    return f"Ann meets Bob and Cem, {tweet_id}"


def answer(tweet_id: int) -> list[Span]:
    """The spans of a tweet, whoever reads it: none, one, two or three."""
    return [Span(0, 3, "PER"), Span(10, 13, "PER"), Span(18, 21, "ORG")][: tweet_id % 4]


class LedgerMachine(RuleBasedStateMachine):
    """Three workers over one ledger, beside a model of it: for each open batch who may claim it, and from when."""

    def __init__(self, database: Database, fake_clock: FakeClock) -> None:
        super().__init__()
        self.database, self.clock = database, fake_clock
        self.stored = 0  # tweets have the ids 1 to `stored`
        self.batches: list[int] = []  # every id there ever was
        self.free_from: dict[int, float] = {}  # of each open batch: it can be claimed after this time
        self.owners: dict[int, str] = {}  # the token that counts
        self.messages: list[int] = []
        self.held: dict[int, Claim] = {}  # by worker
        with database.write_session() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(delete(table))
            self.version_id = model_versions.register(session, **VERSION).id
            model_versions.activate(session, self.version_id)
            self.job_id = ledger.open_job(session, "machine")

    # What happens

    @rule(count=st.integers(1, 40))
    def enqueue(self, count: int) -> None:
        rows = [
            {"id": self.stored + 1 + index, "text": text(self.stored + 1 + index), "created_at": None}
            | dict.fromkeys(("author", "language", "retweet_of"))
            for index in range(count)
        ]
        with self.database.write_session() as session:
            added = tweets.add(session, rows)
            assert len(added) == count
            ledger.add_batch(session, self.job_id, added)
        self.stored += count
        self._notice_new_batches()

    @precondition(lambda self: self.stored)
    @rule(first=positions, count=st.integers(1, 20))
    def enqueue_again(self, first: int, count: int) -> None:
        """Write a batch whose tweets lie in other batches too."""
        ids = [1 + (first + index) % self.stored for index in range(min(count, self.stored))]
        self._do(ledger.add_batch, self.job_id, ids)
        self._notice_new_batches()

    @rule(limit=st.integers(1, 5))
    def dispatch(self, limit: int) -> None:
        due = self._do(ledger.take_due, limit, REPUBLISH_AFTER)
        assert len(due) == len(set(due)) <= limit
        assert all(self._is_free(batch_id) for batch_id in due)
        self.messages.extend(due)

    @precondition(lambda self: self.messages)
    @rule(worker=workers, position=positions)
    def receive(self, worker: int, position: int) -> None:
        self._claim(worker, self.messages.pop(position % len(self.messages)))

    @precondition(lambda self: self.batches)
    @rule(worker=workers, position=positions)
    def receive_a_duplicate(self, worker: int, position: int) -> None:
        self._claim(worker, self.batches[position % len(self.batches)])

    @precondition(lambda self: self.messages)
    @rule()
    def lose_all_messages(self) -> None:
        self.messages.clear()

    @rule()
    def forget_published(self) -> None:
        self._do(ledger.forget_published, self.clock.time)

    @rule(seconds=st.sampled_from([1.0, 6.0, 20.0, 31.0, 61.0]))
    def advance(self, seconds: float) -> None:
        self.clock.time += seconds

    @precondition(lambda self: self.held)
    @rule(position=positions)
    def renew(self, position: int) -> None:
        claimed = list(self.held.values())[position % len(self.held)]
        if self._expect(claimed, self._do(ledger.renew, claimed, LEASE)):
            self.free_from[claimed.batch_id] = self.clock.time + LEASE

    @precondition(lambda self: self.held)
    @rule(position=positions)
    def finish(self, position: int) -> None:
        self._finish(self._let_go(position))

    @precondition(lambda self: self.held)
    @rule(position=positions, delay=st.sampled_from([0.0, DELAY]))
    def fail(self, position: int, delay: float) -> None:
        self._wait(ledger.fail, self._let_go(position), delay)

    @precondition(lambda self: self.held)
    @rule(position=positions, delay=st.sampled_from([0.0, DELAY]))
    def give_back(self, position: int, delay: float) -> None:
        self._wait(ledger.give_back, self._let_go(position), delay)

    @precondition(lambda self: self.held)
    @rule(position=positions)
    def crash(self, position: int) -> None:
        self._let_go(position)

    # What must hold

    @invariant()
    def spans_are_the_answers(self) -> None:
        with self.database.read_session() as session:
            marks = {row.tweet_id: row.status for row in session.scalars(select(Annotation))}
            found: dict[int, list[Span]] = {tweet_id: [] for tweet_id in marks}
            for row in session.scalars(select(SpanRow).order_by(SpanRow.tweet_id, SpanRow.start_char)):
                found[row.tweet_id].append(Span(row.start_char, row.end_char, row.label, row.score))
        assert found == {tweet_id: answer(tweet_id) if status == "done" else [] for tweet_id, status in marks.items()}

    @invariant()
    def emptiness_is_known(self) -> None:
        assert self._do(ledger.is_empty) == (not self.free_from)

    def teardown(self) -> None:
        """Let one worker drain the ledger: then each tweet has its one mark, and nothing is open."""
        for _ in range(1000):
            if self._do(ledger.is_empty):
                break
            self.clock.time += REPUBLISH_AFTER + 1
            for batch_id in self._do(ledger.take_due, 64, REPUBLISH_AFTER):
                self._claim(0, batch_id)
                if 0 in self.held:
                    self._finish(self.held.pop(0))
        assert not self.free_from
        self.spans_are_the_answers()
        with self.database.read_session() as session:
            assert session.scalar(select(func.count()).select_from(Annotation)) == self.stored

    # How

    def _do(self, function: Callable[..., Any], *arguments: Any) -> Any:
        with self.database.write_session() as session:
            return function(session, *arguments)

    def _is_free(self, batch_id: int) -> bool:
        if batch_id in self.owners:
            return self.free_from.get(batch_id, float("inf")) < self.clock.time
        return self.free_from.get(batch_id, float("inf")) <= self.clock.time

    def _notice_new_batches(self) -> None:
        with self.database.read_session() as session:
            query = select(Batch.id).where(Batch.id > max(self.batches, default=0)).order_by(Batch.id)
            new = list(session.scalars(query))
        self.batches.extend(new)
        self.free_from.update(dict.fromkeys(new, 0.0))

    def _claim(self, worker: int, batch_id: int) -> None:
        """Claim as `worker.tasks` does; a worker that had another claim has forgotten it."""
        with self.database.write_session() as session:
            claimed = ledger.claim(session, batch_id, LEASE)
            assert (claimed is not None) == self._is_free(batch_id)
            if claimed is None:
                return
            self.owners[batch_id] = claimed.token
            self.free_from[batch_id] = self.clock.time + LEASE
            if claimed.is_suspect:
                self._isolate(session, claimed)
            else:
                self.held[worker] = claimed
        self._notice_new_batches()

    def _isolate(self, session: Any, claimed: Claim) -> None:
        if len(claimed.tweet_ids) > 1:
            assert ledger.split(session, claimed, "why")
        else:
            assert ledger.bury(session, claimed, "why")
            spans.mark_dead(session, claimed.model_version_id, claimed.tweet_ids, "why")
        self._close(claimed)

    def _finish(self, claimed: Claim) -> None:
        answers = {tweet_id: (text(tweet_id), answer(tweet_id)) for tweet_id in claimed.tweet_ids}
        keys = {spans.entity_key(said, span) for said, found in answers.values() for span in found}
        entities = self._do(spans.look_up_entities, keys)
        with self.database.write_session() as session:
            if not self._expect(claimed, ledger.finish(session, claimed)):
                return
            spans.store(session, claimed.model_version_id, answers, entities)
        self._close(claimed)

    def _wait(self, how: Callable[..., bool], claimed: Claim, delay: float) -> None:
        if self._expect(claimed, self._do(how, claimed, "why", delay)):
            del self.owners[claimed.batch_id]
            self.free_from[claimed.batch_id] = self.clock.time + delay

    def _expect(self, claimed: Claim, changed: bool) -> bool:
        """A change succeeds exactly if the claim is the last one of its batch, and the batch is open."""
        assert changed == (self.owners.get(claimed.batch_id) == claimed.token)
        return changed

    def _let_go(self, position: int) -> Claim:
        return self.held.pop(list(self.held)[position % len(self.held)])

    def _close(self, claimed: Claim) -> None:
        del self.owners[claimed.batch_id]
        del self.free_from[claimed.batch_id]


def test_nothing_is_lost_and_nothing_doubled(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_clock = FakeClock()
    monkeypatch.setattr(clock, "now", fake_clock.now)
    run_state_machine_as_test(
        lambda: LedgerMachine(database, fake_clock),
        settings=settings(
            max_examples=60 if database.engine.dialect.name == "sqlite" else 15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
