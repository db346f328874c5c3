"""Everything a run is made of, and one look at it: the only thread that acts is the driver's."""

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.delivery.enqueuers import Enqueuer
from benchmarks.delivery.fleet import Member
from benchmarks.delivery.postgresql_server import PostgresqlServer
from benchmarks.delivery.redis_server import RedisServer
from benchmarks.delivery.stream import MARKERS, Stream
from benchmarks.delivery.watch import Lease, Watch, batch_counts, live_leases
from db import ledger
from db.session import Database

_BACKLOG = 5  # waiting batches for each worker, above which nothing is enqueued
_FILE = (30, 70)  # tweets for each worker


@dataclass
class Lasting:
    """A fault that goes on at a member's place until a condition holds, or for so many seconds at most."""

    member: Member
    is_over: Callable[[], bool]
    end: Callable[[], None]
    deadline: float


@dataclass
class Scene:
    """The servers, the workers, the enqueuers, and what happened to them so far."""

    rng: random.Random
    lease: float
    database: Database
    postgresql: PostgresqlServer
    redis: RedisServer
    stream: Stream
    versions: list[int]
    members: list[Member] = field(default_factory=list)
    enqueuers: list[Enqueuer] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)
    lasting: list[Lasting] = field(default_factory=list)
    to_plant: deque[str] = field(default_factory=deque)  # markers for the next file
    met: set[int] = field(default_factory=set)  # marked tweets that a worker has met
    deleted: set[int] = field(default_factory=set)
    lost_messages: int = 0  # whose batch waited
    restarts_amid_writing: int = 0
    overdue: list[str] = field(default_factory=list)  # what should have happened and did not, in time
    is_enqueuing: bool = True
    counts: dict[str, int] = field(default_factory=dict)  # batches by status, at the last look

    def look(self) -> None:
        """Follow everything once: logs, ends of processes and of faults, the ledger, the enqueuers."""
        for member in self.members:
            member.look()
            member.note_idleness(bool(self.redis.messages()))
        with self.database.read_session() as session:
            self.watch.look(session)
            self.counts = batch_counts(session)
        self._note_what_was_met()
        self._end_what_is_over()
        for enqueuer in self.enqueuers:
            enqueuer.look()

    @property
    def batches(self) -> int:
        """How many batches were worked on or wait, those that were split included."""
        return sum(self.counts.values())

    @property
    def is_drained(self) -> bool:
        """Whether all that was made is stored and the ledger is empty."""
        is_open = self.counts.get(ledger.WAITING, 0) + self.counts.get(ledger.LEASED, 0)
        return not (is_open or self.lasting) and all(one.is_idle for one in self.enqueuers)

    @property
    def free(self) -> list[Member]:
        """The members where no fault is going on."""
        return [one for one in self.members if not one.is_disturbed]

    def holdings(self) -> list[tuple[Member, Lease]]:
        """Tell which member's child is tagging which batch, where that is certain."""
        for member in self.members:
            member.log.follow()
        with self.database.read_session() as session:
            leases = live_leases(session)
        pairs = [(one, lease) for lease in leases for one in self.members if one.log.tagging in lease.tweet_ids]
        claimants = [lease.batch_id for _, lease in pairs]
        return [(one, lease) for one, lease in pairs if claimants.count(lease.batch_id) == 1]

    def is_safe(self, lease: Lease) -> bool:
        """Whether one more unexplained end of this batch's process cannot kill an innocent tweet: several are split."""
        is_split = len(lease.tweet_ids) > 1
        return is_split or lease.attempts <= 1 or any(self.stream.is_killer(one) for one in lease.tweet_ids)

    def last(self, member: Member, is_over: Callable[[], bool], end: Callable[[], None], seconds: float) -> None:
        """Let a fault go on at a member's place."""
        member.is_disturbed = True
        self.lasting.append(Lasting(member, is_over, end, time.monotonic() + seconds))

    def next_file(self) -> tuple[Path, int] | None:
        """Make work for an enqueuer, unless there is enough."""
        if not self.is_enqueuing or self.counts.get(ledger.WAITING, 0) > _BACKLOG * len(self.members):
            return None
        markers = [self.to_plant.popleft() for _ in range(min(2, len(self.to_plant)))]
        deleted = sorted(self.deleted)
        again = self.rng.sample(deleted, min(20, len(deleted))) + list(self.stream.texts)[-20:]
        size = self.rng.randint(*_FILE) * len(self.members)
        return self.stream.next_file(size, markers, again), self.rng.randint(8, 32)

    def _note_what_was_met(self) -> None:
        new = {(tweet, what) for member in self.members for what, tweet in member.log.met if tweet not in self.met}
        if not new:
            return
        with self.database.read_session() as session:
            leases = live_leases(session)
        for tweet_id, marker in new:
            self.met.add(tweet_id)
            kind = next(kind for kind, one in MARKERS.items() if one == marker)
            if held := [lease for lease in leases if tweet_id in lease.tweet_ids]:
                self.watch.note(kind, held, time.monotonic())

    def _end_what_is_over(self) -> None:
        for fault in list(self.lasting):
            if fault.is_over() or time.monotonic() > fault.deadline:
                fault.end()
                fault.member.is_disturbed = False
                self.lasting.remove(fault)
