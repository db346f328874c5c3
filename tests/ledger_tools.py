"""What tests of the ledger share: a version that no one trained, and a clock that stands still."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Double, literal, select
from sqlalchemy.orm import Session

from db import due_batches, ledger, model_versions
from db.session import Database
from db.tables import Annotation, Batch
from worker.enqueue import enqueue
from worker.tweet_files import Tweet

LABELS = ["O", *(f"{prefix}-{label}" for label in ("LOC", "MISC", "ORG", "PER") for prefix in "BI")]
VERSION: dict[str, Any] = dict.fromkeys(("base_model", "corpus", "corpus_fingerprint", "device"), "none") | {
    "config": {}, "split_sizes": {}, "labels": LABELS, "libraries": {}, "seconds": 0.0, "scores": {},
    "artifact_uri": "file:///none", "artifact_hash": "",
}  # fmt: skip

FORM: dict[str, Any] = {
    "precision": "fp32", "corpus_fingerprint": "none", "texts_checked": 100, "f1": 0.7, "f1_cost": 0.1,
    "differing_share": 0.02, "speed": 2.0,
}  # fmt: skip


def new_version(database: Database) -> int:
    """Register a version and activate it."""
    with database.write_session() as session:
        version_id = model_versions.register(session, **VERSION).id
        model_versions.activate(session, version_id)
        return version_id


def enqueue_tweets(database: Database, ids: Iterable[int], batch_size: int = 256, **columns: Any) -> int:
    """Enqueue tweets with the texts "Ann 1", "Ann 2", ...; return their job."""
    empty: dict[str, Any] = dict.fromkeys(("created_at", "author", "language", "retweet_of"))
    rows = [Tweet(id=number, text=f"Ann {number}", **empty | columns) for number in ids]
    job_id = enqueue(database, rows, "test", batch_size).job_id
    assert job_id is not None
    return job_id


def marks_of(database: Database, version_id: int) -> dict[int, str]:
    """Return the marks of a version: tweet id -> status."""
    with database.read_session() as session:
        mine = select(Annotation.tweet_id, Annotation.status).where(Annotation.model_version_id == version_id)
        return {row.tweet_id: row.status for row in session.execute(mine)}


def batches_of(database: Database, job_id: int) -> list[Batch]:
    """Return the batches of a job, oldest first."""
    with database.read_session() as session:
        return list(session.scalars(select(Batch).where(Batch.job_id == job_id).order_by(Batch.id)))


def claim(session: Session, batch_id: int, lease_seconds: float = 30.0) -> ledger.Claim | None:
    """Claim a batch with a token of its own."""
    return ledger.claim(session, batch_id, ledger.new_token(), lease_seconds)


def take_due(session: Session, limit: int, republish_after: float, queued: Collection[int] = ()) -> list[int]:
    """Pick batches as a dispatch into an empty Redis does, recovered ones first."""
    recovered = due_batches.take_recovered(session, limit, republish_after, queued)
    return recovered + due_batches.take_new(session, limit - len(recovered), queued)


class FakeClock:
    """A clock of the database that stands still until it is moved; `now` takes the place of `db.clock.now`."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> ColumnElement[float]:
        """Return the time as SQL."""
        return literal(self.time, Double)
