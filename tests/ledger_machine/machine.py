"""Workers, dispatchers and commands over one ledger, in any order, each broken off anywhere; and what must hold.

The product's own code runs: the claim and the reading of `worker.tasks`, the finish of `worker.storing`,
`worker.dispatch`, `worker.enqueue` and the functions of `db`. Each rule is one call of it, so that the calls of several
processes interleave; the database sees one transaction after another. After each rule it must hold what the model
holds, whose changes happen wholly or not at all. In the end undisturbed workers drain the ledger: nothing is lost or
doubled.
"""

from collections import Counter
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import delete
from sqlalchemy.orm import Session

from db import jobs, ledger, model_versions, tweets
from db.columns import Base
from db.tables import ModelVersion
from tests.ledger_machine.answers import text
from tests.ledger_machine.model import Model
from tests.ledger_machine.processes import PROCESSES, WORKERS, Processes
from tests.ledger_machine.stored import Stored, check_drained, read
from tests.ledger_machine.world import ANSWER_LOST, BreakingDatabase, Clocks
from worker import dispatch
from worker.enqueue import enqueue
from worker.tweet_files import Tweet

COMMAND, PARENT = "a command", "a parent"

# Before which statement; most transactions have few, a split many. See BreakingDatabase.
breaks = st.none() | st.just(ANSWER_LOST) | st.integers(0, 4) | st.integers(5, 20)
positions = st.integers(0, 5)  # few, so that the same batch is met again
ranges = st.builds(lambda first, count: list(range(first, first + count)), st.integers(1, 40), st.integers(1, 24))
sizes = st.sampled_from([20, 7, 1])


@dataclass(frozen=True)
class Act:
    """What a process does with its batch, or with the one whose message it receives."""

    process: int
    what: str
    position: int  # of the message
    break_before: int | None
    dies: bool


acts = st.builds(
    Act,
    process=st.integers(0, PROCESSES - 1),
    what=st.sampled_from(
        ["step", "get ready", "finish", "lose an answer", "fail", "give back", "lose the batch", "renew", "die"]
    ),
    position=positions,
    break_before=breaks,
    dies=st.booleans(),
)


