"""What the ledger shows while it goes on: who holds what, when a batch has recovered, which leases ran out."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db import clock, ledger
from db.tables import Batch

_WRITERS = text(
    "SELECT application_name FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
)


@dataclass(frozen=True)
class Lease:
    """A batch that a process holds; or, without a token, one whose message lies in Redis."""

    batch_id: int
    token: str
    attempts: int
    tweet_ids: frozenset[int]


@dataclass
class Injection:
    """A fault that hit something: its kind, what was held, and how long it took until all of that had recovered."""

    kind: str
    leases: Sequence[Lease]
    began: float  # by the monotonic clock, before the target was looked for
    recovery: float | None = None  # seconds until each batch was claimed again or was done

    @property
    def tweet_ids(self) -> set[int]:
        """All tweets that were in the hands of what was hit."""
        return {one for lease in self.leases for one in lease.tweet_ids}


def live_leases(session: Session) -> list[Lease]:
    """Return the leases that have not run out."""
    held = select(Batch).where(Batch.status == ledger.LEASED, Batch.lease_expires_at > clock.now())
    return [_lease(row, row.lease_token or "") for row in session.scalars(held)]


def unclaimed(session: Session, batch_ids: Collection[int]) -> list[Lease]:
    """Return those of some batches that wait."""
    waiting = select(Batch).where(Batch.status == ledger.WAITING, Batch.id.in_(batch_ids))
    return [_lease(row, "") for row in session.scalars(waiting)]


def waiting_tweets(session: Session, limit: int) -> list[list[int]]:
    """Return the tweets of some batches that wait."""
    return list(session.scalars(select(Batch.tweet_ids).where(Batch.status == ledger.WAITING).limit(limit)))


def batch_counts(session: Session) -> dict[str, int]:
    """Count batches by status."""
    return {row[0]: row[1] for row in session.execute(select(Batch.status, func.count()).group_by(Batch.status))}


def writers(session: Session) -> list[str]:
    """Name the clients that have written something and not committed it yet."""
    return list(session.scalars(_WRITERS))


def _lease(row: Batch, token: str) -> Lease:
    return Lease(row.id, token, row.attempts, frozenset(row.tweet_ids))


class Watch:
    """Follows the ledger from look to look. `expired` and `renewed` hold leases, each as batch and token."""

    def __init__(self) -> None:
        self.injections: list[Injection] = []
        self.expired: set[tuple[int, str]] = set()
        self.renewed: set[tuple[int, str]] = set()
        self._first_end: dict[tuple[int, str], float] = {}
        self._pending: list[Injection] = []

    def note(self, kind: str, leases: Sequence[Lease], began: float) -> None:
        """A fault was injected just now."""
        injection = Injection(kind, leases, began)
        self.injections.append(injection)
        if leases:
            self._pending.append(injection)

    def look(self, session: Session) -> None:
        """Note leases that ran out or were renewed, and batches that recovered."""
        columns = (Batch.id, Batch.lease_token, Batch.lease_expires_at, clock.now())
        for batch_id, token, end, now in session.execute(select(*columns).where(Batch.status == ledger.LEASED)):
            if end < now:
                self.expired.add((batch_id, token))
            if end > self._first_end.setdefault((batch_id, token), end):
                self.renewed.add((batch_id, token))
        recovered = has_moved_on(session, (lease for one in self._pending for lease in one.leases))
        for injection in list(self._pending):
            if all(lease in recovered for lease in injection.leases):
                injection.recovery = time.monotonic() - injection.began
                self._pending.remove(injection)


def has_moved_on(session: Session, leases: Iterable[Lease]) -> set[Lease]:
    """Return the leases whose batch has been claimed again since, or has ended."""
    wanted = set(leases)
    columns = (Batch.id, Batch.status, Batch.lease_token)
    rows = session.execute(select(*columns).where(Batch.id.in_({lease.batch_id for lease in wanted})))
    now = {row.id: row for row in rows}
    ended = (ledger.DONE, ledger.DEAD, ledger.SPLIT)
    return {
        lease
        for lease in wanted
        if now[lease.batch_id].status in ended or now[lease.batch_id].lease_token not in (None, lease.token)
    }
