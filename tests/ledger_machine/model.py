"""The ledger as it is meant, in plain Python: what each change leads to if its transaction commits, with no SQL.

It counts ends where the ledger counts attempts: an end is counted when a claim is failed, or taken over because its
lease ran out. A batch waits again until it ended so often that it is split, or that a tweet alone in it is dead.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.ledger import CANCELLED, DEAD, DONE, LEASED, OPEN, SPLIT, WAITING
from tests.ledger_machine.answers import is_poison
from tests.ledger_tools import FakeClock

LEASE = 30.0
ENDS_ALONE, ENDS_TOGETHER, ENDS_OF_A_PART = 3, 2, 1
WAYS = 16


@dataclass
class Batch:
    """A batch, whose times are 0 where there is no limit. `token` is the last claim's; it counts while leased."""

    tweets: list[int]
    version: int | None
    job: int | None = None  # until it is known
    is_part: bool = False
    status: str = WAITING
    token: str | None = None
    worker: str | None = None
    expires: float = 0.0
    not_before: float = 0.0
    ends: int = 0
    ends_alone: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_suspect(self) -> bool:
        together = ENDS_OF_A_PART if self.is_part else ENDS_TOGETHER
        return self.ends >= (ENDS_ALONE if len(self.tweets) == 1 else together)

    def end(self) -> None:
        """Count an end that was not explained."""
        self.ends += 1
        self.ends_alone += len(self.tweets) == 1

    def wait(self, until: float) -> None:
        self.status, self.token, self.not_before = WAITING, None, until

    def row(self) -> tuple[Any, ...]:
        """What the ledger must say of it; of an ended batch what still matters."""
        common = (self.job, self.tweets, self.version, self.is_part, self.status)
        if self.status == WAITING:
            return (*common, self.ends, self.not_before)
        if self.status == LEASED:
            return (*common, self.ends + 1, self.token, self.worker, self.expires)
        return common


@dataclass
class Model:
    """All that is stored, and each change of it. A change of a claim returns whether the claim counts."""

    clock: FakeClock
    active: int
    tweets: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    marks: dict[tuple[int, int], str] = field(default_factory=dict)  # by tweet and version: done or dead
    batches: dict[int, Batch] = field(default_factory=dict)
    unborn: list[Batch] = field(default_factory=list)  # written, but their ids are not known yet
    cancelled: set[int] = field(default_factory=set)  # jobs

    def learn_ids(self, found: Sequence[tuple[int, int]]) -> None:
        """Take in the ids of new batches, given with their jobs, in the order in which they were written."""
        for (batch_id, job_id), batch in zip(found, self.unborn, strict=False):  # a difference is found as any other
            batch.job = job_id
            self.batches[batch_id] = batch
        self.unborn = self.unborn[len(found) :]

    def open_batches(self) -> list[int]:
        return [batch_id for batch_id, batch in self.batches.items() if batch.is_open]

    def enqueue(self, ids: Sequence[int], size: int) -> int:
        new = [tweet_id for tweet_id in ids if tweet_id not in self.tweets | self.deleted]
        self.tweets.update(new)
        self.unborn.extend(Batch(new[start : start + size], None) for start in range(0, len(new), size))
        return len(new)

    def add_batch(self, ids: list[int], version: int | None) -> None:
        self.unborn.append(Batch(ids, version))

    def activate(self, version: int) -> None:
        self.active = version

    def delete(self, ids: Collection[int]) -> int:
        stored = len(self.tweets.intersection(ids))
        self.tweets.difference_update(ids)
        self.deleted.update(ids)
        self.marks = {key: status for key, status in self.marks.items() if key[0] not in ids}
        for batch in self.batches.values():
            if batch.is_open:
                batch.tweets = [tweet_id for tweet_id in batch.tweets if tweet_id not in ids]
        return stored

    def cancel(self, job_id: int) -> int:
        self.cancelled.add(job_id)
        waiting = [batch for batch in self.batches.values() if batch.job == job_id and batch.status == WAITING]
        for batch in waiting:
            batch.status = CANCELLED
        return len(waiting)

    def is_free(self, batch_id: int) -> bool:
        batch = self.batches[batch_id]
        is_expired = batch.status == LEASED and batch.expires < self.clock.time
        return is_expired or (batch.status == WAITING and batch.not_before <= self.clock.time)

    def owns(self, batch_id: int, token: str) -> bool:
        batch = self.batches[batch_id]
        return batch.status == LEASED and batch.token == token

    def claim(self, batch_id: int, token: str, worker: str) -> bool:
        batch = self.batches[batch_id]
        is_repeated = self.owns(batch_id, token)
        if not (is_repeated or self.is_free(batch_id)):
            return False
        if batch.status == LEASED and not is_repeated:
            batch.end()
        batch.version = batch.version or self.active
        if batch.job in self.cancelled:
            batch.status = CANCELLED
        elif batch.is_suspect:
            self._isolate(batch)
        else:
            batch.status, batch.token, batch.worker = LEASED, token, worker
            batch.expires = self.clock.time + LEASE
        return batch.status == LEASED

    def renew(self, batch_id: int, token: str) -> bool:
        if owns := self.owns(batch_id, token):
            self.batches[batch_id].expires = self.clock.time + LEASE
        return owns

    def finish(self, batch_id: int, token: str, read: Collection[int]) -> bool:
        """End a batch, with marks for what was read; a second time, which its answer's loss allows, adds nothing."""
        batch = self.batches[batch_id]
        if self.owns(batch_id, token):
            batch.status = DONE
            for tweet_id in read:
                self._mark(tweet_id, batch, DEAD if is_poison(tweet_id) else DONE)
        return batch.status == DONE and batch.token == token

    def give_back(self, batch_id: int, token: str, delay: float) -> bool:
        if owns := self.owns(batch_id, token):
            self.batches[batch_id].wait(self.clock.time + delay if delay else 0.0)
        return owns

    def fail(self, batch_id: int, token: str, delay: float) -> bool:
        if self.owns(batch_id, token):
            self.batches[batch_id].end()
        return self.give_back(batch_id, token, delay)

    def fail_orphan(self, batch_id: int, worker: str) -> bool:
        batch = self.batches[batch_id]
        return batch.worker == worker and batch.token is not None and self.fail(batch_id, batch.token, 0.0)

    def _isolate(self, batch: Batch) -> None:
        if len(batch.tweets) > 1:
            batch.status = SPLIT
            size = -(-len(batch.tweets) // WAYS)
            parts = (batch.tweets[start : start + size] for start in range(0, len(batch.tweets), size))
            self.unborn.extend(Batch(part, batch.version, is_part=True) for part in parts)
        else:
            batch.status = DEAD if batch.tweets else DONE  # they were all deleted
            for tweet_id in batch.tweets:
                self._mark(tweet_id, batch, DEAD)

    def _mark(self, tweet_id: int, batch: Batch, status: str) -> None:
        assert batch.version is not None
        if tweet_id in self.tweets:
            self.marks.setdefault((tweet_id, batch.version), status)