class LedgerMachine(Processes):
    """All that can happen. `tally` counts over all examples what did."""

    def __init__(self, database: BreakingDatabase, clocks: Clocks, versions: list[int], tally: Counter[str]) -> None:
        super().__init__(database, clocks, tally, Model(clocks.database, versions[0]))
        self.versions = versions
        tally["examples"] += 1
        clocks.hours_off.clear()
        with database.write_session() as session:
            for table in reversed(Base.metadata.sorted_tables):
                if table is not ModelVersion.__table__:
                    session.execute(delete(table))
            model_versions.activate(session, versions[0])

    # Commands

    @initialize(ids=ranges, size=sizes)
    def enqueue_the_first(self, ids: list[int], size: int) -> None:
        """Begin with several batches, of which the last holds the tweets of others."""
        self.enqueue(ids, size, None)
        self.enqueue_again(0, 5, None, None)

    @rule(ids=ranges, size=sizes, break_before=breaks)
    def enqueue(self, ids: list[int], size: int, break_before: int | None) -> None:
        rows = [Tweet(tweet_id, text(tweet_id), None, None, None, None) for tweet_id in ids]

        def count_added() -> int:
            return enqueue(self.database, rows, "machine", size).added

        self.follow(self.call(COMMAND, break_before, count_added), self.model.enqueue, ids, size)

    @precondition(lambda self: self.model.open_batches())
    @rule(position=positions, count=st.integers(1, 20), version=st.sampled_from([None, 0, 1]), break_before=breaks)
    def enqueue_again(self, position: int, count: int, version: int | None, break_before: int | None) -> None:
        """Queue stored tweets from some open batch on, for a version or for the one that is active."""
        first = self.model.open_batches()[position % len(self.model.open_batches())]
        least = min(self.model.batches[first].tweets, default=0)
        ids = sorted(tweet_id for tweet_id in self.model.tweets if tweet_id >= least)[:count]
        if not ids:
            return  # of no tweets there is no batch
        version_id = None if version is None else self.versions[version]

        def add(session: Session) -> None:
            ledger.add_batches(session, jobs.open_job(session, "again"), ids, version_id=version_id)

        self.follow(self.write(COMMAND, break_before, add), self.model.add_batch, ids, version_id)

    @rule(ids=ranges, break_before=breaks)
    def delete(self, ids: list[int], break_before: int | None) -> None:
        self.follow(self.write(COMMAND, break_before, tweets.delete, ids[:8]), self.model.delete, ids[:8])

    @precondition(lambda self: self.model.batches)
    @rule(position=positions, break_before=breaks)
    def cancel(self, position: int, break_before: int | None) -> None:
        batches = list(self.model.batches.values())
        job_id = batches[position % len(batches)].job
        self.follow(self.write(COMMAND, break_before, jobs.cancel, job_id), self.model.cancel, job_id)

    @rule(version=st.integers(0, 1), break_before=breaks)
    def activate(self, version: int, break_before: int | None) -> None:
        version_id = self.versions[version]
        outcome = self.write(COMMAND, break_before, model_versions.activate, version_id)
        self.follow(outcome, self.model.activate, version_id)

    # Messages

    @rule(break_before=breaks, dies_after=st.none() | st.integers(0, 1))
    def dispatch(self, break_before: int | None, dies_after: int | None) -> None:
        """Dispatch; the process may die before it pushes messages, when all of them count as published."""
        in_redis = self.redis.ids()
        self.redis.published, self.redis.pushes_left = [], dies_after
        self.call(PARENT, break_before, dispatch.dispatch, self.database, self.redis)
        published = self.redis.published
        assert len(published) == len(set(published))
        assert not set(published) & set(in_redis)
        assert all(self.model.is_free(batch_id) for batch_id in published)

    @rule(position=positions, what=st.sampled_from(["comes twice", "is lost", "is lost with everything"]))
    def have_trouble_with_a_message(self, position: int, what: str) -> None:
        """Lose messages, or deliver any batch's once more, whether it was published or not."""
        if what == "is lost with everything":
            self.redis.wipe()
        elif what == "comes twice" and self.model.batches:
            self.redis.push(list(self.model.batches)[position % len(self.model.batches)])
        elif self.redis.messages:
            self.redis.pop(position)

    # Processes

    @rule(acts=st.lists(acts, min_size=4, max_size=10))
    def let_processes_act(self, acts: list[Act]) -> None:
        """Let processes act one after another: here lies most of what can go wrong, so it must happen often."""
        for act in acts:
            if act.process in self.work or self.has_messages():
                self._act(act)
                self.the_database_holds_what_the_model_holds()

    @precondition(lambda self: self.orphans)
    @rule(position=positions, break_before=breaks)
    def return_an_orphan(self, position: int, break_before: int | None) -> None:
        """Let a parent return the batch of its dead process, however late; it tries again if that is broken off."""
        orphan = self.orphans[position % len(self.orphans)]
        batch_id, worker = orphan
        outcome = self.write(PARENT, break_before, ledger.fail_orphan, batch_id, worker, "it died")
        self.follow(outcome, self.model.fail_orphan, batch_id, worker)
        if not outcome.broken:
            self.orphans.remove(orphan)

    # Time

    @rule(
        seconds=st.sampled_from([31.0, 16.0, 6.0, 1.0]),
        who=st.sampled_from([*WORKERS, PARENT, COMMAND]),
        hours_off=st.integers(-48, 48),
    )
    def pass_time(self, seconds: float, who: str, hours_off: int) -> None:
        """Let time pass; somebody's clock is set meanwhile."""
        self.clocks.database.time += seconds
        self.clocks.hours_off[who] = hours_off

    # What must hold

    @invariant()
    def the_database_holds_what_the_model_holds(self) -> None:
        self.tally["steps"] += 1
        assert not self.model.unborn
        assert self._stored() == Stored.of(self.model)

    def teardown(self) -> None:
        """Kill the processes, and let another drain the ledger that nothing disturbs."""
        for process in list(self.work):
            self.die(process)
        for _ in range(80):
            self.clocks.database.time += dispatch.REPUBLISH_AFTER + 1
            self.dispatch(None, None)
            while self.redis.messages:
                self.receive(0, 0)
                self.finish(0)
            if not self.model.open_batches():
                break
        assert self.write(COMMAND, None, ledger.is_empty).value
        stored = self._stored()
        assert stored == Stored.of(self.model)
        check_drained(stored, self.model, self.finished)

    def _act(self, act: Act) -> None:
        """Let a process that is idle receive a message, and any process go on with its batch."""
        if act.process not in self.work:
            self.receive(act.process, act.position)
        undisturbed = {
            "get ready": self.get_ready,
            "finish": self.finish,
            "lose an answer": self.lose_an_answer,
            "lose the batch": self.lose_the_batch,
            "die": self.die,
        }
        if act.what == "step" or self.work[act.process].claim is None:
            self.step(act.process, act.break_before, act.dies)
        elif act.what == "renew":
            self.renew(act.process, act.break_before)
        elif act.what in ("fail", "give back"):
            delay = 5.0 * (act.position % 2)
            self.give_up(act.process, act.what == "give back", delay, act.break_before, act.dies)
        else:
            undisturbed[act.what](act.process)

    def _stored(self) -> Stored:
        with self.database.read_session() as session:
            return read(session)
