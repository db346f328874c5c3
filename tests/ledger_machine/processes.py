"""The processes of two workers, step by step: each claims a batch, reads and tags it, and finishes it.

A step that is broken off means either that the process died, or that it lives and takes the step again later, with
the same token, as `worker.patience` does.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from db import ledger, spans
from db.ledger import Claim
from tests.ledger_machine.answers import KnownTagger
from tests.ledger_machine.model import LEASE, Model
from tests.ledger_machine.stored import new_batches
from tests.ledger_machine.world import ANSWER_LOST, BreakingDatabase, Clocks, ForgetfulRedis, Outcome
from worker import storing, tasks
from worker.reading import Reading, read

WORKERS = ("left", "right")  # the first has two of the three processes
PROCESSES = 3


@dataclass
class Work:
    """A batch in the hands of a process: to be claimed, to be read, or to be finished."""

    batch_id: int
    token: str
    claim: Claim | None = None
    reading: tuple[Reading, dict[spans.EntityKey, int]] | None = None


class Processes(RuleBasedStateMachine):
    """What the machine's rules are made of: calls of the product's code, each followed by the same in the model."""

    def __init__(self, database: BreakingDatabase, clocks: Clocks, tally: Counter[str], model: Model) -> None:
        super().__init__()
        self.database, self.clocks, self.tally, self.model = database, clocks, tally, model
        self.redis = ForgetfulRedis()
        self.work: dict[int, Work] = {}  # by process
        self.orphans: list[tuple[int, str]] = []  # batches whose process died, each with its worker
        self.finished: defaultdict[int, set[str]] = defaultdict(set)  # by batch: the tokens that were told so

    def call(self, who: str, break_before: int | None, function: Callable[..., Any], *arguments: Any) -> Outcome:
        """Call the product's code in the name of a process, by whose clock Python goes meanwhile."""
        self.clocks.whose = who
        outcome = self.database.attempt(break_before, function, *arguments)
        if outcome.broken:
            self.tally["answers of a commit lost" if outcome.committed else "transactions broken off"] += 1
        return outcome

    def write(self, who: str, break_before: int | None, function: Callable[..., Any], *arguments: Any) -> Outcome:
        """Call a function of `db` in a transaction of its own."""

        def within() -> Any:
            with self.database.write_session() as session:
                return function(session, *arguments)

        return self.call(who, break_before, within)

    def follow(self, outcome: Outcome, change: Callable[..., Any], *arguments: Any) -> Any:
        """Change the model if the database was changed, and return its answer; the one that came must be the same."""
        if not outcome.committed:
            return None
        expected = change(*arguments)
        assert outcome.broken or outcome.value == expected
        if self.model.unborn:
            with self.database.read_session() as session:
                self.model.learn_ids(new_batches(session, max(self.model.batches, default=0)))
        return expected

    def has_messages(self) -> bool:
        """Tell whether there is a message in Redis, or a batch whose message may come late."""
        return bool(self.redis.messages or self.model.open_batches())

    def receive(self, process: int, position: int) -> None:
        """Give a process a message: one of those in Redis, or a late or second one of an open batch."""
        late = self.model.open_batches()
        position %= len(self.redis.messages) + len(late)
        is_late = position >= len(self.redis.messages)
        self.take(process, late[position - len(self.redis.messages)] if is_late else self.redis.pop(position))

    def take(self, process: int, batch_id: int) -> None:
        """Let a process begin with a batch; one that had another was replaced meanwhile."""
        self.die(process)
        self.work[process] = Work(batch_id, ledger.new_token())

    def step(self, process: int, break_before: int | None = None, dies: bool = False) -> None:
        """Let a process take its next step."""
        work = self.work[process]
        step = self._claim if work.claim is None else self._read if work.reading is None else self._finish
        outcome = step(process, work, break_before)
        if outcome.broken and dies:
            self.die(process)

    def get_ready(self, process: int) -> None:
        """Let a process do all but finish."""
        while process in self.work and self.work[process].reading is None:
            self.step(process)

    def finish(self, process: int) -> None:
        """Let a process bring its batch to the end."""
        while process in self.work:
            self.step(process)

    def lose_an_answer(self, process: int) -> None:
        """Let a process finish, but not hear of it: it will do so again."""
        self.get_ready(process)
        self.step(process, ANSWER_LOST)

    def lose_the_batch(self, process: int) -> None:
        """Let the lease run out and another process claim the batch; the first knows nothing of it."""
        self.clocks.database.time += LEASE + 1
        another = (process + 1) % PROCESSES
        self.take(another, self.work[process].batch_id)
        self.step(another)

    def renew(self, process: int, break_before: int | None) -> None:
        """Let a process renew its lease."""
        work = self.work[process]
        outcome = self.write(worker_of(process), break_before, ledger.renew, work.claim, LEASE)
        self.follow(outcome, self.model.renew, work.batch_id, work.token)

    def give_up(self, process: int, is_explained: bool, delay: float, break_before: int | None, dies: bool) -> None:
        """Let a process return the batch that it claimed, the attempt counted or not."""
        work = self.work[process]
        how, change = (ledger.give_back, self.model.give_back) if is_explained else (ledger.fail, self.model.fail)
        outcome = self.write(worker_of(process), break_before, how, work.claim, "why", delay)
        self.follow(outcome, change, work.batch_id, work.token, delay)
        if not outcome.broken:
            del self.work[process]
        elif dies:
            self.die(process)

    def die(self, process: int) -> None:
        """Let a process forget what it did. Its parent knows the batch."""
        work = self.work.pop(process, None)
        if work is not None:
            self.orphans.append((work.batch_id, worker_of(process)))

    def _claim(self, process: int, work: Work, break_before: int | None) -> Outcome:
        worker = worker_of(process)
        outcome = self.call(worker, break_before, tasks._claim, self.database, work.batch_id, work.token)
        held = outcome.value is not None
        self.follow(
            Outcome(outcome.committed, outcome.broken, held), self.model.claim, work.batch_id, work.token, worker
        )
        if outcome.committed:
            self.tally[f"batches {self.model.batches[work.batch_id].status} after a claim"] += 1
        if held:
            work.claim = outcome.value
            assert work.claim.attempt == self.model.batches[work.batch_id].ends + 1
        elif not outcome.broken:
            del self.work[process]
        return outcome

    def _read(self, process: int, work: Work, break_before: int | None) -> Outcome:
        claimed = work.claim

        def tag() -> None:
            texts = tasks._unread(self.database, claimed)
            reading = read(KnownTagger(claimed.model_version_id), texts, lambda: None)
            keys = {spans.entity_key(said, span) for said, found in reading.answers.values() for span in found}
            work.reading = reading, storing._look_up(self.database, keys)

        return self.call(worker_of(process), break_before, tag)

    def _finish(self, process: int, work: Work, break_before: int | None) -> Outcome:
        reading, _ = work.reading
        read_ones = reading.answers.keys() | reading.poison.keys()
        outcome = self.call(worker_of(process), break_before, storing._finish, self.database, work.claim, *work.reading)
        if self.follow(outcome, self.model.finish, work.batch_id, work.token, read_ones):
            self.finished[work.batch_id].add(work.token)
        if not outcome.broken:
            self.tally["finishes" if outcome.value else "finishes that came too late"] += 1
            del self.work[process]
        return outcome


def worker_of(process: int) -> str:
    return WORKERS[process % len(WORKERS)]
