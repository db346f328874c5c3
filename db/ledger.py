"""The ledger: batches of tweets to be tagged, and who has them. Redis hands batches out; this decides who owns one.

A batch is claimed by one conditional UPDATE that returns a fresh token, and finished only with that token, so that a
worker whose lease ran out cannot write over the one that took its place. Attempts are counted before the work: a
transient failure gives its attempt back, so what remains counts the ends that may lie in the batch itself: a kill, a
crash, an error that a retry is not sure to mend.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Update, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from db import clock
from db.model_versions import ACTIVE
from db.tables import Batch, Job, ModelAlias
from tagging.errors import ModelVersionError

WAITING, LEASED, DONE, DEAD, SPLIT = "waiting", "leased", "done", "dead", "split"
FAILURES_BEFORE_SPLIT = 2
FAILURES_BEFORE_DEATH = 3  # of a tweet that is alone in its batch
SPLIT_WAYS = 16


@dataclass(frozen=True)
class Claim:
    """A batch that this process owns until its lease runs out. `attempt` counts from 1."""

    batch_id: int
    token: str
    model_version_id: int
    tweet_ids: list[int]
    attempt: int
    is_child: bool
    error: str | None = None  # what went wrong the last time, if that is known

    @property
    def is_suspect(self) -> bool:
        """Whether the batch failed so often that it must be split (or, a single tweet, be given up)."""
        if len(self.tweet_ids) == 1:
            return self.attempt > FAILURES_BEFORE_DEATH
        return self.attempt > (1 if self.is_child else FAILURES_BEFORE_SPLIT)


def open_job(session: Session, name: str) -> int:
    """Write a job and return its id."""
    job = session.scalars(insert(Job).values(name=name, created_at=clock.now()).returning(Job)).one()
    return job.id


def add_batch(session: Session, job_id: int, tweet_ids: Sequence[int]) -> None:
    """Write a batch that waits."""
    session.execute(
        insert(Batch).values(
            job_id=job_id, tweet_ids=list(tweet_ids), status=WAITING, attempts=0, created_at=clock.now()
        )
    )


def take_due(session: Session, limit: int, republish_after: float) -> list[int]:
    """Pick up to `limit` batches that should be in Redis, mark them published and return their ids.

    Recovered ones first: leases that ran out, then messages that were not claimed for `republish_after` seconds (lost
    on the way), then batches never published, oldest first. On PostgreSQL several dispatchers pick different rows.
    """
    due: list[int] = []
    for condition in _due_conditions(republish_after):
        if len(due) < limit:
            rows = select(Batch.id).where(condition).order_by(Batch.id).limit(limit - len(due))
            due.extend(session.scalars(rows.with_for_update(skip_locked=True)))
    if due:
        session.execute(update(Batch).where(Batch.id.in_(due)).values(published_at=clock.now()))
    return due


def forget_published(session: Session, before: float) -> None:
    """Count no batch as published that was before a time: Redis has been found empty, so those messages are lost."""
    lost = and_(Batch.status.in_((WAITING, LEASED)), Batch.published_at < before)
    session.execute(update(Batch).where(lost).values(published_at=None))


def claim(session: Session, batch_id: int, lease_seconds: float) -> Claim | None:
    """Take a batch if it waits or its lease has run out; None if somebody else has it or it is done.

    The first claim fixes the model version: the one that is active now. Raises ModelVersionError if none is.
    """
    active = select(ModelAlias.model_version_id).where(ModelAlias.name == ACTIVE).scalar_subquery()
    is_free = or_(
        and_(Batch.status == WAITING, or_(Batch.next_attempt_at.is_(None), Batch.next_attempt_at <= clock.now())),
        and_(Batch.status == LEASED, Batch.lease_expires_at < clock.now()),
    )
    row = session.execute(
        update(Batch)
        .where(Batch.id == batch_id, is_free)
        .values(
            status=LEASED,
            attempts=Batch.attempts + 1,
            lease_token=str(uuid.uuid4()),
            lease_expires_at=clock.now() + lease_seconds,
            model_version_id=func.coalesce(Batch.model_version_id, active),
        )
        .returning(
            Batch.id,
            Batch.lease_token,
            Batch.model_version_id,
            Batch.tweet_ids,
            Batch.attempts,
            Batch.parent_id,
            Batch.error,
        )
    ).one_or_none()
    if row is None:
        return None
    if row.model_version_id is None:
        raise ModelVersionError("no model version is active; run `tweetspan train`, or `tweetspan models activate N`")
    return Claim(
        row.id,
        row.lease_token,
        row.model_version_id,
        list(row.tweet_ids),
        row.attempts,
        row.parent_id is not None,
        row.error,
    )


def renew(session: Session, claimed: Claim, lease_seconds: float) -> bool:
    """Put the end of the lease `lease_seconds` from now; False if the batch is no longer ours."""
    return _change(session, _owned(claimed).values(lease_expires_at=clock.now() + lease_seconds))


def finish(session: Session, claimed: Claim) -> bool:
    """Mark the batch done; False if it is no longer ours, and then nothing else of it may be written."""
    return _change(session, _ended(claimed, DONE).values(error=None))


def bury(session: Session, claimed: Claim, error: str) -> bool:
    """Mark the batch dead with its error; False if it is no longer ours."""
    return _change(session, _ended(claimed, DEAD).values(error=error))


def give_back(session: Session, claimed: Claim, error: str | None = None, delay: float = 0.0) -> bool:
    """Let the batch wait again, `delay` seconds at least, its attempt uncounted: the end is explained."""
    statement = _owned(claimed).values(attempts=Batch.attempts - 1, **_waiting(delay), error=error)
    return _change(session, statement)


def fail(session: Session, claimed: Claim, error: str, delay: float = 0.0) -> bool:
    """Let the batch wait again, its attempt counted: something in it failed that no retry is sure to mend."""
    return _change(session, _owned(claimed).values(**_waiting(delay), error=error))


def split(session: Session, claimed: Claim, error: str) -> bool:
    """Replace the batch by up to SPLIT_WAYS children of the same version; False if it is no longer ours."""
    if not _change(session, _ended(claimed, SPLIT).values(error=error)):
        return False
    job_id = session.scalars(select(Batch.job_id).where(Batch.id == claimed.batch_id)).one()
    for tweet_ids in _parts(claimed.tweet_ids):
        session.execute(
            insert(Batch).values(
                job_id=job_id,
                parent_id=claimed.batch_id,
                model_version_id=claimed.model_version_id,
                tweet_ids=tweet_ids,
                status=WAITING,
                attempts=0,
                created_at=clock.now(),
            )
        )
    return True


def is_empty(session: Session) -> bool:
    """Tell whether no batch waits or is leased."""
    open_batch = select(Batch.id).where(Batch.status.in_((WAITING, LEASED))).limit(1)
    return session.scalars(open_batch).first() is None


def _due_conditions(republish_after: float) -> Iterator[ColumnElement[bool]]:
    long_ago = clock.now() - republish_after
    delay_is_over = or_(Batch.next_attempt_at.is_(None), Batch.next_attempt_at <= clock.now())
    not_since_expiry = or_(
        Batch.published_at.is_(None), Batch.published_at < Batch.lease_expires_at, Batch.published_at < long_ago
    )
    yield and_(Batch.status == LEASED, Batch.lease_expires_at < clock.now(), not_since_expiry)
    yield and_(Batch.status == WAITING, Batch.published_at < long_ago, delay_is_over)
    yield and_(Batch.status == WAITING, Batch.published_at.is_(None), delay_is_over)


def _owned(claimed: Claim) -> Update:
    """Address the batch only while the claim's token is the one that counts: the fence."""
    return update(Batch).where(Batch.id == claimed.batch_id, Batch.status == LEASED, Batch.lease_token == claimed.token)


def _ended(claimed: Claim, status: str) -> Update:
    return _owned(claimed).values(status=status, finished_at=clock.now(), lease_token=None, lease_expires_at=None)


def _waiting(delay: float) -> dict[str, object]:
    return {
        "status": WAITING,
        "lease_token": None,
        "lease_expires_at": None,
        "published_at": None,
        "next_attempt_at": clock.now() + delay if delay else None,
    }


def _change(session: Session, statement: Update) -> bool:
    return session.execute(statement.returning(Batch.id)).first() is not None


def _parts(tweet_ids: Sequence[int]) -> list[list[int]]:
    size = -(-len(tweet_ids) // SPLIT_WAYS)
    return [list(tweet_ids[start : start + size]) for start in range(0, len(tweet_ids), size)]
