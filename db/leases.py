"""Who works on what: the batches that workers hold."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import clock
from db.bulk import cardinality
from db.ledger import LEASED
from db.tables import Batch


@dataclass(frozen=True)
class Lease:
    """A batch in the hands of a process, named "host:pid/pid"; it goes back to the queue in `seconds_left`, below 0 if
    it is overdue, unless the worker renews its lease."""

    batch_id: int
    job_id: int
    process: str
    model_version_id: int | None
    attempt: int
    tweets: int
    seconds_left: float

    @property
    def worker(self) -> str:
        """The name of the worker, as its heartbeat has it."""
        return self.process.partition("/")[0]


def leases(session: Session) -> list[Lease]:
    """Return the leases, the oldest batch first."""
    left = (Batch.lease_expires_at - clock.now()).label("left")
    columns = (Batch.id, Batch.job_id, Batch.leased_by, Batch.model_version_id, Batch.attempts)
    held = select(*columns, cardinality(session, Batch.tweet_ids).label("tweets"), left).where(Batch.status == LEASED)
    return [
        Lease(row.id, row.job_id, row.leased_by or "", row.model_version_id, row.attempts, row.tweets, row.left or 0.0)
        for row in session.execute(held.order_by(Batch.id))
    ]
